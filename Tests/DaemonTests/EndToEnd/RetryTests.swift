import Glibc
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// A retry of a job whose work is gone does the work again.
    @Suite struct RetryTests {
        @Test func aJobThatWasCancelledHalfWayIsDoneWhenItIsRetried() async throws {
            let material = try await Material.get()
            try await House.with { house in
                try house.drop(file: material.path("song.mp3"), as: "song.mp3")
                try house.drop(Material.words, as: "song.txt")
                // Probe, separate, align.
                let daemon = try house.launch(fault: "stage.begun:3:sleep=2")
                try await house.wait(for: "in align") { $0.state == .running && $0.stage == .align }
                let job = try #require(try house.jobs().first)
                #expect(try await house.run("cancel", "\(job.id)").ending == .exited(0))
                try await waitUntil("the source to be with the failed ones; \(daemon.log)") {
                    house.names(in: house.failed).contains("song.mp3") ? true : nil
                }
                try await waitUntil("the work folder to be gone") { house.names(in: house.state + "/work").isEmpty ? true : nil }
                #expect(try await house.run("retry", "\(job.id)").ending == .exited(0))
                try await house.wait(for: "done after all") { $0.id == job.id && $0.state == .done }
                try await house.finish(1)
                // The words came along, and nothing of the failure is left.
                #expect(try house.jobs().first?.facts["lyrics"] == "given")
                #expect(house.names(in: house.failed).isEmpty)
            }
        }
    }
}
