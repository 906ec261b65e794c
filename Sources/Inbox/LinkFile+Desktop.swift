import Jobs

/// A `.desktop` file's one group that matters. `Exec` is never looked at, and nothing is expanded.
///
/// Source: freedesktop.org, Desktop Entry Specification 1.5; KDE's `[$e]` marks a value that a shell would expand.
struct DesktopEntry {
    private(set) var type: String?
    private(set) var name: String?
    private(set) var targets: [String] = []

    init(_ text: String) {
        var isInside = false
        var wasInside = false
        var localName: String?
        for (_, line) in TextDecoding.lines(text) where !line.hasPrefix("#") {
            if line.hasPrefix("[") {
                isInside = line == "[Desktop Entry]" && !wasInside
                wasInside = wasInside || isInside
                continue
            }
            guard isInside, let equals = line.firstIndex(of: "=") else { continue }
            let key = String(line[..<equals]).trimmingBlanks
            let value = Self.unescaping(String(line[line.index(after: equals)...]).trimmingBlanks)
            switch key {
            case "Type": type = type ?? value
            case "Name": name = name ?? value
            case "URL": targets.append(value)
            case _ where key.hasPrefix("URL[$"): targets.append(value)
            case _ where key.hasPrefix("Name["): localName = localName ?? value
            default: break
            }
        }
        name = name ?? localName
    }

    private static func unescaping(_ value: String) -> String {
        guard value.utf8.contains(UInt8(ascii: "\\")) else { return value }
        var result = ""
        var isEscaped = false
        for scalar in value.unicodeScalars {
            if isEscaped {
                isEscaped = false
                switch scalar {
                case "s": result += " "
                case "n": result += "\n"
                case "t": result += "\t"
                case "r": result += "\r"
                case "\\": result += "\\"
                default:
                    result += "\\"
                    result.unicodeScalars.append(scalar)
                }
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return isEscaped ? result + "\\" : result
    }
}
