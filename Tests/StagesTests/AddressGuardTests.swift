import Jobs
import Stages
import Testing

@Suite struct AddressGuardTests {
    /// What a person, or somebody else, may write to reach this machine or the local network.
    @Test(arguments: [
        "http://127.0.0.1/", "http://localhost/song.mp3", "http://LOCALHOST:8080/", "http://2130706433/", "http://0177.1/",
        "http://0x7f000001/",
        "http://127.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::]/", "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://172.16.0.1/", "http://192.168.1.1/admin", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/",
        "http://[fe80::1]/",
        "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://224.0.0.1/", "http://255.255.255.255/",
        "http://①②⑦.⓪.⓪.①/", "http://ｌｏｃａｌｈｏｓｔ/",
    ])
    func aLinkIntoTheHouseIsRefused(url: String) async {
        await #expect(throws: AddressGuard.Refusal.self) { try await AddressGuard().check(url) }
    }

    @Test(arguments: [
        "file:///etc/passwd", "javascript:alert(1)", "--exec=id", "http://user:secret@example.com/", "ftp://example.com/a.mp3", "http://",
        "",
    ])
    func whatIsNoLinkToTheWebIsRefusedUnresolved(url: String) async throws {
        let nobody = AddressGuard { _ in
            Issue.record("a refused link must not be resolved")
            return .success([])
        }
        await #expect(throws: AddressGuard.Refusal.self) { try await nobody.check(url) }
    }

    @Test func aNameIsRefusedIfOneOfItsAddressesIsPrivate() async {
        let mixed = AddressGuard { _ in .success([NetworkAddress([93, 184, 216, 34]), NetworkAddress([192, 168, 0, 1])]) }
        await #expect(throws: AddressGuard.Refusal.privateAddress(host: "example.com", address: "192.168.0.1")) {
            try await mixed.check("https://example.com/song.mp3")
        }
    }

    @Test func aNameWithPublicAddressesPasses() async throws {
        let outside = AddressGuard { _ in .success([NetworkAddress([93, 184, 216, 34])]) }
        #expect(try await outside.check("https://example.com/song.mp3").host == "example.com")
    }

    @Test func aNameWithoutAnAddressMayHaveOneLater() async {
        await #expect(throws: AddressGuard.Refusal.self) { try await AddressGuard().check("http://name.invalid/") }
        let silent = AddressGuard { _ in .success([]) }
        await #expect(throws: AddressGuard.Refusal.unresolved(host: "example.com", reason: "no address")) {
            try await silent.check("http://example.com/")
        }
    }

    @Test func theAllowanceLetsLoopbackPassAndNothingElse() async throws {
        let open = AddressGuard(allowPrivateAddresses: true)
        #expect(try await open.check("http://127.0.0.1:8080/song.mp3").port == 8080)
        await #expect(throws: AddressGuard.Refusal.self) { try await open.check("file:///etc/passwd") }
    }

    @Test(arguments: ["2130706433", "0177.1", "0x7f000001", "127.1", "::ffff:127.0.0.1", "localhost", "::1"])
    func theResolverSeesThroughEverySpelling(host: String) async throws {
        let addresses = try await HostLookup.addresses(of: host).get()
        #expect(!addresses.isEmpty && addresses.allSatisfy { !$0.isPublic })
    }

    @Test func aStoppedTaskDoesNotWaitForTheNameServer() async {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await HostLookup.addresses(of: "localhost")
        }
        #expect(await task.value == .failure(HostLookup.Failure(reason: "stopped")))
    }
}

@Suite struct NetworkAddressTests {
    @Test(
        arguments: [
            [0, 0, 0, 0], [10, 0, 0, 1], [100, 64, 0, 1], [100, 127, 255, 255], [127, 255, 255, 255], [169, 254, 1, 1], [172, 16, 0, 1],
            [172, 31, 255, 255], [192, 0, 0, 8], [192, 0, 2, 1], [192, 168, 255, 255], [198, 18, 0, 1], [198, 19, 255, 255],
            [198, 51, 100, 1], [203, 0, 113, 1], [224, 0, 0, 1], [239, 255, 255, 255], [240, 0, 0, 1], [255, 255, 255, 255],
        ] as [[UInt8]])
    func anAddressOfTheHouseIsNotPublic(bytes: [UInt8]) {
        #expect(!NetworkAddress(bytes).isPublic)
        // The same inside IPv6: mapped, and behind NAT64.
        #expect(!NetworkAddress([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] + bytes).isPublic)
        #expect(!NetworkAddress([0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] + bytes).isPublic)
    }

    @Test(
        arguments: [
            [1, 1, 1, 1], [8, 8, 8, 8], [100, 63, 255, 255], [100, 128, 0, 0], [172, 15, 0, 1], [172, 32, 0, 1], [192, 167, 0, 1],
            [198, 17, 0, 1], [198, 20, 0, 1], [223, 255, 255, 255],
            [0x2A, 0, 0x14, 0x50, 0x40, 0x01, 0x08, 0x2F, 0, 0, 0, 0, 0, 0, 0x20, 0x0E],
        ] as [[UInt8]])
    func anAddressOfSomebodyElseIsPublic(bytes: [UInt8]) { #expect(NetworkAddress(bytes).isPublic) }

    @Test(
        arguments: [
            [0xFE, 0x80], [0xFC, 0], [0xFD, 0x12], [0xFF, 0x02], [0x20, 0x01, 0x0D, 0xB8], [0x20, 0x01, 0, 0], [0x20, 0x02, 0x7F, 0],
            [0x3F, 0xFF, 0x0F],
            [0, 0x64, 0xFF, 0x9B, 0, 1], [0x01], [0x40],
        ] as [[UInt8]])
    func aSpecialIPv6BlockIsNotPublic(prefix: [UInt8]) {
        #expect(!NetworkAddress(prefix + Array(repeating: 1, count: 16 - prefix.count)).isPublic)
    }

    @Test func anAddressReadsAsPeopleWriteIt() {
        #expect(NetworkAddress([192, 168, 0, 1]).description == "192.168.0.1")
        #expect(NetworkAddress(Array(repeating: 0, count: 15) + [1]).description == "0:0:0:0:0:0:0:1")
    }
}
