import CLinux
import Glibc

/// The processes of one run: the leader, its session, its descendants, and whoever carries the run's marker.
///
/// A process can leave the session (setsid) and lose its parent; it then still has the environment it was started with. One that
/// was seen once stays known, whatever it changes.
struct ChildFamily: Sendable {
    let leader: ProcessEntry
    /// `LYRICD_RUN=…`
    let marker: [UInt8]
    private var known: [Int32: UInt64] = [:]

    /// `nil` where the leader is gone and reaped, which cannot be while its parent has not waited for it.
    init?(leader pid: Int32, marker: [UInt8]) {
        guard let leader = ProcessEntry(pid: pid) else { return nil }
        self.leader = leader
        self.marker = marker
    }

    /// Those that are alive.
    ///
    /// - Parameter reading: the environments too. Costs one more file for each process younger than the leader.
    mutating func members(reading environments: Bool) -> [ProcessEntry] {
        let all = ProcessTable.all()
        var found: Set<Int32> = [leader.pid]
        for entry in all
        where entry.session == leader.pid || known[entry.pid] == entry.start
            || environments && entry.start >= leader.start && entry.environmentHolds(marker)
        {
            found.insert(entry.pid)
        }
        // Children of members, their children, …
        var grown = true
        while grown {
            grown = false
            for entry in all where found.contains(entry.parent) && found.insert(entry.pid).inserted { grown = true }
        }
        let members = all.filter { found.contains($0.pid) && !$0.isZombie }
        known = Dictionary(uniqueKeysWithValues: members.map { ($0.pid, $0.start) })
        return members
    }

    /// Kills until nobody is left; blocks meanwhile.
    ///
    /// - Parameter timeLimit: seconds; what cannot even be killed (it waits in the kernel for a dead disk) is then left behind.
    mutating func killAll(timeLimit: Double = 10) {
        let end = Clock.awakeSeconds + timeLimit
        var pause: UInt32 = 500
        while true {
            let members = members(reading: true)
            if members.isEmpty || Clock.awakeSeconds > end { return }
            for member in members { member.send(SIGKILL) }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
    }
}
