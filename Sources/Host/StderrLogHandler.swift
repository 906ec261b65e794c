import Glibc
import Logging

/// One line on stderr per record: `warning stage failed job=41 stage=fetch`.
///
/// Control characters are escaped, and a line starts with its level, so that no content can pass for a line of its own, for a
/// terminal command or for systemd's `<0>` priority prefix.
package struct StderrLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package init(logLevel: Logger.Level = .info, metadataProvider: Logger.MetadataProvider? = nil) {
        self.logLevel = logLevel
        self.metadataProvider = metadataProvider
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) { Self.write(LogRecord(event, metadata, metadataProvider)) }

    static func write(_ record: LogRecord) {
        let bytes = Array("\(record.level) \(record.line)\n".utf8)
        // One call, so that lines of several threads and processes do not mix.
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Nobody reads stderr any more; there is nowhere left to say so.
            if count <= 0 { return }
            rest.removeFirst(count)
        }
    }
}
