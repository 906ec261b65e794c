import Jobs

/// Windows' `.url` file: the sections and keys of an INI file, but no comments, escapes or expansion inside a value.
///
/// Source: no standard, but what Windows, the browsers and yt-dlp (`--write-url-link`) write.
enum InternetShortcut {
    /// What stands at `URL` in the first `[InternetShortcut]`; `BASEURL` of other sections is only the page that frames it.
    static func targets(_ text: String) -> [String] {
        enum Section { case none, main, wide, other }
        var section = Section.none
        var hadMain = false
        var main: [String] = []
        var wide: [String] = []
        var bare: [String] = []
        for (_, line) in TextDecoding.lines(text) where !line.hasPrefix(";") {
            if line.hasPrefix("[") {
                switch line.dropFirst().prefix(while: { $0 != "]" }).lowercased().trimmingBlanks {
                case "internetshortcut":
                    section = hadMain ? .other : .main
                    hadMain = true
                case "internetshortcut.w": section = .wide
                default: section = .other
                }
                continue
            }
            if let value = value(of: "url", in: line) {
                switch section {
                case .main: main.append(value)
                case .wide: wide.append(TextDecoding.utf7(value))
                case .none: bare.append(value)
                case .other: break
                }
            } else if section == .none, line.hasHTTPScheme {
                bare.append(line)
            }
        }
        let found = main.filter { !$0.isEmpty }
        if !found.isEmpty { return found }
        let foundWide = wide.filter { !$0.isEmpty }
        if !foundWide.isEmpty { return foundWide }
        // A link that somebody wrote with `echo`, without any section.
        return section == .none ? bare : []
    }

    private static func value(of key: String, in line: String) -> String? {
        guard let equals = line.firstIndex(of: "="), line[..<equals].lowercased().trimmingBlanks == key else { return nil }
        let value = String(line[line.index(after: equals)...]).trimmingBlanks
        // Windows takes one pair of quotes off. Source: Microsoft, GetPrivateProfileString.
        if value.utf8.count >= 2, let quote = value.first, quote == "\"" || quote == "'", value.last == quote {
            return String(value.dropFirst().dropLast()).trimmingBlanks
        }
        return value
    }
}

extension String {
    /// Whether it begins like a link that can be fetched.
    var hasHTTPScheme: Bool {
        let start = prefix(8).lowercased()
        return start == "https://" || start.hasPrefix("http://")
    }
}
