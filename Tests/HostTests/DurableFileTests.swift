import Glibc
import Host
import Testing

@Suite(.timeLimit(.minutes(2))) struct DurableFileTests {
    @Test(arguments: ["write", "fsync", "close"], ["EIO", "ENOSPC"]) func aFailedWriteLeavesNothing(step: String, reason: String) async throws {
        try await withFolder { folder in
            let descriptors = try ownDescriptors(below: folder.path)
            let error = #expect(throws: SystemCallError.self) {
                try Fault.with("\(step):1:\(reason)") { try folder.write("result.lrc", [1, 2, 3]) }
            }
            #expect(error?.isOutOfSpace == (reason == "ENOSPC"))
            #expect(try folder.list().isEmpty)
            #expect(try ownDescriptors(below: folder.path) == descriptors)
        }
    }

    @Test(arguments: ["write:2:ENOSPC", "write:3:EIO", "fsync:1:EIO", "close:1:EIO"]) func aCopyThatFailsHalfWayLeavesNothing(fault: String) async throws {
        try await withFolder { folder in
            try folder.write("song", [UInt8](repeating: 7, count: 3 << 20))
            let song = try folder.openFile("song")
            #expect(throws: SystemCallError.self) { try Fault.with(fault) { try folder.copy(from: song, as: "copy") } }
            #expect(try folder.list() == ["song"])
            let digest = try folder.copy(from: song, as: "copy")
            #expect(digest == (try song.digest()))
            #expect(try folder.openFile("copy").readAll(limit: 4 << 20) == [UInt8](repeating: 7, count: 3 << 20))
        }
    }

    @Test(arguments: ["write:1", "fsync:1", "close:1", "rename:1"]) func aFailedReplacementLeavesTheOldContents(step: String) async throws {
        try await withFolder { folder in
            let name = FileName([UInt8](repeating: UInt8(ascii: "n"), count: 255))
            try folder.write(name, [1])
            #expect(throws: SystemCallError.self) { try Fault.with("\(step):EIO") { try folder.replace(name, with: [2, 2]) } }
            #expect(try folder.list() == [name])
            #expect(try folder.openFile(name).readAll(limit: 9) == [1])
            try folder.replace(name, with: [2, 2])
            try folder.replace(name, with: [3, 3, 3], durable: false)
            #expect(try folder.list() == [name])
            #expect(try folder.openFile(name).readAll(limit: 9) == [3, 3, 3])
        }
    }

    @Test func aFaultStrikesAtItsCallAndStickyOnesFromThenOn() async throws {
        try await withFolder { folder in
            try Fault.with("fsync:2:EIO") {
                try folder.write("a", [])
                #expect(throws: SystemCallError.self) { try folder.write("b", []) }
                try folder.write("c", [])
            }
            try Fault.with("fsync:2+:EIO") {
                try folder.write("d", [])
                #expect(throws: SystemCallError.self) { try folder.write("e", []) }
                #expect(throws: SystemCallError.self) { try folder.sync() }
            }
            #expect(try folder.list().sorted() == ["a", "c", "d"])
        }
    }

    @Test func aFaultFromTheEnvironmentKillsTheProcess() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) {
            setenv("LYRICD_FAULT", "claim.commit:2", 1)
            try Fault.point("claim.commit")
            Fault.crash("other")
            Fault.crash("claim.commit")
        }
        await #expect(processExitsWith: .exitCode(70)) {
            setenv("LYRICD_FAULT", "other,claim.commit:1:exit", 1)
            Fault.crash("claim.commit")
        }
    }

    @Test func anExistingFileIsNotOverwritten() async throws {
        try await withFolder { folder in
            try folder.write("a", [1])
            #expect(#expect(throws: SystemCallError.self) { try folder.write("a", [2]) }?.errno == EEXIST)
            #expect(#expect(throws: SystemCallError.self) { try folder.copy(from: try folder.openFile("a"), as: "a") }?.errno == EEXIST)
            #expect(try folder.openFile("a").readAll(limit: 9) == [1])
        }
    }

    @Test func moreThanTheLimitIsRefused() async throws {
        try await withFolder { folder in
            try folder.write("a", [UInt8](repeating: 1, count: 1000))
            let file = try folder.openFile("a")
            #expect(#expect(throws: SystemCallError.self) { try file.readAll(limit: 999) }?.errno == EFBIG)
            #expect(try file.readAll(limit: 1000).count == 1000)
            #expect(#expect(throws: SystemCallError.self) { try folder.copy(from: file, as: "b", limit: 999) }?.errno == EFBIG)
            #expect(try folder.list() == ["a"])
        }
    }

    @Test func theDigestIsSHA256() async throws {
        // FIPS 180-2, appendix B.
        #expect(FileDigest(of: Array("abc".utf8)).sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        try await withFolder { folder in
            try folder.write("million", [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
            let digest = try folder.openFile("million").digest()
            #expect(digest == FileDigest(sha256: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", bytes: 1_000_000))
        }
    }

    @Test func aWriterIsNoticedWhileItHasTheFileOpen() async throws {
        try await withFolder { folder in
            try folder.write("song", [1])
            let file = try folder.openFile("song")
            try #require(file.isOpenForWriting() == false)
            let writer = open(folder.path + "/song", O_WRONLY | O_CLOEXEC)
            #expect(file.isOpenForWriting() == true)
            close(writer)
            // A process forked by another test may hold the writer's descriptor for the moment until it execs.
            try await eventually("quiet file") { file.isOpenForWriting() == false }
        }
    }

    @Test func holesAreSeen() async throws {
        try await withFolder { folder in
            try folder.write("full", [UInt8](repeating: 1, count: 100_000))
            let descriptor = open(folder.path + "/preallocated", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            ftruncate(descriptor, 10 << 20)
            close(descriptor)
            try folder.write("empty", [])
            #expect(try !folder.openFile("full").hasHoles())
            #expect(try folder.openFile("preallocated").hasHoles())
            #expect(try !folder.openFile("empty").hasHoles())
        }
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a small file system needs root")) func aFullDiskLeavesNothingHalf() async throws {
        try await withFolder { folder in
            try folder.makeDirectory("small")
            let mounted = try await ChildProcess.run(
                ChildCommand(
                    executable: "mount", arguments: ["-t", "tmpfs", "-o", "size=1m", "none", folder.path + "/small"], workingDirectory: "/",
                    owner: "host tests"), onStandardOutput: { _ in })
            try #require(mounted.ending == .exited(0), "\(mounted.stderrTail)")
            defer { umount2(folder.path + "/small") }
            do {
                let small = try folder.subdirectory("small")
                try folder.write("song", [UInt8](repeating: 9, count: 2 << 20))
                let song = try folder.openFile("song")
                #expect(#expect(throws: SystemCallError.self) { try small.copy(from: song, as: "copy") }?.isOutOfSpace == true)
                #expect(#expect(throws: SystemCallError.self) { try small.write("written", [UInt8](repeating: 9, count: 2 << 20)) }?.isOutOfSpace == true)
                try small.write("state", [1])
                #expect(
                    #expect(throws: SystemCallError.self) { try small.replace("state", with: [UInt8](repeating: 9, count: 2 << 20)) }?.isOutOfSpace == true)
                #expect(try small.list() == ["state"])
                #expect(try small.openFile("state").readAll(limit: 9) == [1])
                #expect(try small.freeBytes() > 900_000)
            }
        }
    }
}

/// Descriptors of this process that lead below a path; other tests have their own.
private func ownDescriptors(below path: String) throws -> Int {
    try Directory.open("/proc/self/fd").list().count { name in
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/fd/\(name.display)", &buffer, buffer.count)
        return count > 0 && String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self).hasPrefix(path)
    }
}

private func umount2(_ path: String) {
    // Not in Glibc's module as Swift sees it.
    let command = "umount -l '\(path)'"
    _ = command.withCString { system($0) }
}
