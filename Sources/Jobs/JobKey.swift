/// Makes job keys: 26 characters of Crockford's base 32, ten of time and sixteen of chance, so that keys made later sort later.
///
/// The form is that of a ULID. Source: github.com/ulid/spec.
package enum JobKey {
    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// - Parameter unixSeconds: the time to put in front; the clock is the caller's.
    package static func make(unixSeconds: Double) -> String {
        var time = UInt64(max(0, unixSeconds) * 1000)
        var bytes = [UInt8](repeating: 0, count: 26)
        for index in stride(from: 9, through: 0, by: -1) {
            bytes[index] = digits[Int(time & 31)]
            time >>= 5
        }
        var generator = SystemRandomNumberGenerator()
        for index in 10..<26 { bytes[index] = digits[Int(generator.next() & 31)] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a folder's name is a key; nothing else in the work folder is ever removed.
    package static func isKey(_ name: some Collection<UInt8>) -> Bool {
        name.count == 26 && name.allSatisfy { digits.contains($0) }
    }
}
