import Foundation
import Testing

/// The module table in CONTRIBUTING.md against the import lines of the code.
@Suite struct ModuleTests {
    /// Free for every module.
    private static let free: Set<String> = ["Glibc", "Foundation", "FoundationEssentials", "Dispatch", "Synchronization"]

    private struct Row {
        var target: String
        var ours: Set<String>
        var outside: Set<String>
    }

    private static func table() throws -> [Row] {
        try Checkout.text("CONTRIBUTING.md").split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 6, cells[1].hasPrefix("`") else { return nil }
            func names(_ cell: String) -> Set<String> { Set(cell.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }) }
            return Row(target: cells[1].trimmingCharacters(in: ["`"]), ours: names(cells[3]), outside: names(cells[4]))
        }
    }

    private static let words: Set<String> = ["package", "public", "private", "internal", "fileprivate"]
    private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "typealias"]

    /// By module, the files of the target that import it.
    private static func imports(of target: String) throws -> [String: [String]] {
        var result: [String: [String]] = [:]
        for file in try Checkout.files(below: "Sources/\(target)", ending: ".swift") {
            for line in try Checkout.text(file).utf8.split(separator: UInt8(ascii: "\n")) where line.count < 120 {
                let parts = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
                    .drop { $0.hasPrefix("@") || words.contains($0) }
                guard parts.first == "import", let name = parts.dropFirst().drop(while: { kinds.contains($0) }).first else { continue }
                result[String(name.prefix { $0 != "." }), default: []].append(file)
            }
        }
        return result
    }

    @Test func everyTargetHasARow() throws {
        let targets = try Set(Checkout.files(below: "Sources").map { String($0.split(separator: "/")[1]) })
        #expect(try Set(Self.table().map(\.target)) == targets)
    }

    @Test func everyImportIsInTheTable() throws {
        for row in try Self.table() {
            for (module, files) in try Self.imports(of: row.target) where !Self.free.contains(module) {
                #expect(row.ours.union(row.outside).contains(module), "\(files[0]) imports \(module); the row of \(row.target) in CONTRIBUTING.md does not")
            }
        }
    }

    @Test func theTablePromisesNoImportThatIsNotThere() throws {
        for row in try Self.table() {
            let unused = row.ours.union(row.outside).subtracting(try Self.imports(of: row.target).keys)
            #expect(unused.isEmpty, "nothing in \(row.target) imports \(unused.sorted())")
        }
    }

    @Test func aModuleImportsOnlyWhatStandsAboveItInTheTable() throws {
        var above: Set<String> = []
        for row in try Self.table() {
            #expect(row.ours.isSubset(of: above), "\(row.target) imports \(row.ours.subtracting(above).sorted()), which stands below it")
            above.insert(row.target)
        }
    }

    @Test(arguments: [("GRDB", "Jobs"), ("TOMLKit", "lyricd"), ("CSystemd", "Host"), ("CLinux", "Host"), ("Subprocess", "Host")])
    func hasOneUser(module: String, user: String) throws {
        for row in try Self.table() where row.target != user {
            #expect(try Self.imports(of: row.target)[module] == nil, "\(row.target) imports \(module), which only \(user) may")
        }
    }

    @Test func noTestReachesBehindTheAccessOfItsModule() throws {
        let attribute = "@" + "testable"
        for file in try Checkout.files(below: "Tests", ending: ".swift") {
            let isUsed = try Checkout.text(file).contains(attribute)
            #expect(!isUsed, "\(file) uses \(attribute)")
        }
    }
}
