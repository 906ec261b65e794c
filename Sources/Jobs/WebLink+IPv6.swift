/// An IPv6 address as text, in the one spelling of RFC 5952.
struct IPv6Text {
    private let groups: [UInt16]

    /// Takes the spellings of RFC 4291, 2.2, also those that end in an IPv4 address; no zone (`%eth0`).
    init?(_ text: String) {
        guard text.utf8.count <= 45 else { return nil }
        let halves: [Substring]
        if let gap = text.firstGap {
            halves = [text[..<gap], text[text.index(gap, offsetBy: 2)...]]
        } else {
            halves = [text[...]]
        }
        var parsed: [[UInt16]] = []
        for (index, half) in halves.enumerated() {
            guard let groups = Self.groups(half, mayEndInIPv4: index == halves.count - 1) else { return nil }
            parsed.append(groups)
        }
        if parsed.count == 2 {
            let missing = 8 - parsed[0].count - parsed[1].count
            guard missing >= 1 else { return nil }
            groups = parsed[0] + [UInt16](repeating: 0, count: missing) + parsed[1]
        } else {
            guard parsed[0].count == 8 else { return nil }
            groups = parsed[0]
        }
    }

    /// Lower case, the longest run of two or more zero groups as `::`.
    var text: String {
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        func joined(_ range: Range<Int>) -> String { groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty ? joined(0..<8) : joined(0..<best.lowerBound) + "::" + joined(best.upperBound..<8)
    }

    private static func groups(_ text: Substring, mayEndInIPv4: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var result: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, part.contains(".") {
                let octets = part.split(separator: ".", omittingEmptySubsequences: false)
                    .map { $0.utf8.allSatisfy(\.isASCIIDigit) ? UInt8($0) : nil }
                guard octets.count == 4, !octets.contains(nil) else { return nil }
                let values = octets.compactMap { $0.map(UInt16.init) }
                result += [values[0] << 8 | values[1], values[2] << 8 | values[3]]
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isASCIIAlphanumeric),
                    let value = UInt16(part, radix: 16)
                else { return nil }
                result.append(value)
            }
            if result.count > 8 { return nil }
        }
        return result
    }
}

extension String {
    /// Where the first `::` begins.
    fileprivate var firstGap: String.Index? {
        var previous: String.Index?
        for index in indices {
            if let previous, self[previous] == ":", self[index] == ":" { return previous }
            previous = index
        }
        return nil
    }
}
