import Glibc

/// Ends what a crashed daemon left running.
package enum ChildSweep {
    /// Kills every process, ourselves excepted, that was started with `LYRICD_OWNER=owner` in its environment, again and again until
    /// none is left. Blocks meanwhile: some milliseconds, 10 s at the most.
    ///
    /// - Returns: how many were killed.
    package static func killAll(owner: String) -> Int {
        let marker = Array("LYRICD_OWNER=\(owner)".utf8)
        let end = Clock.awakeSeconds + 10
        var killed: Set<[UInt64]> = []
        while true {
            let found = ProcessTable.all().filter { !$0.isZombie && $0.environmentHolds(marker) }
            if found.isEmpty || Clock.awakeSeconds > end { return killed.count }
            for entry in found {
                entry.send(SIGKILL)
                killed.insert([UInt64(entry.pid), entry.start])
            }
            usleep(2_000)
        }
    }
}
