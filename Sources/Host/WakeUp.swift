import Synchronization

/// "Look again", from anybody to one loop. Carries no data: however often it was signalled, one wait returns once.
package final class WakeUp: Sendable {
    private struct State {
        var isPending = false
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    package init() {}

    /// From any thread; cheap; never lost: a signal without a waiter is remembered.
    package func signal() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isPending = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns after a signal, at the deadline, or when the task is cancelled. One loop waits at a time.
    ///
    /// - Parameter deadline: seconds of ``Clock/bootSeconds``; `nil` waits without one, with no timer at all.
    package func wait(until deadline: Double? = nil) async {
        // A task of its own: the wait must be able to end while the timer still runs. It holds nothing but this object.
        let timer = deadline.map { deadline in
            Task { [self] in
                let remaining = deadline - Clock.bootSeconds
                if remaining > 0 { try? await Task.sleep(for: .seconds(remaining)) }
                if !Task.isCancelled { signal() }
            }
        }
        defer { timer?.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.isPending || Task.isCancelled {
                        state.isPending = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: { signal() }
    }
}
