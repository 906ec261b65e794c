/// What kind of thing went wrong. The class alone decides between retry, hold and failure.
package enum FailureClass: String, Codable, Sendable, CaseIterable {
    /// The network or a server, for now: tried again with growing delays.
    case transient
    /// A server asked us to slow down: the whole domain waits, the attempt does not count.
    case rateLimited = "rate-limited"
    /// Cookies or a login are needed: held for a person.
    case needsAuth = "needs-auth"
    /// It will never work: private, removed, unsupported.
    case permanent
    /// Something of this machine is missing or broken: held, not the job's fault.
    case environment
    /// The engine needed more memory than it was given.
    case outOfMemory = "out-of-memory"
    /// It took longer than it may, or stood still.
    case timeout
    /// The recording cannot be read or holds no audio.
    case badMedia = "bad-media"
    /// Refused by a rule of this installation: scheme, address, size, duration.
    case policy
    /// A mistake in lyricd.
    case ours
}
