import Foundation
import Glibc
import Host
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// A stop is never a failure: exit 0, no child left, no attempt spent, and the next start goes on.
    @Suite struct StopTests {
        @Test func aStopWhileAFileSettlesLeavesItForTheNextStart() async throws {
            let material = try await Material.get()
            // Both: one that is there at the first look has no event to say that it came by a rename.
            try await House.with(["inbox.settle": "\"5s\"", "inbox.settle_moved": "\"5s\""]) { house in
                let daemon = try await house.start()
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                try await waitUntil("it to be seen") { house.status.contains("silence.wav") ? true : nil }
                #expect(try await daemon.stop(within: 5) == .exited(0))
                #expect(house.names(in: house.inbox) == ["silence.wav"])
                #expect(try house.jobs().isEmpty)
                #expect(!FileManager.default.fileExists(atPath: house.root + "/run/status.json"))
                try await house.start()
                try await house.finish(1)
            }
        }

        /// Engines that stand in for a stage that takes longer than the drain: what they were doing is thrown away and done again.
        @Test(arguments: [StageName.separate, .align, .render, .publish])
        func aStopInAStageGivesTheAttemptBack(stage: StageName) async throws {
            let material = try await Material.get()
            try await House.with(["service.drain": "\"200ms\""]) { house in
                try house.drop(file: material.path("song.mp3"), as: "song.mp3")
                try house.drop(Material.words, as: "song.txt")
                // The n-th stage begins: probe, separate, align, render; or the publication.
                let place = ["separate": "stage.begun:2", "align": "stage.begun:3", "render": "stage.begun:4", "publish": "publish.built:1"][stage.rawValue] ?? ""
                let daemon = try house.launch(fault: place + ":sleep=1")
                try await house.wait(for: "in \(stage)") { $0.state == .running && $0.stage == stage }
                #expect(try await daemon.stop(within: 15) == .exited(0))
                #expect(house.engineProcesses.isEmpty)
                let stopped = try #require(try house.jobs().first)
                // What cannot be interrupted (a rename, a commit) is finished; the rest waits, with nothing counted.
                #expect(stopped.state == .queued || stopped.state == .done, "\(stopped.state)")
                #expect(stopped.attempts == 0 && stopped.crashes == 0)
                try await house.start()
                try await house.finish(1)
                #expect(try house.jobs().map(\.state) == [.done])
                #expect(try house.read { try $0.attempts(of: stopped.id) }.allSatisfy { [.done, .stopped].contains($0.outcome) })
            }
        }

        @Test func aRunningDownloadIsStoppedAtTheEndOfTheDrainAndASecondTermDoesItAtOnce() async throws {
            let material = try await Material.get()
            try await WebServer.with(material.folder) { server in
                try await House.with(["service.drain": "\"1s\""]) { house in
                    var daemon = try await house.start()
                    try house.drop(link: server.url("slow/song.mp3"), as: "slow.url")
                    try await waitUntil("yt-dlp to run") { house.engineProcesses.isEmpty ? nil : true }
                    let began = Clock.bootSeconds
                    #expect(try await daemon.stop(within: 20) == .exited(0))
                    #expect(Clock.bootSeconds - began >= 1)
                    #expect(house.engineProcesses.isEmpty)
                    let stopped = try #require(try house.jobs().first)
                    #expect(stopped.state == .queued && stopped.attempts == 0 && stopped.crashes == 0)

                    try house.configure(["service.drain": "\"60s\""])
                    daemon = try await house.start()
                    try await waitUntil("yt-dlp to run again") { house.engineProcesses.isEmpty ? nil : true }
                    daemon.send(SIGTERM)
                    // For the second time in this log; two signals of one kind that come together would be one.
                    try await waitUntil("the drain to begin") { daemon.log.components(separatedBy: "running stages may finish").count > 2 ? true : nil }
                    daemon.send(SIGTERM)
                    #expect(try await daemon.ending(within: 20) == .exited(0))
                    #expect(house.engineProcesses.isEmpty)
                    #expect(try house.jobs().first?.attempts == 0)
                    // The source waits in the inbox; a person may call it off while no daemon runs.
                    #expect(try await house.run("cancel", "\(stopped.id)").text.contains("when it starts"))
                    try await house.start()
                    try await house.finish(1)
                    #expect(try house.jobs().map(\.state) == [.cancelled])
                }
            }
        }

        @Test func aStageThatIsDoneWithinTheDrainIsFinished() async throws {
            let material = try await Material.get()
            try await House.with { house in
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                let daemon = try house.launch(fault: "stage.begun:2:sleep=1")
                try await house.wait(for: "in separate") { $0.state == .running && $0.stage == .separate }
                #expect(try await daemon.stop(within: 15) == .exited(0))
                let job = try #require(try house.jobs().first)
                #expect(job.state == .queued && job.stage == .render)
                try await house.start()
                try await house.finish(1)
            }
        }

        @Test func aTermDuringTheStartIsAGoodEnd() async throws {
            let material = try await Material.get()
            try await House.with { house in
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                let daemon = try house.launch(fault: "recover.committed:1:sleep=1")
                try await waitUntil("the store to be there") { FileManager.default.fileExists(atPath: house.state + "/jobs.db-wal") ? true : nil }
                // A reload and a stop while nothing is up yet.
                daemon.send(SIGHUP)
                #expect(try await daemon.stop(within: 15) == .exited(0), "\(daemon.log)")
                try await house.start()
                try await house.finish(1)
            }
        }

        @Test func enginesOfAKilledDaemonAreEndedBeforeTheNextOneWorks() async throws {
            let material = try await Material.get()
            try await WebServer.with(material.folder) { server in
                try await House.with { house in
                    let daemon = try await house.start()
                    try house.drop(link: server.url("slow/song.mp3"), as: "slow.url")
                    try await waitUntil("yt-dlp to run") { house.engineProcesses.isEmpty ? nil : true }
                    let orphans = Set(house.engineProcesses)
                    try await daemon.crash()
                    #expect(!orphans.isDisjoint(with: house.engineProcesses))
                    try await house.start()
                    #expect(orphans.isDisjoint(with: house.engineProcesses))
                    #expect(house.log().contains("ended engines that a former daemon had left"))
                    #expect(try await house.run("cancel", "1").ending == .exited(0))
                    try await house.finish(1)
                }
            }
        }

        /// A stop that comes before every service has got going must not look like one that broke.
        @Test func aStopRightAfterTheStartIsAGoodEndEveryTime() async throws {
            try await House.with { house in
                for _ in 1...8 {
                    let daemon = try await house.start()
                    #expect(try await daemon.stop(within: 15) == .exited(0), "\(daemon.log.suffix(1000))")
                }
            }
        }

        @Test func aSecondDaemonOnOneStateFolderEndsWithTheFirstOnesNumber() async throws {
            try await House.with { house in
                let first = try await house.start()
                let second = try DaemonProcess(["serve", "--config", house.configuration], environment: ["PATH": "/usr/bin:/bin"], log: house.root + "/second")
                #expect(try await second.ending() == .exited(75))
                #expect(second.log.contains("process \(first.pid)"), "\(second.log)")
                #expect(first.isRunning)
            }
        }
    }
}
