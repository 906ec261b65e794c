import Foundation
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    @Suite struct WholePathTests {
        @Test func everyKindOfDropBecomesLyricsInTheOutbox() async throws {
            let material = try await Material.get()
            try await WebServer.with(material.folder) { server in
                try await House.with(["lanes.heavy": "2", "profile.spoken.separate": "\"none\"", "profile.spoken.formats": "[\"srt\"]"]) { house in
                    try await house.start()
                    for ending in ["mp3", "wav", "flac", "m4a", "mp4"] { try house.drop(file: material.path("song.\(ending)"), as: "from \(ending).\(ending)") }
                    try house.drop(Material.words, as: "from mp3.txt")
                    try house.drop("[00:00.10]Hello world, my friend!\n[00:01.20]The sun is shining today.\n", as: "from flac.lrc")
                    try house.drop(file: material.path("other.mp3"), as: "Band/Album/Track.mp3")
                    try house.drop(Material.words, as: "Band/Album/Track.txt")
                    try house.drop(file: material.path("voice.wav"), as: "spoken/talk.wav")
                    try house.drop(Material.words, as: "spoken/talk.txt")
                    try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                    try house.drop(link: server.url("song.mp3"), as: "one.url")
                    try await house.finish(9)

                    let outbox = house.outbox
                    for name in ["from mp3", "from wav", "from flac", "from m4a", "from mp4"] {
                        #expect(house.names(in: "\(outbox)/\(name)") == ["\(name).elrc", "\(name).lrc", "\(name).srt", "\(name).txt", "\(name).vtt", "\(name).words.json", "lyricd.json"])
                    }
                    // The words come out exactly as given, line for line, in every output.
                    let given = Material.words.split(separator: "\n").map(String.init)
                    for name in ["from mp3", "from flac"] {
                        let text = try house.text("\(outbox)/\(name)/\(name).txt")
                        #expect(text.split(separator: "\n").map(String.init) == given)
                        for ending in ["lrc", "elrc", "srt", "vtt"] {
                            let lines = try plainLines(try house.text("\(outbox)/\(name)/\(name).\(ending)"))
                            #expect(lines == given, "\(ending): \(lines)")
                        }
                        let json = try house.text("\(outbox)/\(name)/\(name).words.json")
                        for word in ["Hello", "world,", "friend!", "today."] { #expect(json.contains("\"\(word)\"")) }
                    }
                    #expect(house.names(in: "\(outbox)/Band/Album/Track").contains("Track.lrc"))
                    #expect(house.names(in: "\(outbox)/talk") == ["lyricd.json", "talk.srt"])
                    #expect(try house.text("\(outbox)/talk/lyricd.json").contains("\"profile\" : \"spoken\""))
                    // No voice: a verdict and a manifest, and nothing that pretends to be lyrics.
                    #expect(house.names(in: "\(outbox)/silence") == ["lyricd.json"])
                    #expect(try house.job("silence")?.state == .instrumental)
                    #expect(house.names(in: house.archive).contains("one.url"))
                    let fetched = try #require(try house.jobs().first { $0.url == server.url("song.mp3") })
                    #expect(fetched.state == .done)
                    #expect(house.names(in: house.inbox).allSatisfy { ["Band", "spoken"].contains($0) })
                }
            }
        }

        @Test func linksComeInEveryFormAndABadOneOfAListIsOnlyItsOwnFailure() async throws {
            let material = try await Material.get()
            try await WebServer.with(material.folder) { server in
                try await House.with(["lanes.heavy": "2"]) { house in
                    try await house.start()
                    try house.drop(
                        """
                        <?xml version="1.0" encoding="UTF-8"?>
                        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
                        <plist version="1.0"><dict><key>URL</key><string>\(server.url("silence.wav?a"))</string></dict></plist>
                        """, as: "mac.webloc")
                    try house.drop("[Desktop Entry]\nType=Link\nName=Desk\nURL=\(server.url("silence.wav?b"))\n", as: "desk.desktop")
                    try house.drop(
                        "# my list\n\(server.url("silence.wav?c"))\nftp://example.org/song.mp3\n\(server.url("missing.mp3"))\n\(server.url("silence.wav?d"))\n",
                        as: "list.urls")
                    let jobs = try await house.finish(6)
                    #expect(jobs.filter { $0.state == .instrumental }.count == 4, "\(jobs.map { "\($0.title) \($0.state) \($0.reason)" })")
                    let failed = jobs.filter { $0.state == .failed }
                    #expect(failed.count == 2)
                    #expect(failed.allSatisfy { !$0.reason.isEmpty })
                    // One file with four jobs, of which two failed: it lies beside a note about both.
                    #expect(house.names(in: house.failed) == ["list.urls", "list.urls.txt"])
                    let note = try house.text(house.failed + "/list.urls.txt")
                    #expect(note.contains("2 of 4 are done"))
                    #expect(house.names(in: house.archive) == ["desk.desktop", "mac.webloc"])
                }
            }
        }

        @Test func aLinkIntoTheHouseIsRefusedAsPolicy() async throws {
            let material = try await Material.get()
            try await WebServer.with(material.folder) { server in
                try await House.with { house in
                    try await house.start(environment: ["LYRICD_ALLOW_PRIVATE_ADDRESSES": ""])
                    try house.drop(link: server.url("song.mp3"), as: "private.url")
                    let job = try #require(try await house.finish(1).first)
                    #expect(job.state == .failed)
                    #expect(job.failure == .policy)
                    #expect(job.attempts == 1)
                    #expect(try house.text(house.failed + "/private.url.txt").contains("private address"))
                    #expect(!house.names(in: house.root).isEmpty)
                }
            }
        }

        @Test func twoRecordingsOfOneNameGetTwoFoldersAndTheSameRecordingIsAnsweredAtOnce() async throws {
            let material = try await Material.get()
            try await House.with { house in
                try await house.start()
                try house.drop(file: material.path("silence.wav"), as: "Song.wav")
                try await house.finish(1)
                try house.drop(file: material.path("song.mp3"), as: "Song.mp3")
                try house.drop(Material.words, as: "Song.txt")
                try await house.finish(2)
                #expect(house.names(in: house.outbox) == ["Song", "Song (2)"])
                #expect(house.names(in: house.outbox + "/Song (2)").contains("Song.lrc"))

                // The same content under the same name needs nothing; under another name it gets a folder of its own.
                try house.drop(file: material.path("silence.wav"), as: "Song.wav")
                try await house.finish(3)
                try house.drop(file: material.path("song.mp3"), as: "Renamed.mp3")
                try house.drop(Material.words, as: "Renamed.txt")
                let jobs = try await house.finish(4)
                #expect(jobs[2].state == .instrumental)
                #expect(jobs[2].cachedFrom == jobs[0].id)
                #expect(jobs[2].reason.contains("was done before, as job \(jobs[0].id)"))
                #expect(jobs[3].cachedFrom == jobs[1].id)
                #expect(house.names(in: house.outbox) == ["Renamed", "Song", "Song (2)"])
                #expect(try house.text(house.outbox + "/Renamed/lyricd.json").contains("\"cachedFrom\" : \(jobs[1].id)"))
                // No engine but the first look ran for it.
                let stages = Set(try house.read { try $0.attempts(of: jobs[3].id) }.filter { $0.outcome == .done }.map(\.stage))
                #expect(stages.isDisjoint(with: [.separate, .transcribe, .align]), "\(stages)")
                let listed = try await house.run("jobs")
                #expect(listed.text.contains("(from job \(jobs[1].id))"))
            }
        }

        /// The sung lines of a subtitle or lyrics file, without times, numbers, headings and markup.
        private func plainLines(_ text: String) throws -> [String] {
            text.split(separator: "\n").map { line in
                line.replacing(/\[[^\]]*\]/, with: "").replacing(/<[^>]*>/, with: "").trimmingCharacters(in: .whitespaces)
            }.filter { !$0.isEmpty && !$0.contains("-->") && Int($0) == nil && $0 != "WEBVTT" && !$0.hasPrefix("NOTE") }
        }
    }
}
