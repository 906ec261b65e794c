/// Reads what ffmpeg writes with `-progress pipe:1`: blocks of `key=value` lines.
struct FFmpegProgress {
    /// Seconds written so far. `out_time_us` and, despite its name, `out_time_ms` are both microseconds.
    private(set) var seconds = 0.0
    private(set) var isComplete = false

    mutating func take(_ line: [UInt8]) {
        let text = String(decoding: line, as: UTF8.self)
        if let value = text.dropPrefix("out_time_us="), let microseconds = Double(value), microseconds.isFinite, microseconds > 0 {
            seconds = max(seconds, microseconds / 1e6)
        } else if text == "progress=end" {
            isComplete = true
        }
    }
}

extension StringProtocol {
    func dropPrefix(_ prefix: String) -> SubSequence? {
        starts(with: prefix) ? dropFirst(prefix.count) : nil
    }
}
