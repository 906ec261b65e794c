import CLinux
import Dispatch
import Glibc
import Synchronization

/// Watches one run: its limits, its memory, its end, and what it leaves behind.
final class ChildSupervisor: Sendable {
    /// The value of `LYRICD_RUN`; no other run, of this daemon or another, has the same.
    let run = "\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"

    private struct State {
        var leader: Int32?
        /// Why we end the run; the first reason stays.
        var reason: ChildResult.Ending?
        /// `Clock.bootSeconds` at which KILL follows TERM.
        var killTime = Double.infinity
        /// The first process has ended by itself or otherwise: too late for a reason.
        var isOver = false
        var openStreams = 2
        var bytes = 0
        var peakMemory = 0
        var stderrTail: [UInt8] = []
    }

    private let command: ChildCommand
    private let state = Mutex(State())
    private let wake = WakeUp()
    /// Reading /proc can block on a process in trouble; the Swift threads are not for that.
    private let queue = DispatchQueue(label: "child", qos: .utility)

    init(_ command: ChildCommand) { self.command = command }

    var isEnding: Bool { state.withLock { $0.reason != nil } }

    func begin(leader: Int32) { state.withLock { $0.leader = leader } }

    /// Asks the run to end; `watch` sends the signals.
    func end(_ reason: ChildResult.Ending) {
        state.withLock { state in
            guard state.reason == nil, !state.isOver else { return }
            state.reason = reason
            state.killTime = Clock.bootSeconds
            if case .runaway = reason {} else { state.killTime += command.grace.seconds }
        }
        wake.signal()
    }

    /// Counts output; `false` once there was too much of it.
    func took(_ buffer: UnsafeRawBufferPointer, isStandardError: Bool) -> Bool {
        let bytes = state.withLock { state in
            state.bytes += buffer.count
            if isStandardError {
                state.stderrTail.append(contentsOf: buffer.suffix(4096))
                if state.stderrTail.count > 4096 { state.stderrTail.removeFirst(state.stderrTail.count - 4096) }
            }
            return state.bytes
        }
        guard bytes > command.outputLimit else { return true }
        end(.runaway(bytes: bytes))
        return false
    }

    func streamEnded() {
        state.withLock { $0.openStreams -= 1 }
        wake.signal()
    }

    func result(or ending: ChildResult.Ending, seconds: Double) -> ChildResult {
        state.withLock { state in
            ChildResult(
                ending: state.reason ?? ending, seconds: seconds, peakMemory: state.peakMemory,
                stderrTail: Self.printable(tail: state.stderrTail))
        }
    }

    private static func printable(tail: [UInt8]) -> String {
        // A cut in the middle of a character is no invalid UTF-8 of the engine's.
        let start = tail.count < 4096 ? 0 : tail.prefix(3).prefix { $0 & 0xC0 == 0x80 }.count
        return tail[start...].split(whereSeparator: { $0 == 10 || $0 == 13 }).map(PrintableText.escaping).joined(separator: "\n")
    }

    // MARK: Watching

    /// Returns when the first process has ended and no other of the run is left. The first is not yet reaped then: until it is, its
    /// number is its session's and nobody else's.
    func watch() async {
        guard let leader = state.withLock({ $0.leader }),
            let found = ChildFamily(leader: leader, marker: Array("LYRICD_RUN=\(run)".utf8))
        else { return }
        var family = found
        let start = Clock.awakeSeconds
        var lastLife = start
        var seen = (ticks: UInt64(0), bytes: 0)
        // Short programs end before the second look, long ones do not change faster than once a second.
        var pause = 0.05
        var nextLook = start + pause
        var exitPause = 0.001
        var hasAsked = false

        while await !leaderHasEnded(leader) {
            let now = Clock.awakeSeconds
            if now >= nextLook {
                let (grown, members) = await onQueue { [family] in
                    var family = family
                    let members = family.members(reading: false)
                    return (family, members)
                }
                family = grown
                await note(memoryOf: members, leader)
                let life = (members.reduce(0) { $0 + $1.ticks }, state.withLock { $0.bytes })
                if life != seen { lastLife = now }
                seen = life
                pause = min(pause * 3, 1, (command.stallLimit?.seconds ?? 4) / 4)
                nextLook = now + pause
                if let limit = command.stallLimit, now - lastLife >= limit.seconds { end(.stalled(limit)) }
            }
            if let limit = command.timeLimit, now - start >= limit.seconds { end(.timedOut(limit)) }
            let (isEnding, killTime, streams) = state.withLock { ($0.reason != nil, $0.killTime, $0.openStreams) }
            if Clock.bootSeconds >= killTime {
                family = await killing(family)
            } else if isEnding, !hasAsked {
                hasAsked = true
                family = await asking(family)
            }

            var wait = nextLook - now
            if let limit = command.timeLimit, !isEnding { wait = min(wait, start + limit.seconds - now) }
            if isEnding, killTime > Clock.bootSeconds { wait = min(wait, killTime - Clock.bootSeconds) }
            if streams == 0 {
                // Both streams are closed, so the end is near: the kernel closes them a moment before it reports the exit.
                wait = min(wait, exitPause)
                exitPause = min(exitPause * 2, 0.25)
            }
            await wake.wait(until: Clock.bootSeconds + max(wait, 0.0005))
        }
        let killTime = state.withLock { state in
            state.isOver = true
            return state.reason == nil ? 0 : state.killTime
        }
        // Those that were asked to end have until then; a run that ended by itself has nothing left to do.
        var gracePause = 0.005
        while Clock.bootSeconds < killTime {
            let (grown, isEmpty) = await onQueue { [family] in
                var family = family
                let isEmpty = family.members(reading: true).isEmpty
                return (family, isEmpty)
            }
            family = grown
            if isEmpty { break }
            try? await Task.sleep(for: .seconds(min(gracePause, max(0, killTime - Clock.bootSeconds))))
            gracePause = min(gracePause * 2, 0.1)
        }
        _ = await killing(family)
    }

    /// TERM to the process group, and to those of the run that have left it.
    private func asking(_ family: ChildFamily) async -> ChildFamily {
        await onQueue {
            var family = family
            // Looked up first: once the first process is dead, nothing says any more whose child an escapee was.
            let outsiders = family.members(reading: true).filter { $0.group != family.leader.pid }
            kill(-family.leader.pid, SIGTERM)
            // A stopped process would keep the TERM for later.
            kill(-family.leader.pid, SIGCONT)
            for outsider in outsiders { outsider.send(SIGTERM) }
            return family
        }
    }

    private func killing(_ family: ChildFamily) async -> ChildFamily {
        await onQueue {
            var family = family
            family.killAll()
            return family
        }
    }

    private func note(memoryOf members: [ProcessEntry], _ leader: Int32) async {
        let sum = members.reduce(0) { $0 + $1.residentMemory }
        let own = await onQueue { ProcessTable.peakMemory(of: leader) }
        state.withLock { $0.peakMemory = max($0.peakMemory, sum, own) }
    }

    private func leaderHasEnded(_ leader: Int32) async -> Bool {
        await onQueue { [self] in
            var child = clinux_child_state()
            // ECHILD: somebody else has reaped it.
            guard clinux_peek_child(leader, &child) == 0 else { return true }
            guard child.ended == 1 else { return false }
            // After exec the kernel carries over the peak of the process that forked, which is us; only more than that is the child's own.
            var usage = rusage()
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            if child.peak_memory > Int64(usage.ru_maxrss) << 10 {
                state.withLock { $0.peakMemory = max($0.peakMemory, Int(child.peak_memory)) }
            }
            return true
        }
    }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { @Sendable in continuation.resume(returning: body()) }
        }
    }
}
