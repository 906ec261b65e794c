import CSystemd
import Glibc

/// What systemd and we tell each other. Outside a service every call is harmless.
package enum ServiceManager {
    /// Sends one notification of several assignments: `READY=1`, `STATUS=3 jobs`. Source: sd_notify(3).
    ///
    /// Line ends inside an assignment would start another one and are replaced by spaces.
    /// - Returns: whether it was sent; `false` outside a service.
    @discardableResult
    package static func notify(_ lines: String...) -> Bool {
        let message = lines.map { line in
            String(String.UnicodeScalarView(line.unicodeScalars.map { $0 == "\n" || $0 == "\0" ? " " : $0 }))
        }.joined(separator: "\n")
        return sd_notify(0, message) > 0
    }

    /// Whether there is a service manager to notify.
    package static var isActive: Bool { environment("NOTIFY_SOCKET") != nil }

    /// The manager kills us where no `WATCHDOG=1` comes for so long; send it twice as often. `nil`: nobody waits for it.
    package static var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(microseconds)
    }

    /// 32 hexadecimal digits that name this run of the service. Source: systemd.exec(5), `$INVOCATION_ID`.
    package static var invocationID: String? { environment("INVOCATION_ID") }

    /// Whether stderr goes to the journal, so that it may be spoken to directly. Source: systemd.exec(5), `$JOURNAL_STREAM`.
    package static var journalStreamIsStderr: Bool {
        guard let stream = environment("JOURNAL_STREAM") else { return false }
        var status = stat()
        return fstat(2, &status) == 0 && stream == "\(status.st_dev):\(status.st_ino)"
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
