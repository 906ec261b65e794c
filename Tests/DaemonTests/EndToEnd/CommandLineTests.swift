import Foundation
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    @Suite struct CommandLineTests {
        @Test func transcribeMakesLyricsBesideTheRecordingWithoutADaemon() async throws {
            let material = try await Material.get()
            try await House.with { house in
                let folder = house.root + "/music"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try FileManager.default.copyItem(atPath: material.path("song.mp3"), toPath: folder + "/My Song.mp3")
                try Data(Material.words.utf8).write(to: URL(fileURLWithPath: folder + "/My Song.txt"))
                let result = try await house.run("transcribe", folder + "/My Song.mp3")
                #expect(result.ending == .exited(0), "\(result.text)")
                #expect(result.text.hasSuffix("\(folder)/My Song\n"), "\(result.text)")
                #expect(house.names(in: folder + "/My Song").contains("My Song.elrc"))
                #expect(house.names(in: folder) == ["My Song", "My Song.mp3", "My Song.txt"])

                let bad = try await house.run("transcribe", folder + "/My Song.txt", "--outbox", house.root)
                #expect(bad.ending == .exited(1))
                #expect(bad.text.contains("not a media file") && bad.text.contains("→"), "\(bad.text)")
                #expect(house.engineProcesses.isEmpty)
            }
        }

        @Test func addJobsAndShowSpeakOfTheSameJob() async throws {
            let material = try await Material.get()
            try await WebServer.with(material.folder) { server in
                try await House.with { house in
                    try await house.start()
                    #expect(try await house.run("add", material.path("song.mp3"), "--lyrics", try words(house)).ending == .exited(0))
                    #expect(try await house.run("add", server.url("silence.wav")).ending == .exited(0))
                    let refused = try await house.run("add", "ftp://example.org/x.mp3")
                    #expect(refused.ending == .exited(1), "\(refused.text)")
                    try await house.finish(2)
                    let song = try #require(try house.job("song"))
                    #expect(song.lyricsDigest != nil)

                    let lines = try await house.run("jobs", "--json").text.split(separator: "\n").map {
                        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
                    }
                    #expect(lines.count == 2)
                    #expect(lines.contains { $0["id"] as? Int == Int(song.id) && $0["state"] as? String == "done" && $0["outbox"] as? String == "song" })
                    let shown = try await house.run("show", "\(song.id)")
                    #expect(shown.ending == .exited(0))
                    for stage in ["probe", "separate", "align", "render", "publish"] { #expect(shown.text.contains(stage), "\(shown.text)") }
                    #expect(try await house.run("show", "4711").ending == .exited(1))
                }
            }
        }

        @Test func cancelEndsTheEnginesOfARunningJobAndRetryRunsItAgain() async throws {
            let material = try await Material.get()
            try await WebServer.with(material.folder) { server in
                try await House.with { house in
                    try await house.start()
                    // A server that drips keeps the download running for as long as the test wants.
                    try house.drop(link: server.url("slow/song.mp3"), as: "slow.url")
                    let job = try await house.wait(for: "being fetched") { $0.state == .running && $0.stage == .fetch }
                    try await waitUntil("yt-dlp to run") { house.engineProcesses.isEmpty ? nil : true }
                    let answer = try await house.run("cancel", "\(job.id)")
                    #expect(answer.ending == .exited(0), "\(answer.text)")
                    try await waitUntil("yt-dlp to be gone", seconds: 15) { house.engineProcesses.isEmpty ? true : nil }
                    try await house.finish(1)
                    #expect(try house.jobs().first?.state == .cancelled)
                    #expect(house.names(in: house.failed) == ["slow.url", "slow.url.txt"])
                    let again = try await house.run("cancel", "\(job.id)", "999")
                    #expect(again.ending == .exited(1), "\(again.text)")
                }
            }
        }

        @Test func aFailedJobIsDoneAfterItsCauseWasMendedAndItWasRetried() async throws {
            let material = try await Material.get()
            try await House.with(["limits.duration_max": "\"1s\""]) { house in
                let daemon = try await house.start()
                try house.drop(file: material.path("silence.wav"), as: "long.wav")
                try await house.finish(1)
                let job = try #require(try house.jobs().first)
                #expect(job.state == .failed && job.failure == .policy)
                #expect(house.names(in: house.failed) == ["long.wav", "long.wav.txt"])
                // A plan is stored with its job: a retry repeats it, a new drop has the new one.
                #expect(try await house.run("retry", "\(job.id)").ending == .exited(0))
                try await waitUntil("the second verdict") { try house.read { try $0.attempts(of: job.id) }.count == 2 ? true : nil }
                try await house.finish(1)
                try house.configure(["limits.duration_max": "\"1h\""])
                daemon.send(SIGHUP)
                try await waitUntil("the reload") { daemon.log.contains("configuration read again") ? true : nil }
                try FileManager.default.moveItem(atPath: house.failed + "/long.wav", toPath: house.inbox + "/long.wav")
                try await house.finish(2)
                #expect(try house.jobs().map(\.state) == [.superseded, .instrumental])
                #expect(house.names(in: house.failed).isEmpty)
                #expect(house.names(in: house.archive) == ["long.wav"])
            }
        }

        @Test func aJobHeldForAMissingEngineIsDoneOnceItIsThere() async throws {
            let material = try await Material.get()
            try await House.with(["folders.engines": "\"ROOT/engines\""]) { house in
                try await house.start()
                try house.drop(file: material.path("song.mp3"), as: "song.mp3")
                try house.drop(Material.words, as: "song.txt")
                let held = try await house.wait(for: "held") { $0.state == .held }
                #expect(held.failure == .environment)
                #expect(held.nextStep.contains("engines/install"), "\(held.nextStep)")
                try await waitUntil("a note") { house.names(in: house.failed).contains("song.mp3.txt") ? true : nil }
                try FileManager.default.createSymbolicLink(atPath: house.root + "/engines", withDestinationPath: House.engines)
                // Engines are looked for at the start.
                let last = try await house.restart()
                #expect(try await house.run("retry", "\(held.id)").ending == .exited(0))
                try await house.wait(for: "done") { $0.state == .done }
                try await house.finish(1)
                #expect(house.names(in: house.failed).isEmpty)
                #expect(last.isRunning)
            }
        }

        @Test func doctorAndConfigCheckSayWhatIsWrong() async throws {
            try await House.with { house in
                try await house.start()
                let well = try await house.run("doctor")
                #expect(well.ending == .exited(0), "\(well.text)")
                for word in ["ffmpeg", "yt-dlp", "pocketsphinx", "inbox", "running, process"] { #expect(well.text.lowercased().contains(word), "\(word): \(well.text)") }
                #expect(try await house.run("config", "check").ending == .exited(0))
                try house.configure(["inbox.settle": "\"soon\""])
                let bad = try await house.run("config", "check")
                #expect(bad.ending == .exited(78), "\(bad.text)")
                #expect(bad.text.contains("settle") && bad.text.contains("soon") && bad.text.contains(house.configuration), "\(bad.text)")
                try house.configure()
            }
        }

        private func words(_ house: House) throws -> String {
            let path = house.root + "/words.txt"
            try Data(Material.words.utf8).write(to: URL(fileURLWithPath: path))
            return path
        }
    }
}
