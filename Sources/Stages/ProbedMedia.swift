/// What is in a recording; left by *probe* as `probe.json`.
package struct ProbedMedia: Codable, Sendable, Equatable {
    /// ffmpeg's name for the container: `mp3`, `mov,mp4,m4a,3gp,3g2,mj2`.
    package var container: String
    /// Seconds.
    package var duration: Double
    /// The header does not say how long it is; it was decoded to find out.
    package var isDurationMeasured: Bool
    /// Number of the chosen stream among all streams of the file, from 0.
    package var streamIndex: Int
    /// How many audio streams there are to choose from.
    package var audioStreams: Int
    package var codec: String
    /// Hertz; 0 where the header does not say.
    package var sampleRate: Int
    package var channels: Int
    /// As the file has it, mostly ISO 639-2; `nil` where it has none.
    package var language: String?
    package var title: String?
    package var artist: String?
    package var album: String?
}
