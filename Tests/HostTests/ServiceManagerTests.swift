import Glibc
import Host
import Testing

// The environment belongs to the whole process, so each of these sets it in a process of its own.
@Suite(.timeLimit(.minutes(2))) struct ServiceManagerTests {
    @Test(arguments: ["folder", "abstract"]) func notificationsReachTheManagersSocket(kind: String) async throws {
        try await withFolder { folder in
            let address = kind == "folder" ? folder.path + "/notify" : "@lyricd-test-\(UInt64.random(in: .min ... .max))"
            let socket = try ListeningSocket(path: address)
            await #expect(processExitsWith: .success) { [address = address as String] in
                setenv("NOTIFY_SOCKET", address, 1)
                precondition(ServiceManager.isActive)
                precondition(ServiceManager.notify("READY=1", "STATUS=two\nREADY=0 lines"))
                precondition(ServiceManager.notify("WATCHDOG=1"))
            }
            #expect(socket.receive() == Array("READY=1\nSTATUS=two READY=0 lines".utf8))
            #expect(socket.receive() == Array("WATCHDOG=1".utf8))
            #expect(socket.receive() == nil)
        }
    }

    @Test func outsideAServiceNothingIsSentAndNothingFails() async {
        await #expect(processExitsWith: .success) {
            for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "INVOCATION_ID", "JOURNAL_STREAM"] { unsetenv(name) }
            precondition(!ServiceManager.isActive)
            precondition(!ServiceManager.notify("READY=1"))
            precondition(ServiceManager.watchdogInterval == nil)
            precondition(ServiceManager.invocationID == nil)
            precondition(!ServiceManager.journalStreamIsStderr)
        }
    }

    @Test func aSocketNobodyReadsFromIsNoFailureOfOurs() async {
        await #expect(processExitsWith: .success) {
            setenv("NOTIFY_SOCKET", "/no/such/socket", 1)
            precondition(!ServiceManager.notify("READY=1"))
        }
    }

    @Test func whatSystemdTellsUsIsRead() async {
        await #expect(processExitsWith: .success) {
            setenv("WATCHDOG_USEC", "30000000", 1)
            setenv("WATCHDOG_PID", "\(getpid())", 1)
            setenv("INVOCATION_ID", "00112233445566778899aabbccddeeff", 1)
            precondition(ServiceManager.watchdogInterval == .seconds(30))
            precondition(ServiceManager.invocationID == "00112233445566778899aabbccddeeff")
            setenv("WATCHDOG_PID", "1", 1)
            precondition(ServiceManager.watchdogInterval == nil)
            var status = stat()
            precondition(fstat(2, &status) == 0)
            setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino)", 1)
            precondition(ServiceManager.journalStreamIsStderr)
            setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino + 1)", 1)
            precondition(!ServiceManager.journalStreamIsStderr)
        }
    }
}
