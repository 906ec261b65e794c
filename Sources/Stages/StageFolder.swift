import FoundationEssentials
import Host

/// The files that stages leave for each other, inside this process: what an engine wrote is read strictly before it becomes one.
package enum StageFolder {
    /// Written by *fetch*: what the site says of the recording, ``FetchedMedia``.
    package static let fetch: FileName = "fetch.json"
    /// Written by *probe*: ``ProbedMedia``.
    package static let probe: FileName = "probe.json"
    /// Written by *separate*: 16 000 Hz, mono, 16 bit.
    package static let voice: FileName = "voice.wav"
    /// Written by *transcribe*: ``RecognisedWords``.
    package static let words: FileName = "words.json"
    /// Written by *align*: `Lyrics.TimedLyrics`.
    package static let timed: FileName = "timed.json"

    /// Bytes; a file of ours that is larger is not one of ours.
    static let sizeMax = 64 << 20

    package static func write(_ value: some Encodable, as name: FileName, in folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        // Not a number is an error here, never a value: the encoder throws on it.
        let data = try encoder.encode(value)
        try Directory.open(folder).write(name, Array(data))
    }

    package static func read<Value: Decodable>(_ type: Value.Type, from name: FileName, in folder: String) throws -> Value {
        let bytes = try Directory.open(folder).openFile(name).readAll(limit: sizeMax)
        return try JSONDecoder().decode(type, from: Data(bytes))
    }
}
