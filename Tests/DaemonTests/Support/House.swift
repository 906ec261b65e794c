import Foundation
import Glibc
import Host
import Jobs
import Synchronization
import Testing
import TestSupport

/// An installation of lyricd in a folder of the test's own: its folders, its configuration, its daemons, and the judge that is
/// asked at the end whether the promises held.
final class House: Sendable {
    let root: String
    private let settings: [String: String]
    private let processes = Mutex<[DaemonProcess]>([])

    /// The package's folder: this file is in `Tests/DaemonTests/Support`.
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    static let fixtures = package + "/Tests/Fixtures"
    /// Where `engines/install` has put the Python engines for the tests.
    static let engines = ProcessInfo.processInfo.environment["LYRICD_TEST_ENGINES"] ?? package + "/.build/engines"
    static var hasEngines: Bool { FileManager.default.fileExists(atPath: engines + "/pocketsphinx/bin/python") }
    static let engineHint: Comment = "needs the Python engines: run engines/install .build/engines, or name their folder in LYRICD_TEST_ENGINES"

    var inbox: String { root + "/inbox" }
    var outbox: String { folder("outbox") }
    var archive: String { root + "/archive" }
    var failed: String { root + "/failed" }
    var state: String { folder("state") }
    var configuration: String { root + "/lyricd.toml" }
    var log: String { root + "/log" }

    private func folder(_ name: String) -> String { settings["folders.\(name)"].map { String($0.dropFirst().dropLast()) } ?? "\(root)/\(name)" }

    private init(root: String, settings: [String: String]) throws {
        self.root = root
        self.settings = settings
        try FileManager.default.createDirectory(atPath: inbox, withIntermediateDirectories: true)
        try configure()
    }

    /// What the daemon is told: short times, and what the test asks for.
    func configure(_ changes: [String: String] = [:]) throws {
        var all: [String: String] = [
            "folders.engines": "\"\(Self.engines)\"", "folders.runtime": "\"\(root)/run\"",
            "inbox.settle": "\"60ms\"", "inbox.settle_moved": "\"40ms\"", "inbox.settle_link": "\"40ms\"",
            "inbox.settle_suspect": "\"60ms\"", "inbox.settle_empty": "\"200ms\"",
            "retry.delay": "\"20ms\"", "retry.delay_max": "\"100ms\"", "limits.free_space": "\"1M\"",
        ]
        for name in ["inbox", "outbox", "archive", "failed", "state"] { all["folders.\(name)"] = "\"\(root)/\(name)\"" }
        all.merge(settings) { $1 }
        all.merge(changes) { $1 }
        let text = all.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined()
        try Data(text.utf8).write(to: URL(fileURLWithPath: configuration))
    }

    /// - Parameters:
    ///   - settings: keys of the configuration with their values as TOML.
    ///   - isFinished: whether the judge expects a verdict for everything.
    static func with(
        _ settings: [String: String] = [:], isFinished: Bool = true, _ body: (House) async throws -> Void
    ) async throws {
        // The judge and the last stop are part of what takes a place.
        await Places.shared.take()
        do {
            try await inPlace(settings, isFinished: isFinished, body)
            await Places.shared.give()
        } catch {
            await Places.shared.give()
            throw error
        }
    }

    private static func inPlace(_ settings: [String: String], isFinished: Bool, _ body: (House) async throws -> Void) async throws {
        try await withTemporaryFolder { root in
            let house = try House(root: root, settings: settings.mapValues { $0.replacingOccurrences(of: "ROOT", with: root) })
            do {
                try await body(house)
                let last = house.processes.withLock { $0.last }
                if let last, last.isRunning { #expect(try await last.stop() == .exited(0), "\(last.log.suffix(2000))") }
                try await house.check(isFinished: isFinished)
            } catch {
                house.end()
                throw error
            }
            house.end()
        }
    }

    private func end() {
        for process in processes.withLock({ $0 }) { process.end() }
        _ = ChildSweep.killAll(owner: state)
    }

    // MARK: - The daemon

    private func environment(_ more: [String: String]) -> [String: String] {
        ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": root, "LYRICD_ALLOW_PRIVATE_ADDRESSES": "1"].merging(more) { $1 }.filter { !$0.value.isEmpty }
    }

    /// Starts a daemon and does not wait for it.
    ///
    /// - Parameters:
    ///   - fault: as `LYRICD_FAULT` takes it.
    ///   - environment: an empty value takes a variable away.
    func launch(fault: String = "", environment: [String: String] = [:]) throws -> DaemonProcess {
        let process = try DaemonProcess(
            ["serve", "--config", configuration], environment: self.environment(["LYRICD_FAULT": fault].merging(environment) { $1 }), log: log)
        processes.withLock { $0.append(process) }
        return process
    }

    /// Starts a daemon and waits until it says that it is up.
    @discardableResult
    func start(environment: [String: String] = [:]) async throws -> DaemonProcess {
        let before = (try? String(contentsOfFile: log, encoding: .utf8))?.components(separatedBy: "lyricd is up").count ?? 1
        let daemon = try launch(environment: environment)
        try await waitUntil("the daemon to be up; it said: \(daemon.log)") {
            try #require(daemon.isRunning, "the daemon ended: \(daemon.log)")
            return daemon.log.components(separatedBy: "lyricd is up").count > before ? true : nil
        }
        return daemon
    }

    /// Stops the daemon in good order and starts the next one.
    func restart() async throws -> DaemonProcess {
        if let last = processes.withLock({ $0.last }), last.isRunning { #expect(try await last.stop() == .exited(0)) }
        return try await start()
    }

    /// Runs one command to its end.
    @discardableResult
    func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> (ending: DaemonProcess.Ending, text: String) {
        let log = root + "/cli-\(UUID().uuidString)"
        var arguments = arguments
        arguments += ["--config", configuration]
        let process = try DaemonProcess(arguments, environment: self.environment(environment), log: log)
        defer { process.end() }
        let ending = try await process.ending(within: 60)
        return (ending, process.log)
    }

    // MARK: - Drops

    /// As a person's file manager would: written under another name, then renamed.
    func drop(_ bytes: [UInt8], as name: String) throws {
        let path = inbox + "/" + name
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let temporary = folder + "/.drop-\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: temporary))
        try #require(rename(temporary, path) == 0)
    }

    func drop(_ text: String, as name: String) throws { try drop(Array(text.utf8), as: name) }
    func drop(file: String, as name: String) throws { try drop(Array(try Data(contentsOf: URL(fileURLWithPath: file))), as: name) }
    func drop(link: String, as name: String) throws { try drop("[InternetShortcut]\r\nURL=\(link)\r\n", as: name) }

    // MARK: - What is there

    /// Opened anew for each question: a test may have moved the database away.
    func jobs() throws -> [Job] { try JobStore(readingOnly: state + "/jobs.db").jobs() }
    func job(_ title: String) throws -> Job? { try jobs().last { $0.title == title } }
    func read<Value>(_ body: (JobStore) throws -> Value) throws -> Value { try body(try JobStore(readingOnly: state + "/jobs.db")) }

    /// Waits until so many jobs have their verdict, and their sources are put away.
    @discardableResult
    func finish(_ count: Int, seconds: Double = 90) async throws -> [Job] {
        let deadline = Clock.bootSeconds + seconds
        while true {
            if let store = try? JobStore(readingOnly: state + "/jobs.db"), let jobs = try? store.jobs(), jobs.count >= count,
                jobs.allSatisfy({ $0.state.isFinished }),
                jobs.allSatisfy({ $0.state == .held || (try? store.drop($0.drop)).map { ![.present, .disposing].contains($0.disposal) } ?? false })
            {
                return jobs
            }
            if Clock.bootSeconds > deadline {
                let seen = ((try? jobs()) ?? []).map { "\($0.id) \($0.title) \($0.state.rawValue) \($0.stage.rawValue) \($0.reason)" }
                throw Late("waited \(seconds) s for \(count) jobs to end; there are \(seen); the log: \(log(last: 3000))")
            }
            try await Task.sleep(for: .milliseconds(80))
        }
    }

    /// Waits for a job to be in a place.
    @discardableResult
    func wait(for what: String, seconds: Double = 60, _ isThere: (Job) -> Bool) async throws -> Job {
        do {
            return try await waitUntil("a job that is \(what)", seconds: seconds) { (try? self.jobs())?.first(where: isThere) }
        } catch { throw Late("\(error); the log: \(log(last: 2000))") }
    }

    func log(last count: Int = 100_000) -> String { String(((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").suffix(count)) }

    /// What the daemon says of the moment; empty while none runs.
    var status: String { (try? text(root + "/run/status.json")) ?? "" }

    func names(in folder: String) -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }
    func text(_ path: String) throws -> String { String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self) }

    /// Processes that carry this installation's mark.
    var engineProcesses: [String] {
        let mark = Array("LYRICD_OWNER=\(state)".utf8)
        return names(in: "/proc").filter { name in
            guard Int(name) != nil, let data = FileManager.default.contents(atPath: "/proc/\(name)/environ") else { return false }
            return data.split(separator: 0).contains { $0.elementsEqual(mark) }
        }
    }

    // MARK: - The judge

    /// Asks `Tests/Fixtures/checker.py`, which shares no code with lyricd, whether the promises P1 to P6 hold.
    func check(isFinished: Bool = true) async throws {
        guard FileManager.default.fileExists(atPath: state + "/jobs.db") else { return }
        let report = try await Self.tool("/usr/bin/python3", ["-I", Self.fixtures + "/checker.py", configuration] + (isFinished ? [] : ["--unfinished"]))
        #expect(report.status == 0, "\(report.text)\nthe log:\n\(log(last: 3000))")
    }

    /// Runs a program of the machine to its end.
    static func tool(_ program: String, _ arguments: [String]) async throws -> (status: Int32, text: String) {
        let output = Mutex<[UInt8]>([])
        let result = try await ChildProcess.run(
            ChildCommand(
                executable: program, arguments: arguments, environment: ["PATH": "/usr/local/bin:/usr/bin:/bin:/sbin:/usr/sbin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"],
                workingDirectory: "/tmp", owner: "lyricd-tests-\(getpid())", timeLimit: .seconds(120)),
            onStandardOutput: { line in output.withLock { $0 += line + [10] } })
        let text = String(decoding: output.withLock { $0 }, as: UTF8.self) + result.stderrTail
        guard case .exited(let status) = result.ending else { return (-1, text) }
        return (status, text)
    }
}

/// What was waited for did not happen in time.
struct Late: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
