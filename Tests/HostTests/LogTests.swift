import Glibc
import Host
import Logging
import Testing

/// What the two handlers are given in these tests.
private func logEverything(_ handler: any LogHandler) {
    var logger = Logger(label: "test") { _ in handler }
    logger[metadataKey: "job"] = "41"
    logger.info("stage done", metadata: ["message.id": "00112233445566778899aabbccddeeff", "stage": "separate", "some.key": "a b", "seconds": "3.25"])
    logger.warning("forged\n<0>fatal \u{1B}[31mred", metadata: ["name": "x\nPRIORITY=0\n_UID=0", "job": "42"])
    logger.debug("not shown")
}

@Suite(.timeLimit(.minutes(2))) struct LogTests {
    @Test func onStderrARecordIsOneLineThatNothingCanForge() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) { logEverything(StderrLogHandler()) }
        let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        let lines = output.split(separator: "\n").filter { $0.hasPrefix("info") || $0.hasPrefix("warning") }
        #expect(
            lines == [
                "info stage done job=41 seconds=3.25 some.key=\"a b\" stage=separate",
                "warning forged\\u{A}<0>fatal \\u{1B}[31mred job=42 name=\"x\\u{A}PRIORITY=0\\u{A}_UID=0\"",
            ])
        #expect(!output.contains("\u{1B}[31m") && !output.contains("not shown"))
    }

    @Test(.enabled(if: access("/run/systemd/journal/socket", F_OK) != 0, "this machine has a journal, which takes the record"))
    func withoutAJournalTheRecordGoesToStderr() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            logEverything(JournalLogHandler())
            precondition(JournalLogHandler.flush())
        }
        let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(output.contains("info stage done job=41 seconds=3.25 some.key=\"a b\" stage=separate\n"))
    }

    /// The library knows one path only, so a second run of this program sees our socket there: in a mount namespace of its own.
    @Test(.enabled(if: geteuid() == 0, "a private mount namespace needs root")) func theJournalGetsFieldsThatNothingCanForge() async throws {
        try await withFolder { folder in
            let socket = try ListeningSocket(path: folder.path + "/socket")
            let result = try await inJournalNamespace(folder, test: "insideTheNamespaceRecordsAreLogged")
            #expect(result.ending == .exited(0), "\(result.stderrTail)")
            let first = fields(try #require(socket.receive()))
            #expect(
                first == [
                    "MESSAGE": "stage done job=41 seconds=3.25 some.key=\"a b\" stage=separate", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "lyricd",
                    "MESSAGE_ID": "00112233445566778899aabbccddeeff", "LYRICD_JOB": "41", "LYRICD_STAGE": "separate", "LYRICD_SOME_KEY": "a b",
                    "LYRICD_SECONDS": "3.25",
                ])
            let second = fields(try #require(socket.receive()))
            #expect(
                second == [
                    "MESSAGE": "forged\\u{A}<0>fatal \\u{1B}[31mred job=42 name=\"x\\u{A}PRIORITY=0\\u{A}_UID=0\"", "PRIORITY": "4",
                    "SYSLOG_IDENTIFIER": "lyricd", "LYRICD_JOB": "42", "LYRICD_NAME": "x\nPRIORITY=0\n_UID=0",
                ])
            #expect(socket.receive() == nil)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "a private mount namespace needs root")) func aJournalThatDoesNotReadDoesNotHoldUpTheDaemon() async throws {
        try await withFolder { folder in
            // Bound and never read: the kernel's queue for it is full after a few records.
            let socket = try ListeningSocket(path: folder.path + "/socket")
            let result = try await inJournalNamespace(folder, test: "insideTheNamespaceAHungJournalCostsNoTime")
            #expect(result.ending == .exited(0), "\(result.stderrTail)")
            withExtendedLifetime(socket) {}
        }
    }

    @Test(.enabled(if: getenv("LYRICD_TEST_NAMESPACE") != nil, "runs inside the namespace another test makes"))
    func insideTheNamespaceRecordsAreLogged() {
        logEverything(JournalLogHandler())
        #expect(JournalLogHandler.flush())
    }

    @Test(.enabled(if: getenv("LYRICD_TEST_NAMESPACE") != nil, "runs inside the namespace another test makes"))
    func insideTheNamespaceAHungJournalCostsNoTime() {
        let logger = Logger(label: "test") { _ in JournalLogHandler() }
        let start = Clock.bootSeconds
        for number in 0..<10_000 { logger.info("stage done", metadata: ["job": "\(number)"]) }
        logger.error("last words")
        #expect(Clock.bootSeconds - start < 5)
        #expect(!JournalLogHandler.flush(within: .milliseconds(100)))
    }
}

private func inJournalNamespace(_ folder: Directory, test: String) async throws -> ChildResult {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let program = String(decoding: buffer[..<max(count, 0)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    let script = """
        mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind "$1" /run/systemd/journal || exit 90
        exec "$2" --testing-library swift-testing --filter "$3"
        """
    return try await ChildProcess.run(
        ChildCommand(
            executable: "unshare", arguments: ["-m", "/bin/sh", "-c", script, "sh", folder.path, program, test],
            environment: [
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LYRICD_TEST_NAMESPACE": "1",
                "LD_LIBRARY_PATH": getenv("LD_LIBRARY_PATH").map { String(cString: $0) } ?? "",
            ],
            workingDirectory: "/", owner: "host tests", timeLimit: .seconds(60)), onStandardOutput: { _ in })
}

/// Source: systemd's JOURNAL_NATIVE_PROTOCOL.md.
private func fields(_ datagram: [UInt8]) -> [String: String] {
    var fields: [String: String] = [:]
    var rest = datagram[...]
    while let newline = rest.firstIndex(of: 10) {
        let line = rest[..<newline]
        if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
            fields[String(decoding: line[..<equals], as: UTF8.self)] = String(decoding: line[(equals + 1)...], as: UTF8.self)
            rest = rest[(newline + 1)...]
        } else {
            let size = rest[(newline + 1)...].prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            let value = rest[(newline + 9)...].prefix(size)
            fields[String(decoding: line, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
            rest = rest[(value.endIndex + 1)...]
        }
    }
    return fields
}
