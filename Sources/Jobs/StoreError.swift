/// What went wrong with the store itself. A job's failure is never an error of this type.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// Written by a newer lyricd.
        case newerSchema
        /// The file is damaged, or no database.
        case corrupt
        /// The change leaves a state in which the job is not (any more): somebody else was faster.
        case conflict
        case notFound
        /// No space for the change; it was rolled back, and reading still works.
        case full
        /// Reading or writing failed below SQLite. The store must not be used any further in this process.
        case io
        case other
    }
    package let reason: Reason
    package let message: String

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    package var description: String { message }
}
