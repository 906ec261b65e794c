import CLinux
import Dispatch
import Glibc
import Synchronization

/// Watches one run: its limits, its memory, its end, and what it leaves behind.
final class ChildSupervisor: Sendable {
    /// The value of `LYRICD_RUN`; no other run, of this daemon or another, has the same.
    let run = "\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"

    private struct State {
        /// Why we end the run; the first reason stays.
        var reason: ChildResult.Ending?
        /// `Clock.bootSeconds` at which KILL follows TERM.
        var killTime = Double.infinity
        /// The first process has ended by itself or otherwise: too late for a reason.
        var isOver = false
        /// Nobody of the run is left.
        var isDone = false
        var waiter: CheckedContinuation<Void, Never>?
        var openStreams = 2
        var bytes = 0
        var peakMemory = 0
        var stderrTail: [UInt8] = []
    }

    private let command: ChildCommand
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    init(_ command: ChildCommand) { self.command = command }

    var isEnding: Bool { state.withLock { $0.reason != nil } }

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

    /// Watches on a thread of its own: reading /proc can block on a process in trouble, and limits have to hold although every Swift
    /// thread is busy.
    func begin(leader: Int32) {
        let body: @Sendable () -> Void = { [self] in
            watch(leader)
            let waiter = state.withLock { state in
                state.isDone = true
                return state.waiter.take()
            }
            waiter?.resume()
        }
        do {
            try BackgroundThread.start(body)
        } catch {
            // No thread left in the whole service; Dispatch has some already.
            DispatchQueue.global(qos: .utility).async(execute: body)
        }
    }

    /// Returns when the first process has ended and no other of the run is left. The first is not yet reaped then: until it is, its
    /// number is its session's and nobody else's.
    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if !state.isDone { state.waiter = continuation }
                return state.isDone
            }
            if isDone { continuation.resume() }
        }
    }

    private func watch(_ leader: Int32) {
        guard var family = ChildFamily(leader: leader, marker: Array("LYRICD_RUN=\(run)".utf8)) else { return }
        let start = Clock.awakeSeconds
        var lastLife = start
        var seen = (ticks: UInt64(0), bytes: 0)
        // Short programs end before the second look, long ones do not change faster than once a second.
        var pause = 0.05
        var nextLook = start + pause
        var exitPause = 0.001
        var hasAsked = false

        while !hasEnded(leader) {
            if Clock.awakeSeconds >= nextLook {
                let members = family.members(reading: false)
                let peak = max(members.reduce(0) { $0 + $1.residentMemory }, ProcessTable.peakMemory(of: leader))
                let bytes = state.withLock { state in
                    state.peakMemory = max(state.peakMemory, peak)
                    return state.bytes
                }
                let life = (members.reduce(0) { $0 + $1.ticks }, bytes)
                // The time after the look: on a busy machine looking may take long, and then the next one must not follow at once.
                let now = Clock.awakeSeconds
                if life != seen { lastLife = now }
                seen = life
                pause = min(pause * 3, 1, (command.stallLimit?.seconds ?? 4) / 4)
                nextLook = now + pause
                if let limit = command.stallLimit, now - lastLife >= limit.seconds { end(.stalled(limit)) }
            }
            let now = Clock.awakeSeconds
            if let limit = command.timeLimit, now - start >= limit.seconds { end(.timedOut(limit)) }
            let (isEnding, killTime, streams) = state.withLock { ($0.reason != nil, $0.killTime, $0.openStreams) }
            if Clock.bootSeconds >= killTime {
                family.killAll()
            } else if isEnding, !hasAsked {
                hasAsked = true
                ask(&family)
            }

            var wait = nextLook - now
            if let limit = command.timeLimit, !isEnding { wait = min(wait, start + limit.seconds - now) }
            if isEnding { wait = min(wait, killTime - Clock.bootSeconds) }
            if streams == 0 {
                // Both streams are closed, so the end is near: the kernel closes them a moment before it reports the exit.
                wait = min(wait, exitPause)
                exitPause = min(exitPause * 2, 0.25)
            }
            _ = self.wake.wait(timeout: .now() + max(wait, 0.0005))
        }
        let killTime = state.withLock { state in
            state.isOver = true
            return state.reason == nil ? 0 : state.killTime
        }
        // Those that were asked to end have until then; a run that ended by itself has nothing left to do.
        var gracePause = 0.005
        while Clock.bootSeconds < killTime, !family.members(reading: true).isEmpty {
            usleep(UInt32(gracePause * 1e6))
            gracePause = min(gracePause * 2, 0.1)
        }
        family.killAll()
    }

    /// TERM to the process group, and to those of the run that have left it.
    private func ask(_ family: inout ChildFamily) {
        // Looked up first: once the first process is dead, nothing says any more whose child an escapee was.
        let outsiders = family.members(reading: true).filter { $0.group != family.leader.pid }
        kill(-family.leader.pid, SIGTERM)
        // A stopped process would keep the TERM for later.
        kill(-family.leader.pid, SIGCONT)
        for outsider in outsiders { outsider.send(SIGTERM) }
    }

    private func hasEnded(_ leader: Int32) -> Bool {
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
