import Foundation
import Host
import Jobs
import Stages
import Testing

/// A folder of its own for one test, the engines as they are installed on this machine, and tools to make recordings with.
struct Workshop: Sendable {
    let root: String
    let paths: EnginePaths
    let scripts: EngineScripts
    let environment: EngineEnvironment

    /// The package's folder: this file is in `Tests/StagesTests`.
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
        "Fixtures"
    ).path
    /// Where `engines/install` has put the Python engines for the tests.
    static let engineFolder = ProcessInfo.processInfo.environment["LYRICD_TEST_ENGINES"] ?? package + "/.build/engines"

    /// For `.enabled(if:)`: tests that need the Python engines say so where they are missing.
    static var hasPythonEngines: Bool {
        let paths = EnginePaths.find(engineFolder: engineFolder)
        return paths.ytDlp?.hasPrefix(engineFolder) == true && paths.pocketSphinxPython != nil
    }
    static let installHint: Comment =
        "needs the Python engines: run engines/install .build/engines, or name their folder in LYRICD_TEST_ENGINES"

    static func with<Result>(_ body: (Workshop) async throws -> Result) async throws -> Result {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("lyricd-stages-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer {
            _ = ChildSweep.killAll(owner: root)
            try? FileManager.default.removeItem(atPath: root)
        }
        return try await body(
            Workshop(
                root: root, paths: .find(engineFolder: engineFolder), scripts: try .install(into: root + "/scripts"),
                environment: EngineEnvironment(owner: root)))
    }

    func path(_ name: String) -> String { root + "/" + name }

    /// An empty folder, made on the spot.
    func folder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        return path(name)
    }

    func contents(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
    func names(in folder: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    /// Runs a tool that makes material for a test; it has to succeed.
    func tool(_ name: String, _ arguments: [String]) async throws {
        let result = try await ChildProcess.run(
            ChildCommand(
                executable: name, arguments: arguments, environment: ["PATH": EngineEnvironment.systemPath, "HOME": root],
                workingDirectory: root, owner: root, timeLimit: .seconds(120)),
            onStandardOutput: { _ in })
        try #require(result.ending == .exited(0), "\(name) \(arguments): \(result.stderrTail)")
    }

    func ffmpeg(_ arguments: String...) async throws { try await tool("ffmpeg", ["-v", "error", "-nostdin", "-y"] + arguments) }

    /// A clear voice, 16 kHz mono.
    @discardableResult
    func speech(_ text: String, as name: String, voice: String = "slt") async throws -> String {
        try await tool("flite", ["-voice", voice, "-t", text, "-o", path(name)])
        return path(name)
    }

    /// Of a WAV file with the usual 44 bytes of header.
    func samples(_ path: String) throws -> [Int16] {
        let bytes = try contents(path).dropFirst(44)
        return stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2).map {
            Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
        }
    }

    /// 16 kHz, mono, 16 bit.
    @discardableResult
    func writeWave(_ samples: [Int16], as name: String, channels: UInt16 = 1, rate: UInt32 = 16_000) throws -> String {
        var bytes: [UInt8] = []
        func put32(_ value: UInt32) {
            bytes += [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value >> 16 & 0xFF), UInt8(value >> 24)]
        }
        func put16(_ value: UInt16) { bytes += [UInt8(value & 0xFF), UInt8(value >> 8)] }
        let size = UInt32(samples.count * 2)
        bytes += Array("RIFF".utf8)
        put32(36 + size)
        bytes += Array("WAVEfmt ".utf8)
        put32(16)
        put16(1)
        put16(channels)
        put32(rate)
        put32(rate * UInt32(max(channels, 1)) * 2)
        put16(max(channels, 1) * 2)
        put16(16)
        bytes += Array("data".utf8)
        put32(size)
        for sample in samples { put16(UInt16(bitPattern: sample)) }
        return try write(name, bytes)
    }

    // MARK: Stages

    func request(
        _ output: String, plan: Plan = Plan(), url: String? = nil, recording: String? = nil, lyrics: String? = nil,
        inputs: [StageName: String] = [:], timeLimit: Duration = .seconds(300),
        report: @escaping @Sendable (StageProgress) -> Void = { _ in }
    ) throws -> StageRequest {
        StageRequest(
            job: 41, plan: plan, url: url, recording: recording, lyrics: lyrics, inputs: inputs, output: try folder(output),
            timeLimit: timeLimit, report: report)
    }

    func probe(_ recording: String, plan: Plan = Plan(), into name: String = "probe") async throws -> (StageOutcome, ProbedMedia) {
        let outcome = try await FFprobe(paths: paths, environment: environment).run(request(name, plan: plan, recording: recording))
        return (outcome, try StageFolder.read(ProbedMedia.self, from: StageFolder.probe, in: path(name)))
    }

    /// What the engine throws; the test fails where it does not.
    func failure(_ engine: any StageEngine, _ request: StageRequest) async throws -> StageError {
        do {
            let outcome = try await engine.run(request)
            return try #require(nil, "the engine succeeded: \(outcome)")
        } catch let error as StageError {
            return error
        }
    }
}
