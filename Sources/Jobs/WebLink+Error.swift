/// A link that was refused, and why.
package struct WebLinkError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Cause: Equatable, Sendable {
        case empty
        case tooLong(bytes: Int)
        /// The character's number in Unicode.
        case controlCharacter(UInt32)
        case leadingDash
        /// No `http://` at the beginning, and nothing like it.
        case noScheme
        /// `file`, `javascript`, `smb` …
        case scheme(String)
        /// A name or password before the host.
        case userInfo
        case noHost
        /// What is wrong with it, as the end of a sentence.
        case badHost(String)
        case badPort(String)
    }

    package let cause: Cause
    /// The link as far as it may be shown; see `WebLink.shown`.
    package let shown: String

    init(_ cause: Cause, _ text: String) {
        self.cause = cause
        shown = WebLink.shown(text)
    }

    /// One sentence without a full stop: what is wrong.
    package var reason: String {
        switch cause {
        case .empty: "the link is empty"
        case .tooLong(let bytes): "the link has \(bytes) bytes, more than the \(WebLink.lengthMax) that are allowed"
        case .controlCharacter(let value): "the link contains a control character (number \(value))"
        case .leadingDash: "“\(shown)” begins with a dash, as an option of a program does"
        case .noScheme: "“\(shown)” is no link: it does not begin with http:// or https://"
        case .scheme(let scheme): "\(scheme): links are refused; only http and https are fetched"
        case .userInfo: "the link carries a user name or a password before the host"
        case .noHost: "the link names no host"
        case .badHost(let why): "the host of the link cannot be used: \(why)"
        case .badPort(let port): "“\(port)” is no port number"
        }
    }

    /// One sentence without a full stop: what the person can do.
    package var nextStep: String {
        switch cause {
        case .scheme("file"): "drop the recording itself into the inbox"
        case .userInfo: "drop a link that works without a login, or the recording itself"
        default: "copy the address from the browser's address bar and drop it again"
        }
    }

    package var description: String { "\(reason); \(nextStep)" }
}
