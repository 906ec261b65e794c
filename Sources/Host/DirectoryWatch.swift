import Glibc
import Synchronization

/// Where to look again. What is really there, only the directories say.
package struct DirectoryHints: Sendable, Equatable {
    /// The kernel dropped events: look everywhere.
    package var everything = false
    /// Something happened in these.
    package var directories: Set<Int> = []
    /// Names that were moved into a directory, or around in it. They were mostly complete when they came; a hint like the rest.
    package var movedIn: [Int: Set<FileName>] = [:]
    /// No longer watched: removed, moved elsewhere, or unmounted. To be opened and added again.
    package var gone: Set<Int> = []

    package init() {}
}

/// Watches directories as "look again": one inotify instance, any number of directories, no names to keep and nothing that grows.
///
/// A hint is missing where the change was made behind the kernel's back (NFS, SMB, FUSE, 9p; see `FileSystemKind`), where the path leads to
/// another directory since (a parent was renamed, something was mounted over it; see `MountWatch`), and while a removed directory is still held
/// open by somebody. Source: inotify(7), "Limitations and caveats".
package final class DirectoryWatch: Sendable {
    private struct State {
        var hints = DirectoryHints()
        var movedInCount = 0
        /// One directory may be added under several ids: the kernel gives the same watch for the same inode.
        var ids: [Int32: Set<Int>] = [:]
        var watches: [Int: Int32] = [:]
    }

    private let descriptor: Descriptor
    private let state: Shared
    private let thread: PollThread

    /// The thread keeps this alive, not the watch, which could never end otherwise.
    private final class Shared: Sendable { let value = Mutex(State()) }

    /// - Parameter onHint: called on a thread of its own after every batch of events; must be quick.
    /// - Throws: `EMFILE` where the user has no inotify instance left (fs.inotify.max_user_instances) or the process no descriptor.
    package init(onHint: @escaping @Sendable () -> Void = {}) throws(SystemCallError) {
        let descriptor = Descriptor(try check("inotify_init1", "") { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) })
        let state = Shared()
        self.descriptor = descriptor
        self.state = state
        thread = try PollThread(descriptor, events: POLLIN) {
            // Nothing but sets are touched here: as long as this keeps up, the kernel's queue does not overflow.
            if Self.read(descriptor.number, state) { onHint() }
        }
    }

    /// Watches a directory, whatever its path leads to later. Watch first, then list: what lands in between is seen twice, not missed.
    ///
    /// - Parameter id: the caller's name for it; an id that was in use is moved here.
    /// - Throws: `ENOSPC` where the user has no watch left (fs.inotify.max_user_watches), `ENOMEM`.
    package func add(_ directory: Directory, id: Int) throws(SystemCallError) {
        // No MODIFY: a slow download would wake us for every block. No OPEN, no ACCESS: our own looking would. UNMOUNT and
        // IGNORED come unasked.
        let events =
            IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
        let mask = UInt32(events) | UInt32(IN_ONLYDIR) | UInt32(IN_EXCL_UNLINK)
        // Through the descriptor: the path may lead elsewhere by now.
        let path = "/proc/self/fd/\(directory.descriptor)"
        remove(id: id)
        let added: Result<Void, SystemCallError> = state.value.withLock { state in
            // Under the lock, so that no event of the new watch is met before its id is known.
            do throws(SystemCallError) {
                let watch = try check("inotify_add_watch", directory.path) { inotify_add_watch(descriptor.number, path, mask) }
                state.ids[watch, default: []].insert(id)
                state.watches[id] = watch
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try added.get()
    }

    /// No hint names the id any more, nor those not yet taken. One that is not watched is no error.
    package func remove(id: Int) {
        state.value.withLock { state in
            state.hints.directories.remove(id)
            state.hints.gone.remove(id)
            state.hints.movedIn[id] = nil
            guard let watch = state.watches.removeValue(forKey: id) else { return }
            state.ids[watch]?.remove(id)
            if state.ids[watch]?.isEmpty ?? true {
                state.ids[watch] = nil
                inotify_rm_watch(descriptor.number, watch)
            }
        }
    }

    /// What was hinted at since the last call.
    package func takeHints() -> DirectoryHints {
        state.value.withLock { state in
            defer {
                state.hints = DirectoryHints()
                state.movedInCount = 0
            }
            return state.hints
        }
    }

    // MARK: Events

    private static func read(_ descriptor: Int32, _ shared: Shared) -> Bool {
        var hasHints = false
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            while true {
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return }
                shared.value.withLock { state in
                    if note(UnsafeRawBufferPointer(rebasing: buffer[..<count]), &state, descriptor) { hasHints = true }
                }
            }
        }
        return hasHints
    }

    /// Layout: wd, mask, cookie, length, then the name padded with NULs. Source: inotify(7).
    private static func note(_ buffer: UnsafeRawBufferPointer, _ state: inout State, _ descriptor: Int32) -> Bool {
        var offset = 0
        var hasHints = false
        while offset + 16 <= buffer.count {
            let watch = buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = Int(buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            let length = Int(buffer.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let name = buffer[(offset + 16)..<min(offset + 16 + length, buffer.count)]
            offset += 16 + length
            if mask & Int(IN_Q_OVERFLOW) != 0 {
                state.hints.everything = true
                hasHints = true
                continue
            }
            // Events of a watch that was removed stay in the queue. Source: inotify(7), "BUGS".
            guard let ids = state.ids[watch] else { continue }
            hasHints = true
            if mask & Int(IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF) != 0 {
                // Ends the watch in every case: one that moved along with its directory would report on a stranger's.
                if mask & Int(IN_IGNORED) == 0 { inotify_rm_watch(descriptor, watch) }
                state.ids[watch] = nil
                for id in ids { state.watches[id] = nil }
                state.hints.gone.formUnion(ids)
                continue
            }
            state.hints.directories.formUnion(ids)
            // Bounded: a name that is left out waits for the ordinary time to settle, that is all.
            if mask & Int(IN_MOVED_TO) != 0, state.movedInCount < 50_000 {
                state.movedInCount += 1
                let bytes = Array(name.prefix { $0 != 0 })
                for id in ids { state.hints.movedIn[id, default: []].insert(FileName(bytes)) }
            }
        }
        return hasHints
    }
}
