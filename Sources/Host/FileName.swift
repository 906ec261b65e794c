import Glibc

/// One name in a directory. Linux names are bytes, not text: any but `/` and NUL, up to 255 of them.
package struct FileName: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(_ string: String) { bytes = Array(string.utf8) }
    package init(stringLiteral value: String) { self.init(value) }

    /// For people: invalid UTF-8 as `\xNN`, control characters and those that turn the direction of writing as `\u{...}`.
    package var display: String { PrintableText.escaping(bytes) }
    package var description: String { display }

    /// The name without its extension; the whole name where it has none.
    package var stem: FileName {
        guard let dot = extensionDot else { return self }
        return FileName(Array(bytes[..<dot]))
    }

    /// What follows the last dot, ASCII capitals made small: `mp3`. Empty where there is none: in `.hidden`, `name.`, `1. song`.
    package var pathExtension: String {
        guard let dot = extensionDot else { return "" }
        return String(decoding: bytes[(dot + 1)...].map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
    }

    /// Byte order; the same on every machine and in every language.
    package static func < (left: FileName, right: FileName) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

    private var extensionDot: Int? {
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > 0, dot + 1 < bytes.count else { return nil }
        // An extension is printable ASCII without spaces; `Nr. 5` and `а.мп3` have none.
        return bytes[(dot + 1)...].allSatisfy { $0 > 0x20 && $0 < 0x7F } ? dot : nil
    }

    /// - Throws: `EINVAL` for what is no name of one directory entry: empty, `.`, `..`, or with a slash or NUL in it. A name
    ///   that came from a stranger must not lead out of the directory it is used in.
    func validate(for call: String, in directory: String) throws(SystemCallError) {
        guard !bytes.isEmpty, self != ".", self != "..", !bytes.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }) else {
            throw SystemCallError(call: call, errno: EINVAL, subject: directory + "/" + display)
        }
    }

    /// Calls `body` with the name as C wants it, after `validate`.
    func withCString<Result>(
        for call: String, in directory: String, _ body: (UnsafePointer<CChar>) throws(SystemCallError) -> Result
    ) throws(SystemCallError) -> Result {
        try validate(for: call, in: directory)
        let terminated = bytes.map(CChar.init(bitPattern:)) + [0]
        return try terminated.withUnsafeBufferPointer { (pointer) throws(SystemCallError) in
            // Not empty: it ends in a NUL.
            try body(pointer.baseAddress!)
        }
    }
}
