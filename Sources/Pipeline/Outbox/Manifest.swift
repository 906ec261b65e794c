import FoundationEssentials
import Jobs

/// `lyricd.json`, in every folder of the outbox: what is in it, where it came from and how it was made.
///
/// A second source of truth: from the manifests the job store can be rebuilt.
package struct Manifest: Codable, Sendable, Equatable {
    package static let fileName = "lyricd.json"
    /// Raised when a field changes its meaning; fields may be added without it.
    package static let currentVersion = 1

    package struct File: Codable, Sendable, Equatable {
        package var name: String
        package var sha256: String
        package var bytes: Int64
    }
    package struct Source: Codable, Sendable, Equatable {
        /// Printable name of the dropped file.
        package var file: String
        package var url: String?
        /// `sha256:…` or `url:…`, as the cache compares it.
        package var content: String
        package var lyricsSha256: String?
    }
    package struct StageRecord: Codable, Sendable, Equatable {
        package var stage: String
        package var engine: String
        package var version: String?
        package var seconds: Double
        /// Bytes.
        package var peakMemory: Int
        /// Whether the sound, or a part of it, left this machine for it.
        package var leavesMachine: Bool
    }
    package struct Quality: Codable, Sendable, Equatable {
        /// `given` lyrics, `recognised` ones, or none at all.
        package var lyrics: String
        package var words: Int
        /// 0…1: words whose time was measured; the others were interpolated.
        package var measuredShare: Double
        /// What to know before relying on it.
        package var remarks: [String]
    }

    package var version = currentVersion
    package var generator: String
    package var job: Job.ID
    package var key: String
    package var title: String
    package var artist: String?
    package var album: String?
    /// Seconds.
    package var duration: Double?
    package var language: String?
    package var instrumental: Bool
    package var cachedFrom: Job.ID?
    /// ISO 8601, UTC.
    package var finished: String
    package var source: Source
    package var files: [File]
    package var stages: [StageRecord]
    package var settings: Plan
    package var quality: Quality

    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    package init(decoding bytes: [UInt8]) throws { self = try JSONDecoder().decode(Manifest.self, from: Data(bytes)) }

    package init(
        generator: String, job: Job, finished: String, source: Source, files: [File], stages: [StageRecord], quality: Quality
    ) {
        self.generator = generator
        self.job = job.id
        self.key = job.key
        self.title = job.title
        self.artist = job.facts["artist"]
        self.album = job.facts["album"]
        self.duration = job.facts["duration"].flatMap(Double.init)
        self.language = job.facts["language"] ?? job.plan.language
        self.instrumental = job.facts["instrumental"] == "yes"
        self.cachedFrom = job.cachedFrom
        self.finished = finished
        self.source = source
        self.files = files
        self.stages = stages
        self.settings = job.plan
        self.quality = quality
    }
}
