import Glibc

/// Calls back whenever something is mounted or unmounted in our mount namespace: no directory's own watch reports that.
///
/// poll(2) with POLLPRI on /proc/self/mountinfo. Source: proc(5).
package final class MountWatch: Sendable {
    private let thread: PollThread

    /// - Parameter onChange: called on a thread of its own; must be quick.
    package init(onChange: @escaping @Sendable () -> Void) throws(SystemCallError) {
        let path = "/proc/self/mountinfo"
        let mounts = Descriptor(try check("open", path) { open(path, O_RDONLY | O_CLOEXEC) })
        thread = try PollThread(mounts, events: POLLPRI, onReady: onChange)
    }
}
