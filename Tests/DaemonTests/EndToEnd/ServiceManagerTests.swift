import Foundation
import Glibc
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// What systemd hears of the daemon, and what the daemon does when systemd asks it to read its configuration again.
    @Suite struct ServiceManagerTests {
        @Test func readinessReloadAndStopAreToldInOrder() async throws {
            let material = try await Material.get()
            try await House.with { house in
                let systemd = try NotifySocket(house.root + "/notify")
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                // What an earlier life left under way is taken over before READY.
                let crashed = try house.launch(fault: "publish.reserved")
                #expect(try await crashed.ending() == .signaled(SIGKILL))
                let daemon = try house.launch(environment: ["NOTIFY_SOCKET": systemd.path])
                let ready = try await systemd.wait(for: "READY=1")
                #expect(ready.contains("STATUS="))
                let log = try #require(daemon.log.range(of: "went on with what was under way"))
                #expect(log.upperBound < daemon.log.endIndex)
                try await house.finish(1)
                try await systemd.wait(for: "STATUS=idle")

                let mark = systemd.all.count
                daemon.send(SIGHUP)
                let reloading = try await systemd.wait(for: "RELOADING=1", after: mark)
                // Both in one datagram, and the stamp is CLOCK_MONOTONIC.
                let stamp = reloading.split(separator: "\n").first { $0.hasPrefix("MONOTONIC_USEC=") }.flatMap { Double($0.dropFirst(15)) } ?? 0
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                #expect(abs(stamp / 1e6 - Double(now.tv_sec)) < 30)
                try await systemd.wait(for: "READY=1", after: mark)

                try house.configure(["inbox.settle": "\"soon\""])
                daemon.send(SIGHUP)
                let status = try await systemd.wait(for: "STATUS=reload failed", after: mark)
                #expect(status.contains("the former configuration stays") && status.contains("settle"), "\(status)")
                #expect(daemon.isRunning)
                try house.configure()
                daemon.send(SIGHUP)
                try await systemd.wait(for: "STATUS=idle", after: systemd.all.count - 1)

                #expect(try await daemon.stop() == .exited(0))
                #expect(systemd.count("STOPPING=1") == 1)
                #expect(systemd.all.allSatisfy { $0.utf8.count <= 4096 })
            }
        }

        @Test func twentyReloadsAtOnceAreTwentyAnswersAndTheJobsGoOn() async throws {
            let material = try await Material.get()
            try await House.with { house in
                let systemd = try NotifySocket(house.root + "/notify")
                let daemon = try house.launch(environment: ["NOTIFY_SOCKET": systemd.path])
                try await systemd.wait(for: "READY=1")
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                for _ in 1...20 { daemon.send(SIGHUP) }
                try await house.finish(1)
                // Signals of one kind that come together may be one; each RELOADING has its READY.
                try await waitUntil("an answer to each") {
                    let asked = systemd.count("RELOADING=1")
                    return asked > 0 && systemd.count("READY=1") == asked + 1 ? true : nil
                }
                try house.drop(file: material.path("voice.wav"), as: "voice.wav")
                try house.drop(Material.words, as: "voice.txt")
                try await house.finish(2)
            }
        }

        @Test func theWatchdogIsFedWhileEveryPartAnswers() async throws {
            try await House.with { house in
                let systemd = try NotifySocket(house.root + "/notify")
                _ = try house.launch(environment: ["NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "600000"])
                try await systemd.wait(for: "READY=1")
                try await waitUntil("three signs of life") { systemd.count("WATCHDOG=1") >= 3 ? true : nil }
            }
        }

        /// One place on the inbox's thread, one in the store's queue.
        @Test(arguments: ["intake.prepared", "transition.queued-running.before"])
        func theWatchdogIsNotFedWhileAPartHangs(place: String) async throws {
            let material = try await Material.get()
            try await House.with { house in
                let systemd = try NotifySocket(house.root + "/notify")
                _ = try house.launch(fault: "\(place):1:sleep=4", environment: ["NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "600000"])
                try await systemd.wait(for: "WATCHDOG=1")
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                try house.drop(link: "ftp://example.org/x", as: "refused.url")
                // Long enough for systemd to end us: three whole periods without a sign.
                var last = systemd.count("WATCHDOG=1")
                var quietSince = ContinuousClock.now
                try await waitUntil("the watchdog to go hungry", seconds: 20) {
                    let count = systemd.count("WATCHDOG=1")
                    if count != last { (last, quietSince) = (count, .now) }
                    return ContinuousClock.now - quietSince > .milliseconds(1800) ? true : nil
                }
                // And fed again when the part is back.
                try await waitUntil("it to be fed again") { systemd.count("WATCHDOG=1") > last ? true : nil }
                try await house.finish(2)
            }
        }
    }
}
