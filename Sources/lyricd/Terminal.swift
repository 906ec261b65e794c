import Glibc
import Host

/// Text for people. What strangers named is made printable before it gets here.
enum Terminal {
    static let isOutput = isatty(1) == 1
    static let isError = isatty(2) == 1

    static func print(_ text: String, terminator: String = "\n") { write(1, text + terminator) }
    static func error(_ text: String) { write(2, text + "\n") }

    /// Draws over the line.
    static func progress(_ text: String) { write(2, "\r\u{1B}[2K" + text) }

    private static func write(_ descriptor: Int32, _ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // Nobody reads any more: there is nobody to tell, either.
            guard count > 0 || errno == EINTR else { return }
            if count > 0 { bytes = bytes.dropFirst(count) }
        }
    }

    /// Columns; 80 where it is no terminal.
    static var width: Int { max(TerminalSize.columns(of: 1) ?? 80, 20) }

    /// Whether colours are wanted. Source: no-color.org.
    static let hasColour = isOutput && getenv("NO_COLOR") == nil

    enum Style: String { case bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34", cyan = "36" }

    static func styled(_ text: String, _ style: Style) -> String {
        hasColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// `████████░░░░` in so many columns.
    static func bar(_ fraction: Double?, columns: Int = 20) -> String {
        guard let fraction else { return String(repeating: "·", count: columns) }
        let full = Int((fraction * Double(columns)).rounded())
        return String(repeating: "█", count: full) + String(repeating: "░", count: columns - full)
    }

    static func seconds(_ value: Double) -> String {
        if value < 10 { return "\((value * 10).rounded() / 10) s" }
        if value < 90 { return "\(Int(value.rounded())) s" }
        let total = Int(value)
        let rest = total % 60
        if total < 3600 { return "\(total / 60):\(rest < 10 ? "0" : "")\(rest) min" }
        return "\(total / 3600) h \(total % 3600 / 60) min"
    }

    static func bytes(_ value: Int) -> String {
        if value < 1 << 20 { return "\(value >> 10) KiB" }
        return value < 10 << 30 ? "\(value >> 20) MiB" : "\(value >> 30) GiB"
    }

    static func padded(_ text: String, _ columns: Int) -> String {
        let count = text.count
        if count > columns { return String(text.prefix(max(0, columns - 1))) + "…" }
        return text + String(repeating: " ", count: columns - count)
    }
}
