/// The one place where the release is named; CHANGELOG.md has the same number at its top.
enum Version {
    static let current = "0.1.0"
}
