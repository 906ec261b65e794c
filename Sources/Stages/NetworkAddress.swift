/// An IP address, as far as one must know it to say whether it is public.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// Network order; 4 or 16.
    package let bytes: [UInt8]

    /// - Precondition: 4 or 16 bytes.
    package init(_ bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16)
        self.bytes = bytes
    }

    /// Somebody else's address on the public net: not private, loopback, link-local, shared (CGNAT), multicast, unspecified,
    /// reserved, documentation, nor one of these inside an IPv6 address that stands for an IPv4 one.
    ///
    /// Sources: the IANA special-purpose address registries for IPv4 and IPv6; RFC 6052 (NAT64), RFC 4291 §2.5.5.2 (mapped).
    package var isPublic: Bool {
        if bytes.count == 4 { return Self.isPublicIPv4(bytes) }
        let isZeroUpTo80 = bytes[..<10].allSatisfy { $0 == 0 }
        if isZeroUpTo80, bytes[10] == 0xFF, bytes[11] == 0xFF { return Self.isPublicIPv4(Array(bytes[12...])) }
        // The well-known NAT64 prefix stands for the IPv4 address behind it; networks without IPv4 reach half the web by it.
        if has([0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0], bits: 96) { return Self.isPublicIPv4(Array(bytes[12...])) }
        return Self.global.holds(bytes) && !Self.exceptions.contains { $0.holds(bytes) }
    }

    /// As people write it; IPv6 without shortening.
    package var description: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }

    private func has(_ prefix: [UInt8], bits: Int) -> Bool { Block(prefix, bits: bits).holds(bytes) }

    private struct Block: Sendable {
        let prefix: [UInt8]
        let bits: Int
        init(_ prefix: [UInt8], bits: Int) {
            self.prefix = prefix
            self.bits = bits
        }
        func holds(_ bytes: [UInt8]) -> Bool {
            let whole = bits / 8
            guard bytes[..<whole].elementsEqual(prefix[..<whole]) else { return false }
            guard bits % 8 != 0 else { return true }
            return (bytes[whole] ^ prefix[whole]) >> (8 - bits % 8) == 0
        }
    }

    private static func isPublicIPv4(_ bytes: [UInt8]) -> Bool { !special.contains { $0.holds(bytes) } }

    private static let special: [Block] = [
        Block([0], bits: 8), Block([10], bits: 8), Block([100, 64], bits: 10), Block([127], bits: 8), Block([169, 254], bits: 16),
        Block([172, 16], bits: 12), Block([192, 0, 0], bits: 24), Block([192, 0, 2], bits: 24), Block([192, 88, 99], bits: 24),
        Block([192, 168], bits: 16), Block([198, 18], bits: 15), Block([198, 51, 100], bits: 24), Block([203, 0, 113], bits: 24),
        Block([224], bits: 4), Block([240], bits: 4),
    ]
    /// Global unicast; everything outside is special.
    private static let global = Block([0x20], bits: 3)
    /// Protocol assignments with Teredo, documentation, 6to4 (an IPv4 address inside), documentation.
    private static let exceptions: [Block] = [
        Block([0x20, 0x01, 0x00], bits: 23), Block([0x20, 0x01, 0x0D, 0xB8], bits: 32), Block([0x20, 0x02], bits: 16),
        Block([0x3F, 0xFF, 0x00], bits: 20),
    ]
}
