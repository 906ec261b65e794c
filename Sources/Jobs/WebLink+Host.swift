/// The host of a link, checked.
enum WebHost: Equatable {
    /// Lower case, ASCII, without a dot at the end.
    case name(String)
    case address4(String)
    /// Without brackets.
    case address6(String)

    struct Refusal: Error {
        /// The end of a sentence.
        let why: String
    }

    init(_ text: String) throws(Refusal) {
        if text.hasPrefix("[") {
            guard text.hasSuffix("]"), let address = IPv6Text(String(text.dropFirst().dropLast())) else {
                throw Refusal(why: "what stands in brackets is no IPv6 address")
            }
            self = .address6(address.text)
            return
        }
        var name = try Self.asciiName(text)
        if name.hasSuffix(".") { name.removeLast() }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = labels.last else { throw Refusal(why: "it is empty") }
        // Resolvers take 2130706433, 0x7f.1 and 0177.0.0.1 for 127.0.0.1; people who write that want to hide something.
        if last.allSatisfy(\.isASCIIDigitCharacter) || last.hasPrefix("0x") {
            guard labels.count == 4, labels.allSatisfy(Self.isOctet) else {
                throw Refusal(why: "write an address as four numbers, such as 192.0.2.1")
            }
            self = .address4(name)
            return
        }
        guard name.utf8.count <= 253 else { throw Refusal(why: "it is longer than 253 characters") }
        for label in labels {
            guard !label.isEmpty else { throw Refusal(why: "two dots follow each other, or it begins with one") }
            guard label.utf8.count <= 63 else { throw Refusal(why: "a part between two dots is longer than 63 characters") }
            guard label.first != "-", label.last != "-" else { throw Refusal(why: "a part begins or ends with a dash") }
        }
        self = .name(name)
    }

    /// As a resolver takes it.
    var resolverName: String {
        switch self {
        case .name(let text), .address4(let text), .address6(let text): text
        }
    }

    var urlText: String {
        if case .address6(let text) = self { return "[" + text + "]" }
        return resolverName
    }

    var isAddress: Bool {
        if case .name = self { return false }
        return true
    }

    func isOrIsBelow(_ domain: String) -> Bool {
        if case .name(let name) = self { return name == domain || name.hasSuffix("." + domain) }
        return false
    }

    private static func isOctet(_ text: Substring) -> Bool {
        guard text.utf8.count <= 3, text.allSatisfy(\.isASCIIDigitCharacter), let value = Int(text), value <= 255 else {
            return false
        }
        return text.utf8.count == 1 || text.first != "0"
    }

    /// Lower case and punycode, label by label. A character that would turn into another one (①, ｅ, ﬁ, an invisible one) is
    /// refused, not mapped: it serves to make one host look like another. Source: RFC 5891; Unicode Technical Standard 46.
    private static func asciiName(_ text: String) throws(Refusal) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            for byte in text.utf8 where !byte.isASCIIAlphanumeric && !"-._".utf8.contains(byte) {
                throw Refusal(why: "“\(String(UnicodeScalar(byte)))” does not belong into a host name")
            }
            return text.lowercased()
        }
        guard text.utf8.count <= 1024 else { throw Refusal(why: "it is longer than 253 characters") }
        var lower = ""
        for scalar in text.unicodeScalars { lower += scalar.properties.lowercaseMapping }
        lower = lower.canonicallyComposed
        for scalar in lower.unicodeScalars where !isPartOfName(scalar) {
            throw Refusal(why: "“\(WebLink.shown(String(scalar)))” does not belong into a host name")
        }
        return lower.split(separator: ".", omittingEmptySubsequences: false)
            .map { $0.utf8.allSatisfy { $0 < 0x80 } ? String($0) : "xn--" + Punycode.encode(Array($0.unicodeScalars)) }
            .joined(separator: ".")
    }

    private static func isPartOfName(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return UInt8(scalar.value).isASCIIAlphanumeric || "-._".unicodeScalars.contains(scalar) }
        // The two letters that IDNA 2008 keeps although case folding maps them.
        if scalar == "ß" || scalar == "ς" { return true }
        if scalar.properties.changesWhenNFKCCaseFolded { return false }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber: return true
        default: return false
        }
    }
}

extension Character {
    fileprivate var isASCIIDigitCharacter: Bool { ("0"..."9").contains(self) }
}

/// Letters outside ASCII as ASCII. Source: RFC 3492, 6.3 and the parameters of 5.
enum Punycode {
    private static let digits = Array("abcdefghijklmnopqrstuvwxyz0123456789".unicodeScalars)

    static func encode(_ label: [Unicode.Scalar]) -> String {
        var result = String.UnicodeScalarView(label.filter(\.isASCII))
        let basic = result.count
        if basic > 0 { result.append("-") }
        var next: UInt32 = 128
        var delta = 0
        var bias = 72
        var handled = basic
        while handled < label.count {
            guard let smallest = label.lazy.map(\.value).filter({ $0 >= next }).min() else { break }
            // At most 1024 characters times the largest scalar: far from an overflow.
            delta += Int(smallest - next) * (handled + 1)
            next = smallest
            for scalar in label {
                if scalar.value < next { delta += 1 }
                guard scalar.value == next else { continue }
                var rest = delta
                var weight = 36
                while true {
                    let threshold = min(max(weight - bias, 1), 26)
                    if rest < threshold { break }
                    result.append(digits[threshold + (rest - threshold) % (36 - threshold)])
                    rest = (rest - threshold) / (36 - threshold)
                    weight += 36
                }
                result.append(digits[rest])
                bias = adapt(delta, length: handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            next += 1
        }
        return String(result)
    }

    private static func adapt(_ delta: Int, length: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / length
        var weight = 0
        while delta > 455 {
            delta /= 35
            weight += 36
        }
        return weight + 36 * delta / (delta + 38)
    }
}
