import Glibc
import Synchronization

/// Named places where a test build can be made to fail.
///
/// `LYRICD_FAULT=name[:nth[:action]]`, several separated by commas. `nth` counts the calls of that name from 1, the default;
/// `3+` means the third and every later one. `action` is `kill` (SIGKILL to ourselves, the default), `exit` (status 70), `stop`
/// (SIGSTOP to ourselves), `sleep=SECONDS`, or an error number or name (`ENOSPC`, `EIO` …).
/// In builds without `LYRICD_FAULTS` the calls compile to nothing.
package enum Fault {
    #if LYRICD_FAULTS
    /// Passes a place that can also fail with an error.
    package static func point(_ name: StaticString) throws(SystemCallError) {
        if let code = pass(name.description) { throw SystemCallError(call: "fault", errno: code, subject: name.description) }
    }

    /// Passes a place that cannot throw; an error number given for it has no effect.
    package static func crash(_ name: StaticString) { crash(named: name.description) }

    /// The same for a name that is put together: `transition.queued-running.before`.
    package static func crash(named name: String) { _ = pass(name) }

    /// Runs `body` with faults of its own, in the form `LYRICD_FAULT` has, seen only by this task and the tasks it starts.
    package static func with<Result>(_ description: String, _ body: () throws -> Result) rethrows -> Result {
        try $local.withValue(FaultPlan(description), operation: body)
    }

    /// As above, for work that suspends.
    package static func with<Result>(_ description: String, _ body: () async throws -> Result) async rethrows -> Result {
        try await $local.withValue(FaultPlan(description), operation: body)
    }

    @TaskLocal private static var local: FaultPlan?
    private static let global = getenv("LYRICD_FAULT").map { FaultPlan(String(cString: $0)) }

    private static func pass(_ name: String) -> Int32? {
        trace?.pass(name)
        guard let plan = local ?? global, let action = plan.pass(name) else { return nil }
        return action.perform()
    }

    /// `LYRICD_FAULT_TRACE=FILE`: every name is appended to the file as it is passed, so that a test knows which there are.
    private static let trace = getenv("LYRICD_FAULT_TRACE").map { FaultTrace(path: String(cString: $0)) }
    #else
    @inlinable package static func point(_ name: StaticString) throws(SystemCallError) {}
    @inlinable package static func crash(_ name: StaticString) {}
    @inlinable package static func crash(named name: @autoclosure () -> String) {}
    #endif
}

#if LYRICD_FAULTS
private struct FaultTrace: Sendable {
    private let descriptor: Int32

    init(path: String) { descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }

    func pass(_ name: String) {
        let line = Array((name + "\n").utf8)
        _ = write(descriptor, line, line.count)
    }
}

private final class FaultPlan: Sendable {
    enum Action: Sendable {
        case signal(Int32), exit, sleep(Double), error(Int32)

        /// The error number to throw, where that is what was asked for.
        func perform() -> Int32? {
            switch self {
            case .signal(let number): kill(getpid(), number)
            case .exit: _exit(70)
            case .sleep(let seconds): usleep(UInt32(seconds * 1e6))
            case .error(let code): return code
            }
            return nil
        }
    }

    struct Rule: Sendable {
        let name: String
        let nth: Int
        let isSticky: Bool
        let action: Action
        var calls = 0
    }

    private let rules: Mutex<[Rule]>

    init(_ description: String) {
        rules = Mutex(
            description.split(separator: ",").map { part in
                let fields = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                let count = fields.count > 1 ? fields[1] : "1"
                return Rule(
                    name: fields[0], nth: Int(count.prefix { $0 != "+" }) ?? 1, isSticky: count.hasSuffix("+"),
                    action: Self.action(fields.count > 2 ? fields[2] : "kill"))
            })
    }

    func pass(_ name: String) -> Action? {
        rules.withLock { rules in
            var hit: Action?
            for index in rules.indices where rules[index].name == name {
                rules[index].calls += 1
                let rule = rules[index]
                if rule.calls == rule.nth || rule.isSticky && rule.calls > rule.nth { hit = rule.action }
            }
            return hit
        }
    }

    private static func action(_ text: String) -> Action {
        switch text {
        case "kill": return .signal(SIGKILL)
        case "stop": return .signal(SIGSTOP)
        case "exit": return .exit
        default:
            if text.hasPrefix("sleep="), let seconds = Double(text.dropFirst(6)) { return .sleep(seconds) }
            if let code = Int32(text) ?? errorNumbers[text] { return .error(code) }
            // A test that asks for what does not exist must not pass by accident.
            fatalError("LYRICD_FAULT: unknown action \(text)")
        }
    }

    private static let errorNumbers: [String: Int32] = [
        "EACCES": EACCES, "EAGAIN": EAGAIN, "EBUSY": EBUSY, "EDQUOT": EDQUOT, "EEXIST": EEXIST, "EFBIG": EFBIG,
        "EINVAL": EINVAL, "EIO": EIO, "EMFILE": EMFILE, "ENFILE": ENFILE, "ENOENT": ENOENT, "ENOMEM": ENOMEM,
        "ENOSPC": ENOSPC, "ENOSYS": ENOSYS, "EPERM": EPERM, "EROFS": EROFS, "ESTALE": ESTALE, "EXDEV": EXDEV,
        "ETIMEDOUT": ETIMEDOUT, "EOPNOTSUPP": EOPNOTSUPP,
    ]
}
#endif
