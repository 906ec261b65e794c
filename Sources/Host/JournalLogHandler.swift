import Logging

/// Sends records to the journal with a field for each piece of metadata, so that `journalctl LYRICD_JOB=41` finds them.
///
/// `job` becomes `LYRICD_JOB`, `some.key` becomes `LYRICD_SOME_KEY`, `message.id` becomes `MESSAGE_ID`. `MESSAGE` repeats the metadata behind the
/// text, in one line: it is all that plain `journalctl` shows. Where there is no journal the record goes to stderr.
package struct JournalLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let identifier: String

    /// - Parameter identifier: what `journalctl -t` selects by.
    package init(
        identifier: String = "lyricd", logLevel: Logger.Level = .info, metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.identifier = identifier
        self.logLevel = logLevel
        self.metadataProvider = metadataProvider
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        JournalWriter.shared.send(LogRecord(event, metadata, metadataProvider), identifier: identifier)
    }

    /// Waits until the journal has what was logged so far; before an exit.
    ///
    /// - Returns: `false` where it has not within the time.
    @discardableResult
    package static func flush(within timeout: Duration = .seconds(2)) -> Bool { JournalWriter.shared.flush(within: timeout) }
}
