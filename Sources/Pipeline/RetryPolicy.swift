import Jobs
import Stages

/// From the class of a failure to what happens next.
package struct RetryPolicy: Sendable, Equatable {
    /// Attempts at one stage that count, before a transient failure becomes final.
    package var attempts = 5
    /// Seconds before the second attempt; doubled for each further one, give or take a fifth.
    package var delay = 30.0
    /// Seconds; the longest wait between two attempts.
    package var delayMax = 6 * 3600.0
    /// The daemon may die so often under one job before the job is held.
    package var crashLimit = 2

    package init() {}

    /// Seconds between two looks at a full disk: the job is not to blame.
    var spaceDelay: Double { min(15, delayMax) }
    /// Seconds, where the server names none. YouTube says "for up to an hour". Source: yt-dlp,
    /// yt_dlp/extractor/youtube/_video.py.
    static let rateLimitDelay = 65 * 60.0

    /// - Parameters:
    ///   - attempts: attempts at this stage that count, this one included.
    ///   - now: Unix seconds.
    ///   - jitter: 0…1, from a generator of the caller's.
    func verdict(
        for error: StageError, failure: FailureClass, attempts done: Int, now: Double, jitter: Double
    ) -> JobStore.FailureVerdict {
        func after(_ seconds: Double) -> Double { now + max(seconds * (0.8 + 0.4 * jitter), min(error.retryAfter ?? 0, delayMax)) }
        let backoff = min(delayMax, delay * Double(1 << min(max(done - 1, 0), 20)))
        switch failure {
        case .transient:
            // A text nobody has met yet is tried again, but not for long.
            let cap = error.reason == .failed(.transient) ? attempts : min(3, attempts)
            return done < cap ? .retry(notBefore: after(backoff), isCounted: true) : .fail
        case .rateLimited:
            // The server decides when; the job is not to blame, however often it says so.
            let wait = error.retryAfter.map { min($0, delayMax) } ?? Self.rateLimitDelay
            return .retry(notBefore: now + wait * (1 + 0.2 * jitter), isCounted: false)
        case .timeout: return done < 2 ? .retry(notBefore: after(delay), isCounted: true) : .hold
        case .needsAuth, .environment, .outOfMemory, .ours: return .hold
        case .permanent, .badMedia, .policy: return .fail
        }
    }
}
