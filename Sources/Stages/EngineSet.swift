import Jobs

/// The engines there are, found by stage and name: what a plan says becomes what runs.
package struct EngineSet: Sendable {
    private let engines: [StageName: [any StageEngine]]

    package init(_ engines: [any StageEngine]) {
        self.engines = Dictionary(grouping: engines, by: \.stage)
    }

    /// Names a plan may use for a stage, in the order they were given.
    package func names(for stage: StageName) -> [String] { engines[stage]?.map(\.name) ?? [] }

    /// The name that will be recorded; also for a plan whose engine does not exist (any more).
    package func name(for stage: StageName, plan: Plan) -> String {
        switch stage {
        case .separate: plan.separate
        case .transcribe: plan.transcribe
        case .align: plan.align
        case .publish: "lyricd"
        case .fetch, .probe, .render: engines[stage]?.first?.name ?? "lyricd"
        }
    }

    package func engine(for stage: StageName, plan: Plan, job: Job.ID) throws(StageError) -> any StageEngine {
        let name = name(for: stage, plan: plan)
        if let engine = engines[stage]?.first(where: { $0.name == name }) { return engine }
        throw StageError(
            stage: stage, job: job, engine: name, reason: .engineMissing(path: name),
            message: "there is no engine named \(name) for the \(stage.rawValue) stage",
            nextStep: "use one of \(names(for: stage).joined(separator: ", ")) in the profile \(plan.profile), then: lyricd retry \(job)")
    }
}
