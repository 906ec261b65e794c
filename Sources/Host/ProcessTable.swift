import CLinux
import Glibc

/// A process as /proc/PID/stat shows it. Source of the fields: proc(5).
struct ProcessEntry: Sendable {
    let pid: Int32
    let parent: Int32
    let group: Int32
    let session: Int32
    /// Ended, waiting to be reaped.
    let isZombie: Bool
    /// Clock ticks (1/100 s) used by it and by the children it waited for.
    let ticks: UInt64
    /// Clock ticks after boot. With the pid it names a process for good: pids are used again.
    let start: UInt64
    /// Bytes.
    let residentMemory: Int

    /// `nil` where there is no such process.
    init?(pid: Int32) {
        guard let bytes = ProcFile.bytes("/proc/\(pid)/stat") else { return nil }
        // The program's name stands in brackets and may hold anything, brackets and spaces too.
        guard let bracket = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(bracket + 1)...].split(separator: UInt8(ascii: " "))
        func number(_ field: Int) -> UInt64 { fields[field - 3].reduce(0) { $0 &* 10 &+ UInt64($1 &- 48) } }
        guard fields.count >= 22, let state = fields[0].first else { return nil }
        self.pid = pid
        isZombie = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
        parent = Int32(truncatingIfNeeded: number(4))
        group = Int32(truncatingIfNeeded: number(5))
        session = Int32(truncatingIfNeeded: number(6))
        ticks = number(14) + number(15) + number(16) + number(17)
        start = number(22)
        residentMemory = Int(truncatingIfNeeded: number(24)) * Self.pageSize
    }

    private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// Whether the environment the process was started with has the entry `NAME=value`. `false` where we may not look.
    func environmentHolds(_ entry: [UInt8]) -> Bool {
        ProcFile.bytes("/proc/\(pid)/environ")?.split(separator: 0).contains { $0.elementsEqual(entry) } ?? false
    }

    /// Sends a signal to this process and to no other that may have got its pid since.
    func send(_ signal: Int32) {
        let handle = clinux_pidfd_open(pid)
        guard handle >= 0 else {
            // Gone; or the call is forbidden, as some containers do. Then the gap between looking and sending has to be borne.
            if errno != ESRCH, ProcessEntry(pid: pid)?.start == start { kill(pid, signal) }
            return
        }
        defer { close(handle) }
        if ProcessEntry(pid: pid)?.start == start, clinux_pidfd_send_signal(handle, signal) != 0, errno != ESRCH { kill(pid, signal) }
    }
}

enum ProcessTable {
    /// Every process but ourselves, at one moment more or less.
    static func all() -> [ProcessEntry] {
        let own = getpid()
        let names = (try? Directory.open("/proc").list()) ?? []
        return names.compactMap { name in
            guard let pid = Int32(String(decoding: name.bytes, as: UTF8.self)), pid != own else { return nil }
            return ProcessEntry(pid: pid)
        }
    }

    /// Bytes; the largest resident set the process has had. 0 where it is gone.
    static func peakMemory(of pid: Int32) -> Int {
        for line in ProcFile.lines("/proc/\(pid)/status") ?? [] where line.hasPrefix("VmHWM:") {
            return (Int(line.filter { $0.isNumber }) ?? 0) << 10
        }
        return 0
    }
}
