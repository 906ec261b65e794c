/// A value of a setting, as the program uses it.
package enum SettingValue: Sendable, Equatable {
    case duration(Duration)
    /// Bytes.
    case size(Int)
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([String])

    /// As it stands in the file.
    package var toml: String {
        switch self {
        case .duration(let value): "\"\(Self.text(of: value))\""
        case .size(let value): "\"\(Self.text(ofSize: value))\""
        case .flag(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .text(let value): Self.quoted(value)
        case .list(let values): "[" + values.map(Self.quoted).joined(separator: ", ") + "]"
        }
    }

    private static let durationUnits: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1),
    ]
    private static let sizeUnits: [(name: String, bytes: Int)] = [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]

    /// `5s`, `1h30min`: whole numbers with units, in a sum; a number alone is seconds. `nil` for anything else.
    package static func duration(_ text: String) -> Duration? {
        var rest = text[...]
        var sum = 0
        var isFirst = true
        repeat {
            rest = rest.drop { $0 == " " }
            let digits = rest.prefix { ("0"..."9").contains($0) }
            guard !digits.isEmpty, let number = Int(digits) else { return nil }
            rest = rest.dropFirst(digits.count).drop { $0 == " " }
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            if name.isEmpty, !(isFirst && rest.isEmpty) { return nil }
            guard let unit = name.isEmpty ? 1000 : durationUnits.first(where: { $0.name == name })?.milliseconds else {
                return nil
            }
            let (part, isTooLarge) = number.multipliedReportingOverflow(by: unit)
            let (next, isOver) = sum.addingReportingOverflow(part)
            guard !isTooLarge, !isOver else { return nil }
            sum = next
            isFirst = false
        } while !rest.allSatisfy { $0 == " " }
        return .milliseconds(sum)
    }

    /// `2G`, `500MiB`, `1024`: K, M, G and T are powers of 1024. `nil` for anything else.
    package static func size(_ text: String) -> Int? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard !digits.isEmpty, let number = Int(digits) else { return nil }
        let name = text.dropFirst(digits.count).drop { $0 == " " }
        if name.isEmpty { return number }
        guard let unit = sizeUnits.first(where: { $0.name == name || $0.name + "iB" == name })?.bytes else { return nil }
        let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: unit)
        return isTooLarge ? nil : bytes
    }

    /// The largest unit that says it in one whole number: `90min`, not `5400s`.
    package static func text(of duration: Duration) -> String {
        let milliseconds = Int(duration / .milliseconds(1))
        let unit = durationUnits.first { milliseconds != 0 && milliseconds.isMultiple(of: $0.milliseconds) } ?? ("s", 1000)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    package static func text(ofSize bytes: Int) -> String {
        guard bytes != 0, let unit = sizeUnits.first(where: { bytes.isMultiple(of: $0.bytes) }) else { return String(bytes) }
        return "\(bytes / unit.bytes)\(unit.name)"
    }

    /// A basic string of TOML. Source: toml.io, 1.0.0, "String".
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
