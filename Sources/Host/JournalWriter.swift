import CSystemd
import Dispatch
import Glibc
import Logging
import Synchronization

/// Hands records to journald on a thread of its own: a journal that hangs must not stop the daemon.
final class JournalWriter: Sendable {
    static let shared = JournalWriter()

    /// Records that wait. More are dropped, and the gap is reported as soon as the journal goes on.
    private static let capacity = 2_000
    /// Bytes of one value. Journald keeps large ones, but nobody reads them.
    private static let valueLimit = 16 << 10

    private let queue = DispatchQueue(label: "journal", qos: .utility)
    private let state = Mutex((waiting: 0, dropped: 0))

    func send(_ record: LogRecord, identifier: String) {
        let dropped: Int? = state.withLock { state in
            guard state.waiting < Self.capacity else {
                state.dropped += 1
                return nil
            }
            state.waiting += 1
            defer { state.dropped = 0 }
            return state.dropped
        }
        guard let dropped else { return }
        queue.async { @Sendable [self] in
            if dropped > 0 {
                Self.hand(
                    fields: ["MESSAGE=log records were dropped count=\(dropped)", "PRIORITY=4", "SYSLOG_IDENTIFIER=\(identifier)"])
            }
            if !Self.hand(fields: Self.fields(of: record, identifier: identifier)) { StderrLogHandler.write(record) }
            state.withLock { $0.waiting -= 1 }
        }
        // Often the last words before the end of the process.
        if record.level >= .error { flush(within: .milliseconds(200)) }
    }

    @discardableResult
    func flush(within timeout: Duration) -> Bool {
        let done = DispatchSemaphore(value: 0)
        queue.async { @Sendable in done.signal() }
        return done.wait(timeout: .now() + timeout.seconds) == .success
    }

    static func fields(of record: LogRecord, identifier: String) -> [String] {
        // Sources: systemd.journal-fields(7); syslog(3) for the priorities.
        let priority =
            switch record.level {
            case .trace, .debug: 7
            case .info: 6
            case .notice: 5
            case .warning: 4
            case .error: 3
            case .critical: 2
            }
        var fields = ["MESSAGE=\(record.line)", "PRIORITY=\(priority)", "SYSLOG_IDENTIFIER=\(identifier)"]
        for (key, value) in record.metadata {
            fields.append((key == LogRecord.messageID ? "MESSAGE_ID" : name(for: key)) + "=" + value)
        }
        return fields
    }

    /// Journald takes A–Z, 0–9 and `_`, 64 of them, and drops a field of any other name without a word.
    private static func name(for key: String) -> String {
        let name = key.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "_")
            }
        }
        return String(decoding: ("LYRICD_".utf8 + name).prefix(64), as: UTF8.self)
    }

    /// The library writes values with line ends by length, so no content can become a field of its own.
    /// Source: systemd's JOURNAL_NATIVE_PROTOCOL.md.
    @discardableResult
    private static func hand(fields: [String]) -> Bool {
        // Without a journal sd_journal_sendv says that all is well. Source: systemd, src/libsystemd/sd-journal/journal-send.c.
        guard access("/run/systemd/journal/socket", F_OK) == 0 else { return false }
        let bytes = fields.map { Array($0.utf8.prefix(valueLimit)) }
        var blob = bytes.flatMap { $0 }
        return blob.withUnsafeMutableBytes { buffer in
            var offset = 0
            let vectors = bytes.map { field in
                defer { offset += field.count }
                return iovec(iov_base: buffer.baseAddress.map { $0 + offset }, iov_len: field.count)
            }
            return sd_journal_sendv(vectors, Int32(vectors.count)) == 0
        }
    }
}
