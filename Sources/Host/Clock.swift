import Glibc

/// Clocks that nobody sets. Quiet times and limits are measured on these, never on the time of day.
package enum Clock {
    /// Seconds since the machine started, time asleep included. Source: clock_gettime(2), CLOCK_BOOTTIME.
    package static var bootSeconds: Double { read(CLOCK_BOOTTIME) }

    /// Seconds since the machine started, without the time it was asleep. Source: clock_gettime(2), CLOCK_MONOTONIC.
    package static var awakeSeconds: Double { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension Duration {
    /// The whole of it in seconds.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
