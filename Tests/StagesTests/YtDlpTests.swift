import Foundation
import Host
import Jobs
import Stages
import Synchronization
import Testing

@Suite(.enabled(if: Workshop.hasPythonEngines, Workshop.installHint)) struct YtDlpTests {
    /// A server with a song, its page and its HLS playlist; an engine that may reach it.
    private func withServer(_ body: (Workshop, LoopbackServer, YtDlp) async throws -> Void) async throws {
        try await Workshop.with { shop in
            let served = try shop.folder("served")
            _ = try shop.folder("served/hls")
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=330:d=6", "-metadata", "title=From the tag", served + "/song.mp3")
            try await shop.ffmpeg(
                "-f", "lavfi", "-i", "sine=330:d=12", "-c:a", "aac", "-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod",
                "-hls_segment_filename", served + "/hls/%d.ts", served + "/hls/index.m3u8")
            try await LoopbackServer.with(serving: served) { server in
                try await body(shop, server, engine(shop))
            }
        }
    }

    private func engine(
        _ shop: Workshop, guard addressGuard: AddressGuard = AddressGuard(allowPrivateAddresses: true),
        noProgressLimit: Duration = .seconds(60)
    ) -> YtDlp {
        YtDlp(
            paths: shop.paths, scripts: shop.scripts, environment: shop.environment, addressGuard: addressGuard,
            noProgressLimit: noProgressLimit)
    }

    @Test(arguments: ["song.mp3", "redirect?to=/song.mp3", "og.html?src=song.mp3", "two.html?src=song.mp3", "song.mp3?tracking=%20&x=1"])
    func aRecordingBehindALinkIsFetched(path: String) async throws {
        try await withServer { shop, server, engine in
            let seen = Mutex<[StageProgress]>([])
            let request = try shop.request("fetch", url: server.url(path)) { progress in seen.withLock { $0.append(progress) } }
            let outcome = try await engine.run(request)
            #expect(try shop.names(in: request.output) == ["fetch.json", "media.mp3"])
            #expect(try shop.contents(request.output + "/media.mp3") == shop.contents(shop.path("served/song.mp3")))
            #expect(outcome.facts["media"] == "media.mp3")
            #expect(seen.withLock { $0 }.last?.fraction == 1)
            let media = try StageFolder.read(FetchedMedia.self, from: StageFolder.fetch, in: request.output)
            #expect(media.file == "media.mp3")
            if path.hasPrefix("og") {
                #expect(media.title == "Og Song")
                #expect(outcome.facts["title"] == "Og Song")
            }
        }
    }

    @Test func anHLSPlaylistIsFetchedAsOneRecording() async throws {
        try await withServer { shop, server, engine in
            let outcome = try await engine.run(shop.request("fetch", url: server.url("hls/index.m3u8")))
            let name = try #require(outcome.facts["media"])
            let (_, media) = try await shop.probe(shop.path("fetch/" + name))
            #expect(abs(media.duration - 12) < 0.5)
        }
    }

    @Test(arguments: [
        ("status/404", FailureClass.permanent, "not there"), ("status/403", .transient, "403"), ("status/401", .needsAuth, "login"),
        ("status/451", .permanent, "legal"), ("status/500", .transient, "trouble"), ("status/429?after=7", .rateLimited, "slow down"),
        ("plain.html", .permanent, "no recording on this page"), ("cut/song.mp3", .transient, "broke off"),
        ("hls/missing.m3u8", .permanent, "not there"), ("live.m3u8", .policy, "live"),
    ])
    func aFailedDownloadHasAClassAndAReason(path: String, expected: FailureClass, word: String) async throws {
        try await withServer { shop, server, engine in
            let request = try shop.request("fetch", url: server.url(path))
            let error = try await shop.failure(engine, request)
            #expect(error.failureClass == expected, "\(error) \(error.stderrTail)")
            #expect(error.message.contains(word), "\(error)")
            #expect(error.retryAfter == (path.contains("429") ? 7 : nil))
            #expect(try shop.names(in: request.output).isEmpty)
        }
    }

    @Test func aMissingPieceIsNotLeftOutInSilence() async throws {
        try await withServer { shop, server, engine in
            try FileManager.default.removeItem(atPath: shop.path("served/hls/1.ts"))
            let error = try await shop.failure(engine, shop.request("fetch", url: server.url("hls/index.m3u8")))
            #expect(error.failureClass == .transient)
        }
    }

    @Test(arguments: ["song.mp3", "endless.mp3"])
    func whatIsTooBigIsRefused(path: String) async throws {
        try await withServer { shop, server, engine in
            let request = try shop.request(
                "fetch", plan: Plan(sizeMaxBytes: path == "endless.mp3" ? 4 << 20 : 20_000), url: server.url(path))
            let error = try await shop.failure(engine, request)
            #expect(error.reason == .failed(.policy), "\(error)")
            #expect(error.message.contains("larger than"))
            #expect(try shop.names(in: request.output).isEmpty)
        }
    }

    /// yt-dlp's own limit holds for each piece of a playlist, not for the whole.
    @Test func whatBecomesTooBigPieceByPieceIsStopped() async throws {
        try await withServer { shop, server, engine in
            let sizes = try (0..<3).map { try shop.contents(shop.path("served/hls/\($0).ts")).count }
            let limit = sizes[0] + sizes[1] + 100
            let error = try await shop.failure(
                engine, shop.request("fetch", plan: Plan(sizeMaxBytes: limit), url: server.url("hls/index.m3u8")))
            #expect(error.reason == .failed(.policy), "\(error)")
            #expect(error.message.contains("larger than"))
        }
    }

    @Test func whatIsTooLongIsRefusedBeforeItIsFetched() async throws {
        try await withServer { shop, server, engine in
            let error = try await shop.failure(
                engine, shop.request("fetch", plan: Plan(durationMaxSeconds: 5), url: server.url("hls/index.m3u8")))
            #expect(error.reason == .failed(.policy))
            #expect(error.message.contains("12 s long; at most 5 s"), "\(error)")
        }
    }

    @Test func aDownloadThatDripsIsStopped() async throws {
        try await withServer { shop, server, _ in
            let error = try await shop.failure(
                engine(shop, noProgressLimit: .seconds(3)), shop.request("fetch", url: server.url("slow/song.mp3")))
            #expect(error.reason == .stalled(after: 3), "\(error)")
            #expect(error.failureClass == .timeout)
        }
    }

    @Test func aDownloadThatTakesTooLongIsStopped() async throws {
        try await withServer { shop, server, engine in
            let error = try await shop.failure(engine, shop.request("fetch", url: server.url("hang"), timeLimit: .seconds(3)))
            #expect(error.reason == .timedOut(after: 3), "\(error)")
        }
    }

    @Test func aCancelledDownloadLeavesNoProcessAndNoClass() async throws {
        try await withServer { shop, server, engine in
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            let request = try shop.request("fetch", url: server.url("endless.mp3")) { _ in signal.yield() }
            let task = Task {
                defer { signal.finish() }
                return try await engine.run(request)
            }
            for await _ in started { break }
            task.cancel()
            let error = await #expect(throws: StageError.self) { try await task.value }
            #expect(error?.reason == .cancelled && error?.failureClass == nil)
            #expect(ChildSweep.killAll(owner: shop.root) == 0)
            #expect(try shop.names(in: request.output).isEmpty)
        }
    }

    @Test func aLinkIntoTheHouseIsRefusedBeforeAnythingIsAsked() async throws {
        try await withServer { shop, server, _ in
            let error = try await shop.failure(engine(shop, guard: AddressGuard()), shop.request("fetch", url: server.url("song.mp3")))
            #expect(error.reason == .failed(.policy))
            #expect(error.message == "the link points at a private address: 127.0.0.1 is 127.0.0.1")
        }
    }

    /// The name answers with a public address when it is checked, and leads to this machine when it is used.
    @Test func aNameThatLeadsElsewhereTheSecondTimeIsRefusedAtTheConnection() async throws {
        try await withServer { shop, server, _ in
            let rebinding = AddressGuard { _ in .success([NetworkAddress([93, 184, 216, 34])]) }
            let error = try await shop.failure(
                engine(shop, guard: rebinding), shop.request("fetch", url: "http://localhost:\(server.port)/song.mp3"))
            #expect(error.reason == .failed(.policy), "\(error) \(error.stderrTail)")
            #expect(error.message.contains("private address"))
        }
    }

    @Test func settingsThatSomebodyPlantedAreNotRead() async throws {
        try await withServer { shop, server, engine in
            let request = try shop.request("fetch", url: server.url("song.mp3"))
            let marker = shop.path("planted")
            // In the working directory, which is also where a sitecustomize would be looked for.
            try shop.write("fetch/yt-dlp.conf", "--exec \"touch \(marker)\"\n")
            try shop.write("fetch/sitecustomize.py", "open(\(String(reflecting: marker)), 'w')\n")
            _ = try shop.folder("fetch/yt_dlp_plugins/extractor")
            try shop.write("fetch/yt_dlp_plugins/extractor/planted.py", "open(\(String(reflecting: marker)), 'w')\n")
            _ = try await engine.run(request)
            #expect(!FileManager.default.fileExists(atPath: marker))
        }
    }

    @Test(arguments: ["--exec=touch planted", "-h", "file:///etc/passwd", "javascript:1"])
    func whatIsNoLinkIsNoOptionEither(url: String) async throws {
        try await Workshop.with { shop in
            let error = try await shop.failure(engine(shop), shop.request("fetch", url: url))
            #expect(error.reason == .failed(.policy))
            #expect(!error.nextStep.isEmpty)
        }
    }

    @Test func aMissingDownloaderSaysWhatToInstall() async throws {
        try await Workshop.with { shop in
            var paths = shop.paths
            paths.ytDlp = nil
            let engine = YtDlp(
                paths: paths, scripts: shop.scripts, environment: shop.environment, addressGuard: AddressGuard(allowPrivateAddresses: true))
            let error = try await shop.failure(engine, shop.request("fetch", url: "http://127.0.0.1:9/"))
            #expect(error.failureClass == .environment)
            #expect(error.nextStep.contains("engines/install"))
        }
    }

    @Test func theDownloaderSaysItsVersion() async throws {
        try await Workshop.with { shop in
            let version = try #require(await engine(shop).version())
            #expect(version.split(separator: ".").count >= 3)
        }
    }
}
