import Foundation
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// What people really drop. Each ends in a verdict that says why, the source lies beside it, and the good song never notices.
    @Suite struct BadInputTests {
        @Test func everyBadRecordingGetsAReasonAndTheGoodOneBesideItIsDone() async throws {
            let material = try await Material.get()
            try await House.with { house in
                let song = Array(try Data(contentsOf: URL(fileURLWithPath: material.path("song.mp3"))))
                let make = house.root + "/make"
                try FileManager.default.createDirectory(atPath: make, withIntermediateDirectories: true)
                // A FLAC that stops in the middle of its header, a header without sound, a header without channels.
                try house.drop(Array(try Data(contentsOf: URL(fileURLWithPath: material.path("song.flac"))).prefix(30)), as: "truncated.flac")
                try house.drop(Array(try Data(contentsOf: URL(fileURLWithPath: material.path("song.m4a"))).prefix(4000)), as: "cut.m4a")
                try house.drop([], as: "empty.mp3")
                try house.drop(wave(channels: 1, samples: 0), as: "soundless.wav")
                try house.drop(wave(channels: 0, samples: 16000), as: "channelless.wav")
                try house.drop(wave(channels: 1, samples: 1600), as: "short.wav")
                try house.drop("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", as: "playlist.mp3")
                try house.drop("This is a letter to my grandmother, not a song.\n", as: "text.mp3")
                try house.drop(noise(70_000), as: "noise.mp3")
                // Ten hours of 8 kHz silence are a few MB of FLAC.
                try await material.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "36000", "-compression_level", "0", make + "/long.flac")
                try house.drop(file: make + "/long.flac", as: "long.flac")
                try house.drop(song, as: "good.mp3")
                try house.drop(Material.words, as: "good.txt")
                try await house.start()
                try await house.finish(11)

                try expect(house, "truncated", .badMedia, "not a media file, or it is damaged")
                try expect(house, "cut", .badMedia, "not a media file, or it is damaged")
                try expect(house, "empty", .badMedia, "empty")
                try expect(house, "soundless", .badMedia, "no sound")
                try expect(house, "channelless", .badMedia, "no channels")
                try expect(house, "short", .badMedia, "only 0.10 s long")
                try expect(house, "playlist", .badMedia, "")
                try expect(house, "text", .badMedia, "not a media file")
                try expect(house, "noise", .badMedia, "not a media file")
                try expect(house, "long", .policy, "36000 s long; at most 14400 s")
                #expect(try house.job("good")?.state == .done)
                #expect(house.names(in: house.outbox) == ["good"])
                #expect(house.names(in: house.inbox).isEmpty)
                // No word of /etc/passwd came anywhere near a result.
                #expect(!(try house.text(house.outbox + "/good/lyricd.json")).contains("root:"))
            }
        }

        @Test func everyBadLinkFileGetsAReason() async throws {
            let material = try await Material.get()
            try await House.with { house in
                try house.drop("[InternetShortcut]\r\nIconIndex=0\r\n", as: "none.url")
                try house.drop("[InternetShortcut]\r\nURL=http://127.0.0.1:9/a\r\nURL=http://127.0.0.1:9/b\r\n", as: "two.url")
                try house.drop(link: "file:///etc/passwd", as: "local.url")
                try house.drop(link: "javascript:alert(1)", as: "script.url")
                try house.drop(link: "--exec=touch /tmp/lyricd-was-here", as: "dash.url")
                try house.drop("[Desktop Entry]\nType=Application\nExec=touch /tmp/lyricd-was-here\nName=x\n", as: "program.desktop")
                try house.drop(noise(70_000), as: "noise.url")
                try house.drop(noise(70_000), as: "noise.webloc")
                try house.drop(noise(70_000), as: "-noise.desktop")
                try house.drop("not a link\n--exec=id\njavascript:alert(1)\n", as: "lines.urls")
                try house.drop(file: material.path("silence.wav"), as: "good.wav")
                try await house.start()
                let jobs = try await house.finish(13)
                for job in jobs where job.title != "good" {
                    #expect(job.state == .failed, "\(job.title): \(job.state)")
                    #expect(!job.reason.isEmpty && !job.nextStep.isEmpty, "\(job.title): \(job.reason) → \(job.nextStep)")
                    #expect(job.attempts == 0, "\(job.title) was started")
                }
                #expect(try house.job("none")?.reason.contains("no link") == true)
                #expect(try house.job("two")?.reason.contains("different links") == true)
                #expect(try house.job("good")?.state == .instrumental)
                #expect(!FileManager.default.fileExists(atPath: "/tmp/lyricd-was-here"))
                // Each lies in the failed folder, untouched, beside its note.
                let failed = house.names(in: house.failed)
                for name in ["none.url", "two.url", "local.url", "script.url", "dash.url", "program.desktop", "noise.url", "noise.webloc", "-noise.desktop", "lines.urls"] {
                    #expect(failed.contains(name) && failed.contains(name + ".txt"), "\(name): \(failed)")
                }
            }
        }

        private func expect(_ house: House, _ title: String, _ failure: FailureClass, _ reason: String) throws {
            let job = try #require(try house.job(title))
            #expect(job.state == .failed, "\(title): \(job.state) \(job.reason)")
            #expect(job.failure == failure, "\(title): \(job.reason)")
            #expect(reason.isEmpty || job.reason.contains(reason), "\(title): \(job.reason)")
            #expect(!job.nextStep.isEmpty, "\(title)")
            #expect(house.names(in: house.failed).filter { $0.hasPrefix(title + ".") }.count == 2, "\(title): \(house.names(in: house.failed))")
        }

        /// The same noise every time.
        private func noise(_ count: Int) -> [UInt8] {
            var state: UInt64 = 0x9E37_79B9_7F4A_7C15
            return (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
        }

        /// 16 000 Hz, 16 bit, a tone.
        private func wave(channels: UInt16, samples: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            func put(_ value: Int, _ count: Int) { for shift in 0..<count { bytes.append(UInt8(value >> (8 * shift) & 0xFF)) } }
            bytes += Array("RIFF".utf8)
            put(36 + samples * 2, 4)
            bytes += Array("WAVEfmt ".utf8)
            put(16, 4)
            put(1, 2)
            put(Int(channels), 2)
            put(16000, 4)
            put(32000 * max(1, Int(channels)), 4)
            put(2 * max(1, Int(channels)), 2)
            put(16, 2)
            bytes += Array("data".utf8)
            put(samples * 2, 4)
            for index in 0..<samples { put(index % 50 < 25 ? 3000 : 62536, 2) }
            return bytes
        }
    }
}
