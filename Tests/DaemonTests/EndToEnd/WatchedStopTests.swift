import Host
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// Under a service manager that watches, a stop is a stop like any other.
    @Suite struct WatchedStopTests {
        @Test func theDrainBeginsAtOnceAndTheWatchdogIsFedUntilItsEnd() async throws {
            let material = try await Material.get()
            try await WebServer.with(material.folder) { server in
                // Twice as long as the watchdog allows without a sign.
                try await House.with(["service.drain": "\"3s\""]) { house in
                    let systemd = try NotifySocket(house.root + "/notify")
                    let daemon = try house.launch(environment: ["NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "1500000"])
                    try await systemd.wait(for: "WATCHDOG=1")
                    try house.drop(link: server.url("slow/song.mp3"), as: "slow.url")
                    try await waitUntil("yt-dlp to run") { house.engineProcesses.isEmpty ? nil : true }
                    let began = Clock.bootSeconds
                    let signs = systemd.count("WATCHDOG=1")
                    #expect(try await daemon.stop(within: 20) == .exited(0))
                    #expect(Clock.bootSeconds - began >= 3)
                    #expect(systemd.count("WATCHDOG=1") >= signs + 3)
                    #expect(house.engineProcesses.isEmpty)
                    let stopped = try #require(try house.jobs().first)
                    #expect(stopped.state == .queued && stopped.attempts == 0 && stopped.crashes == 0)
                    try await house.run("cancel", "\(stopped.id)")
                    try await house.start()
                    try await house.finish(1)
                }
            }
        }
    }
}
