import Host
import Jobs

/// A stage that did not produce its output.
package struct StageError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        /// The task was cancelled: a stop, a cancelled or superseded job. Never the job's fault.
        case cancelled
        /// The operator has to install something.
        case engineMissing(path: String)
        /// Longer than the stage may take, seconds.
        case timedOut(after: Double)
        /// No sign of life for so long, seconds.
        case stalled(after: Double)
        /// The engine failed, and its words were understood or the kind of failure is known.
        case failed(FailureClass)
        /// The engine exited with a status that says nothing more.
        case exited(status: Int32)
        /// The engine was ended by a signal that we did not send.
        case signaled(Int32)
        /// The engine said it succeeded and left nothing, or nonsense.
        case badOutput
    }

    package let stage: StageName
    package let job: Int64
    package let engine: String
    package let reason: Reason
    /// One sentence for the person who dropped the file: what went wrong.
    package let message: String
    /// One sentence: what that person can do about it. Empty where nothing can be done.
    package let nextStep: String
    /// The last 4 KiB the engine wrote to stderr; invalid UTF-8 is replaced, control characters are escaped.
    package let stderrTail: String
    /// The engine's exit status, where it had one.
    package let exitStatus: Int32?
    /// Bytes, as in `StageOutcome`.
    package let peakMemory: Int
    /// Seconds the server asked us to wait, where it did.
    package let retryAfter: Double?

    package init(
        stage: StageName, job: Int64, engine: String, reason: Reason, message: String, nextStep: String = "",
        stderrTail: String = "", exitStatus: Int32? = nil, peakMemory: Int = 0, retryAfter: Double? = nil
    ) {
        self.stage = stage
        self.job = job
        self.engine = engine
        self.reason = reason
        self.message = message
        self.nextStep = nextStep
        self.stderrTail = stderrTail
        self.exitStatus = exitStatus
        self.peakMemory = peakMemory
        self.retryAfter = retryAfter
    }

    /// The class that decides what happens to the job; `nil` for a stage that was merely stopped.
    package var failureClass: FailureClass? {
        switch reason {
        case .cancelled: nil
        case .engineMissing: .environment
        case .timedOut, .stalled: .timeout
        case .failed(let failureClass): failureClass
        // An unknown text or signal is tried again, a few times: see RetryPolicy.
        case .exited, .signaled, .badOutput: .transient
        }
    }

    package var description: String {
        "\(stage.rawValue), job \(job): \(message)" + (nextStep.isEmpty ? "" : "; \(nextStep)")
    }
}

extension SystemCallError {
    /// What a file of ours that could not be read or written means for the job.
    package var failureClass: FailureClass { isPassing && !isOutOfSpace ? .transient : .environment }
}
