import Logging

/// A log event with everything that belongs to it, as both handlers write it.
struct LogRecord: Sendable {
    let level: Logger.Level
    let message: String
    /// By key; the event's own values win over the provider's, and those over the handler's.
    let metadata: [(key: String, value: String)]

    init(_ event: LogEvent, _ handler: Logger.Metadata, _ provider: Logger.MetadataProvider?) {
        var all = handler
        if let provider { all.merge(provider.get()) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        level = event.level
        message = event.message.description
        metadata = all.map { ($0.key, $0.value.description) }.sorted { $0.0 < $1.0 }
    }

    /// Message and metadata in one line that no content can break or forge: `stage done job=41 engine="whisper cpp"`.
    var line: String {
        metadata.filter { $0.key != LogRecord.messageID }.reduce(into: PrintableText.escaping(message)) { line, pair in
            line += " " + PrintableText.escaping(pair.key) + "=" + Self.quoting(pair.value)
        }
    }

    /// The kind of event, for the journal's catalog; of no interest to a reader.
    static let messageID = "message.id"

    private static func quoting(_ value: String) -> String {
        let text = PrintableText.escaping(value)
        guard text.isEmpty || text.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\""
    }
}
