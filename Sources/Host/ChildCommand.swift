/// What to run, and how long to put up with it.
package struct ChildCommand: Sendable {
    /// An absolute path, or a bare name looked up in the `PATH` of `environment`, else in our own.
    package var executable: String
    package var arguments: [String]
    /// Complete but for our own markers, `LYRICD_OWNER` and `LYRICD_RUN`; nothing is inherited.
    package var environment: [String: String]
    package var workingDirectory: String
    /// By this `ChildSweep` finds what a crash left over: the state folder's path.
    package var owner: String
    /// Time the machine was awake. A run that a suspended machine interrupted is not to blame.
    package var timeLimit: Duration?
    /// For so long no byte of output came and no process of the run used the CPU. Not counted while the machine is asleep.
    package var stallLimit: Duration?
    /// From TERM to KILL.
    package var grace: Duration
    /// Bytes of both streams together; more is a runaway and killed.
    package var outputLimit: Int

    package init(
        executable: String, arguments: [String] = [], environment: [String: String] = [:], workingDirectory: String, owner: String,
        timeLimit: Duration? = nil, stallLimit: Duration? = nil, grace: Duration = .seconds(5), outputLimit: Int = 50 << 20
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.owner = owner
        self.timeLimit = timeLimit
        self.stallLimit = stallLimit
        self.grace = grace
        self.outputLimit = outputLimit
    }
}

/// How a run ended.
package struct ChildResult: Sendable, Equatable {
    package enum Ending: Sendable, Equatable {
        case exited(Int32)
        /// By a signal that we did not send.
        case signaled(Int32)
        /// The task was cancelled.
        case cancelled
        /// After the time limit, which is given.
        case timedOut(Duration)
        /// After the stall limit, which is given.
        case stalled(Duration)
        /// After so many bytes of output.
        case runaway(bytes: Int)
    }

    package var ending: Ending
    /// From before the start to after the end, by a clock that also counts while the machine is asleep.
    package var seconds: Double
    /// Bytes: the largest sum of the resident sets of all processes of the run that was seen, or the first process's own
    /// peak where that is larger. Looked at a few times in the first second and once a second from then on.
    package var peakMemory: Int
    /// The last 4 KiB of stderr; invalid UTF-8 and control characters other than line ends are escaped.
    package var stderrTail: String

    package init(ending: Ending, seconds: Double, peakMemory: Int = 0, stderrTail: String = "") {
        self.ending = ending
        self.seconds = seconds
        self.peakMemory = peakMemory
        self.stderrTail = stderrTail
    }
}
