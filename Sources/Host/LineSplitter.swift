import Glibc

/// Cuts a stream of bytes into lines.
///
/// A line ends at `\n`, at `\r` (progress displays) or at `\r\n`. One longer than `limit` is handed over cut, as soon as the limit is reached;
/// its rest is dropped. memchr instead of a loop over bytes: engines that print megabytes are not to cost a core.
struct LineSplitter {
    /// Bytes.
    let limit: Int
    private var carry: [UInt8] = []
    private var isSkipping = false
    private var endedWithReturn = false

    init(limit: Int = 64 << 10) { self.limit = limit }

    mutating func feed(_ buffer: UnsafeRawBufferPointer, _ line: ([UInt8]) -> Void) {
        guard let base = buffer.baseAddress else { return }
        func find(_ byte: Int32, from start: Int) -> Int {
            guard start < buffer.count, let hit = memchr(base + start, byte, buffer.count - start) else { return buffer.count }
            return UnsafeRawPointer(hit) - base
        }
        var start = 0
        // Each is searched again only after it was passed: linear even where one of the two never comes.
        var newline = find(10, from: 0)
        var carriageReturn = find(13, from: 0)
        while start < buffer.count {
            let end = min(newline, carriageReturn)
            let isSecondOfPair = endedWithReturn && end == start && end == newline
            if end > start { endedWithReturn = false }
            if !isSecondOfPair { take(buffer[start..<end], isComplete: end < buffer.count, line) }
            if end == buffer.count { return }
            endedWithReturn = end == carriageReturn
            start = end + 1
            if newline < start { newline = find(10, from: start) }
            if carriageReturn < start { carriageReturn = find(13, from: start) }
        }
    }

    /// What came after the last line end, if anything did.
    mutating func finish(_ line: ([UInt8]) -> Void) {
        if !carry.isEmpty, !isSkipping { line(carry) }
        carry = []
        isSkipping = false
    }

    private mutating func take(_ piece: Slice<UnsafeRawBufferPointer>, isComplete: Bool, _ line: ([UInt8]) -> Void) {
        if isSkipping {
            isSkipping = !isComplete
            return
        }
        carry.append(contentsOf: piece.prefix(limit - carry.count))
        if carry.count == limit {
            line(carry)
            carry.removeAll(keepingCapacity: true)
            isSkipping = !isComplete
        } else if isComplete {
            line(carry)
            carry.removeAll(keepingCapacity: true)
        }
    }
}
