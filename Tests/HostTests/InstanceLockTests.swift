import Glibc
import Host
import Testing

@Suite struct InstanceLockTests {
    @Test func theSecondHolderIsToldTheFirstOnesPid() async throws {
        try await withFolder { folder in
            let path = folder.path + "/lock"
            var lock: InstanceLock? = try InstanceLock.acquire(path)
            let error = #expect(throws: InstanceLockError.self) { try InstanceLock.acquire(path) }
            #expect(error == .held(pid: getpid()))
            #expect(error?.description.contains("process \(getpid())") == true)
            withExtendedLifetime(lock) {}
            lock = nil
            // A child that another test is just starting has our descriptors for the moment until it execs.
            try await eventually("the lock to be free") { (try? InstanceLock.acquire(path)) != nil }
        }
    }

    @Test func aProcessThatDiedHoldsNothing() async throws {
        try await withFolder { folder in
            let path = folder.path + "/lock"
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let lock = try InstanceLock.acquire(path)
                kill(getpid(), SIGKILL)
                withExtendedLifetime(lock) {}
            }
            let lock = try InstanceLock.acquire(path)
            #expect(try text(of: path) == "\(getpid())\n")
            withExtendedLifetime(lock) {}
        }
    }

    @Test func aFolderThatIsNotThereIsNamed() {
        #expect(throws: InstanceLockError.failed(SystemCallError(call: "open", errno: ENOENT, subject: "/no/such/folder/lock"))) {
            try InstanceLock.acquire("/no/such/folder/lock")
        }
    }
}
