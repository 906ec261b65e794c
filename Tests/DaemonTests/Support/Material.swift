import Foundation
import Glibc
import Testing

/// Recordings for the tests, made once by this machine's own programs: a voice that says ``words``, in every form, and silence.
struct Material: Sendable {
    /// Two lines, as a person would write them into a file beside the song.
    static let words = "Hello world, my friend!\nThe sun is shining today.\n"

    let folder: String

    func path(_ name: String) -> String { folder + "/" + name }

    static func get() async throws -> Material { try await making.value }

    /// A task of its own, because every test waits for the same one.
    private static let making = Task { try await make() }

    private static func make() async throws -> Material {
        let folder = "/tmp/lyricd-material-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // The tests share it to the end of the process.
        atexit { try? FileManager.default.removeItem(atPath: "/tmp/lyricd-material-\(getpid())") }
        let material = Material(folder: folder)
        try await run("flite", "-voice", "slt", "-t", "Hello world, my friend! The sun is shining today.", "-o", material.path("voice.wav"))
        let voice = material.path("voice.wav")
        try await material.ffmpeg("-i", voice, "-b:a", "48k", material.path("song.mp3"))
        try await material.ffmpeg("-i", voice, "-ac", "2", material.path("song.wav"))
        try await material.ffmpeg("-i", voice, material.path("song.flac"))
        try await material.ffmpeg("-i", voice, "-c:a", "aac", material.path("song.m4a"))
        try await material.ffmpeg(
            "-f", "lavfi", "-i", "testsrc=size=64x64:rate=5", "-i", voice, "-shortest", "-c:v", "mpeg4", "-c:a", "aac", material.path("song.mp4"))
        try await material.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "2", material.path("silence.wav"))
        // A second recording of the same words that is not the same bytes.
        try await material.ffmpeg("-i", voice, "-b:a", "64k", material.path("other.mp3"))
        return material
    }

    func ffmpeg(_ arguments: String...) async throws {
        try await Self.run("ffmpeg", ["-v", "error", "-nostdin", "-y"] + arguments)
    }

    static func run(_ program: String, _ arguments: String...) async throws { try await run(program, arguments) }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let result = try await House.tool(program, arguments)
        try #require(result.status == 0, "\(program) \(arguments): \(result.text)")
    }
}
