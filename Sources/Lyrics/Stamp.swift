/// Times as the formats write them. Seconds are rounded once, to a whole number of the format's units, and everything after
/// that is integers: so `59.996` becomes `01:00.00`, never `00:60.00`, and a later time never rounds to an earlier stamp.
enum Stamp {
    static func centiseconds(_ seconds: Double) -> Int { Int((seconds * 100).rounded()) }
    static func milliseconds(_ seconds: Double) -> Int { Int((seconds * 1000).rounded()) }

    /// `mm:ss.cc`, always two digits after the point, minutes past 99 with three.
    ///
    /// Jellyfin's reader takes the fraction for hundredths whatever its length, and knows no hours. Source: karaoke-dev/LrcParser.
    static func lrc(centiseconds: Int) -> String {
        "\(padded(centiseconds / 6000)):\(padded(centiseconds / 100 % 60)).\(padded(centiseconds % 100))"
    }

    /// `hh:mm:ss,mmm`, or with a point for WebVTT.
    static func subtitle(milliseconds: Int, point: Character) -> String {
        clock(seconds: milliseconds / 1000) + String(point) + padded(milliseconds % 1000, to: 3)
    }

    /// `mm:ss`, from an hour on `hh:mm:ss`: what players accept as `[length:]`. Source: Jellyfin, LrcLyricParser.cs.
    static func length(seconds: Int) -> String {
        seconds < 3600 ? "\(padded(seconds / 60)):\(padded(seconds % 60))" : clock(seconds: seconds)
    }

    /// Seconds with at most three decimals, no exponent.
    static func decimal(milliseconds: Int) -> String {
        let fraction = milliseconds % 1000
        guard fraction != 0 else { return "\(milliseconds / 1000)" }
        var digits = padded(fraction, to: 3)
        while digits.last == "0" { digits.removeLast() }
        return "\(milliseconds / 1000).\(digits)"
    }

    private static func clock(seconds: Int) -> String {
        "\(padded(seconds / 3600)):\(padded(seconds / 60 % 60)):\(padded(seconds % 60))"
    }

    private static func padded(_ number: Int, to count: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
}
