import Dispatch
import Host
import Jobs
import Synchronization

/// Copies recordings on threads of its own, so that one slow disk does not keep the others waiting.
package final class ClaimPool: Sendable {
    struct Finished: Sendable {
        let place: InboxScanner.Place
        let claim: Claim
        let result: Result<Claim.Outcome, any Error>
    }
    /// Two: one disk gains nothing from more, and the work folder's disk is one.
    private static let width = 2

    private let queues: [DispatchQueue]
    private let state = Mutex<(next: Int, running: Int, finished: [Finished])>((0, 0, []))
    private let store: JobStore
    private let wake: WakeUp

    package init(store: JobStore, wake: WakeUp) {
        self.store = store
        self.wake = wake
        queues = (0..<Self.width).map { DispatchQueue(label: "lyricd.claim.\($0)") }
    }

    func submit(_ claim: Claim, at place: InboxScanner.Place) {
        let queue = state.withLock { state in
            state.next += 1
            state.running += 1
            return queues[state.next % queues.count]
        }
        queue.async { @Sendable [self] in
            let result = Result { try claim.perform(store: store) }
            state.withLock { state in
                state.running -= 1
                state.finished.append(Finished(place: place, claim: claim, result: result))
            }
            wake.signal()
        }
    }

    func takeFinished() -> [Finished] {
        state.withLock { state in
            defer { state.finished = [] }
            return state.finished
        }
    }

    /// Waits until no copy is under way; for a stop.
    package func drain() async {
        for queue in queues {
            await withCheckedContinuation { continuation in queue.async { @Sendable in continuation.resume() } }
        }
    }
}
