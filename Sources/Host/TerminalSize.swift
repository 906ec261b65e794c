import CLinux
import Glibc

/// How wide the terminal is that a descriptor leads to.
package enum TerminalSize {
    /// `nil` where it is no terminal, or one that does not know. Source: ioctl_tty(2), TIOCGWINSZ.
    package static func columns(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
