import Glibc
import Host
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite(.timeLimit(.minutes(2))) struct DirectoryTests {
    // MARK: Names and kinds

    @Test func anyNameLinuxAllowsIsListedReadAndRemoved() async throws {
        try await withFolder { folder in
            let names = [
                FileName("new\nline.mp3"), FileName([0xFF, 0xFE, 0x2E, 0x6D, 0x70, 0x33]), FileName("-rf"), FileName(" "), FileName("~"),
                FileName([UInt8](repeating: UInt8(ascii: "x"), count: 255)), FileName("日本語.flac"), FileName("\u{202E}"),
            ]
            for name in names { try folder.write(name, name.bytes) }
            #expect(Set(try folder.list()) == Set(names))
            for name in names { #expect(try folder.openFile(name).readAll(limit: 255) == name.bytes) }
            for name in names { try folder.remove(name) }
            #expect(try folder.list().isEmpty)
        }
    }

    @Test func aNameOf256BytesIsTooLong() async throws {
        try await withFolder { folder in
            let error = #expect(throws: SystemCallError.self) { try folder.write(FileName([UInt8](repeating: 120, count: 256)), []) }
            #expect(error?.errno == ENAMETOOLONG)
        }
    }

    @Test func linksAreSeenAndNotFollowed() async throws {
        try await withFolder { folder in
            try folder.write("target", bytes("secret"))
            try folder.makeDirectory("folder")
            symlink("target", folder.path + "/link")
            symlink("folder", folder.path + "/folder link")
            symlink("nowhere", folder.path + "/dangling")
            #expect(try folder.status(of: "link")?.kind == .symbolicLink)
            #expect(try folder.status(of: "dangling")?.kind == .symbolicLink)
            #expect(#expect(throws: SystemCallError.self) { try folder.openFile("link") }?.errno == ELOOP)
            #expect(#expect(throws: SystemCallError.self) { try folder.subdirectory("folder link") }?.errno == ENOTDIR)
            #expect(#expect(throws: SystemCallError.self) { try folder.write("dangling", []) }?.errno == EEXIST)
            #expect(try folder.status(of: "nowhere") == nil)
        }
    }

    @Test func openingAFIFOOrASocketNeverWaits() async throws {
        try await withFolder { folder in
            mkfifo(folder.path + "/fifo.mp3", 0o600)
            let socket = try ListeningSocket(path: folder.path + "/socket.mp3")
            let start = Clock.bootSeconds
            let fifo = try folder.openFile("fifo.mp3")
            #expect(try fifo.status().kind == .other)
            #expect(#expect(throws: SystemCallError.self) { try fifo.readAll(limit: 10) }?.errno == EINVAL)
            #expect(#expect(throws: SystemCallError.self) { try folder.copy(from: fifo, as: "copy") }?.errno == EINVAL)
            #expect(try folder.status(of: "socket.mp3")?.kind == .other)
            #expect(#expect(throws: SystemCallError.self) { try folder.openFile("socket.mp3") }?.errno == ENXIO)
            #expect(Clock.bootSeconds - start < 5)
            #expect(try folder.status(of: "copy") == nil)
            withExtendedLifetime(socket) {}
        }
    }

    @Test func aReplacedPathDoesNotMoveTheHolder() async throws {
        try await withFolder { folder in
            try folder.makeDirectory("inbox")
            let inbox = try folder.subdirectory("inbox")
            try folder.rename("inbox", to: folder, as: "elsewhere", replacing: false)
            try folder.makeDirectory("inbox")
            try inbox.write("song", [1])
            #expect(try folder.subdirectory("elsewhere").list() == ["song"])
            #expect(try folder.subdirectory("inbox").list().isEmpty)
        }
    }

    @Test func theErrorNamesTheCallThePathAndTheReason() async throws {
        try await withFolder { folder in
            let error = #expect(throws: SystemCallError.self) { try folder.openFile("no\nsong") }
            #expect(error?.description == "open \(folder.path)/no\\u{A}song: No such file or directory")
        }
    }

    @Test func missingParentsAreMade() async throws {
        try await withFolder { folder in
            let deep = try Directory.openOrCreate(folder.path + "/a/b//c/")
            try deep.write("file", [1])
            #expect(try folder.subdirectory("a").subdirectory("b").subdirectory("c").list() == ["file"])
            #expect(try Directory.openOrCreate(folder.path + "/a/b/c").list() == ["file"])
            try folder.write("plain", [])
            #expect(#expect(throws: SystemCallError.self) { try Directory.openOrCreate(folder.path + "/plain/x") }?.errno == ENOTDIR)
        }
    }

    @Test func anyChangeOfAFileChangesItsSignature() async throws {
        try await withFolder { folder in
            try folder.write("song", bytes("one"))
            let first = try #require(try folder.status(of: "song")).signature
            #expect(try folder.openFile("song").status().signature == first)
            try folder.replace("song", with: bytes("two"))
            let second = try #require(try folder.status(of: "song")).signature
            #expect(second != first)
            try folder.setMode(of: "song", to: 0o600)
            #expect(try folder.status(of: "song")?.signature != second)
            #expect(try folder.status(of: "song").map { $0.mode & 0o777 } == 0o600)
        }
    }

    // MARK: Renaming

    @Test(arguments: [nil, "renameat2:1+:EINVAL", "renameat2:1+:ENOSYS", "renameat2:1+:EINVAL,link:1+:EPERM"])
    func aTakenNameIsNeverReplaced(fault: String?) async throws {
        try await withFolder { folder in
            try folder.write("old", bytes("old"))
            try folder.write("new", bytes("new"))
            try folder.makeDirectory("old folder")
            try folder.makeDirectory("new folder")
            try folder.subdirectory("new folder").write("inside", [])
            try Fault.with(fault ?? "") {
                #expect(#expect(throws: SystemCallError.self) { try folder.rename("new", to: folder, as: "old", replacing: false) }?.errno == EEXIST)
                let error = #expect(throws: SystemCallError.self) { try folder.rename("new folder", to: folder, as: "old folder", replacing: false) }
                #expect(error?.errno == EEXIST)
                #expect(#expect(throws: SystemCallError.self) { try folder.rename("none", to: folder, as: "x", replacing: false) }?.errno == ENOENT)
                try folder.rename("new", to: folder, as: "fresh", replacing: false)
                try folder.rename("new folder", to: folder, as: "fresh folder", replacing: false)
            }
            #expect(try folder.openFile("old").readAll(limit: 9) == bytes("old"))
            #expect(try folder.openFile("fresh").readAll(limit: 9) == bytes("new"))
            #expect(try folder.subdirectory("fresh folder").list() == ["inside"])
            #expect(try folder.list().sorted() == ["fresh", "fresh folder", "old", "old folder"])
            try folder.rename("fresh", to: folder, as: "old", replacing: true)
            #expect(try folder.openFile("old").readAll(limit: 9) == bytes("new"))
        }
    }

    @Test func aLinkIsRenamedItself() async throws {
        try await withFolder { folder in
            symlink("/etc/passwd", folder.path + "/link")
            try Fault.with("renameat2:1+:EINVAL") { try folder.rename("link", to: folder, as: "moved", replacing: false) }
            #expect(try folder.status(of: "moved")?.kind == .symbolicLink)
            #expect(try folder.list() == ["moved"])
        }
    }

    @Test func anotherFileSystemIsNamedAsTheReason() async throws {
        try await withFolder { folder in
            let shared = try Directory.open("/dev/shm")
            try folder.write("file", [])
            guard try folder.status().device != shared.status().device else { return }
            #expect(#expect(throws: SystemCallError.self) { try folder.rename("file", to: shared, as: "lyricd-test-never", replacing: false) }?.errno == EXDEV)
            #expect(try folder.list() == ["file"])
        }
    }

    // MARK: Removing

    @Test func aTreeIsRemovedAndNothingBehindItsLinks() async throws {
        try await withFolder { folder in
            try folder.makeDirectory("outside")
            try folder.subdirectory("outside").write("precious", [])
            try folder.makeDirectory("tree")
            let tree = try folder.subdirectory("tree")
            symlink(folder.path + "/outside", tree.path + "/link")
            mkfifo(tree.path + "/fifo", 0o600)
            try tree.makeDirectory("a")
            try tree.subdirectory("a").write(FileName([0xFF]), [])
            try tree.subdirectory("a").makeDirectory("locked")
            try tree.subdirectory("a").subdirectory("locked").write("x", [])
            try tree.subdirectory("a").setMode(of: "locked", to: 0o500)
            try folder.removeTree("tree")
            try folder.removeTree("tree")
            #expect(try folder.list() == ["outside"])
            #expect(try folder.subdirectory("outside").list() == ["precious"])
            symlink("outside", folder.path + "/link")
            try folder.removeTree("link")
            #expect(try folder.subdirectory("outside").list() == ["precious"])
            #expect(try folder.list() == ["outside"])
        }
    }

    @Test func removingWhatIsNotThereSucceedsAndAFolderIsNoFile() async throws {
        try await withFolder { folder in
            try folder.remove("nothing")
            try folder.makeDirectory("folder")
            #expect(#expect(throws: SystemCallError.self) { try folder.remove("folder") }?.errno == EISDIR)
        }
    }

    // MARK: The machine

    @Test func fileSystemsAreToldApart() async throws {
        #expect(FileSystemKind(name: "ext4") == .local("ext4"))
        #expect(FileSystemKind(name: "fuse.sshfs") == .network("fuse.sshfs"))
        #expect(FileSystemKind(name: "nfs4") == .network("nfs4"))
        #expect(FileSystemKind(name: "overlay") == .unknown("overlay"))
        #expect(try Directory.open("/dev/shm").fileSystem() == .local("tmpfs"))
        #expect(try Directory.open("/proc").fileSystem() == .unknown("proc"))
    }

    @Test func freeBytesAreThoseOfTheFileSystem() async throws {
        let free = try Directory.open("/dev/shm").freeBytes()
        var status = statvfs()
        #expect(statvfs("/dev/shm", &status) == 0)
        let total = Int64(status.f_blocks) * Int64(status.f_frsize)
        #expect(free > 0 && free <= total)
    }
}
