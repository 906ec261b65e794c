/// Everything that is wrong with a configuration, not only the first thing.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    package struct Problem: Equatable, Sendable, CustomStringConvertible {
        /// The file as it was named, or the environment's variable.
        package let place: String
        /// From 1; `nil` where the problem has no line.
        package let line: Int?
        /// From 1, in characters; `nil` where the line says enough.
        package let column: Int?
        /// What is wrong, and what was expected.
        package let text: String

        init(_ place: String, line: Int? = nil, column: Int? = nil, _ text: String) {
            self.place = place
            self.line = line
            self.column = column
            self.text = text
        }

        package var description: String {
            place + (line.map { ":\($0)" } ?? "") + (column.map { ":\($0)" } ?? "") + ": " + text
        }
    }

    /// In the order of the file; the environment's last.
    package let problems: [Problem]

    /// One line for each problem, such as
    /// `etc/lyricd.toml:12: inbox.settle = "5 parsecs": expected a duration such as "5s", "2min", "1h"`.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
