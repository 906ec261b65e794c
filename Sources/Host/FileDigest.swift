import Crypto

/// What a file contains, in short.
package struct FileDigest: Sendable, Equatable, Codable {
    /// 64 lower-case hexadecimal digits.
    package let sha256: String
    package let bytes: Int64

    package init(sha256: String, bytes: Int64) {
        self.sha256 = sha256
        self.bytes = bytes
    }

    /// The digest of bytes in memory.
    package init(of contents: some Collection<UInt8>) {
        var hash = RunningDigest()
        Array(contents).withUnsafeBytes { hash.update($0) }
        self = hash.finish()
    }
}

/// A digest that grows with the bytes that pass.
struct RunningDigest {
    private var hash = SHA256()
    private(set) var bytes: Int64 = 0

    mutating func update(_ buffer: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: buffer)
        bytes += Int64(buffer.count)
    }

    func finish() -> FileDigest {
        let digits = Array("0123456789abcdef".utf8)
        let text = hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return FileDigest(sha256: String(decoding: text, as: UTF8.self), bytes: bytes)
    }
}
