import FoundationEssentials
import Host

/// What yt-dlp says of a recording; left by *fetch* as `fetch.json`.
package struct FetchedMedia: Codable, Sendable, Equatable {
    /// The file's name in the stage's folder: `media.` and an extension.
    package var file: String
    package var title: String?
    package var artist: String?
    package var album: String?
    package var uploader: String?
    /// Seconds, where the site says it.
    package var duration: Double?
    package var webpageURL: String?
    /// yt-dlp's name for the site: `Generic`, `Youtube`.
    package var extractor: String?
}

/// Reads the lines yt-dlp was told to print: one `@word` and JSON. Everything else is for people and skipped.
struct YtDlpOutput {
    /// Before the filters were asked.
    private(set) var found: Info?
    /// After the filters let it pass, before the download.
    private(set) var chosen: Info?
    private(set) var progress = Progress()
    /// The path yt-dlp says the finished file has.
    private(set) var file: String?
    /// Seconds the server asked us to wait.
    private(set) var retryAfter: Double?
    /// The `ERROR:` lines; the first few.
    private(set) var errors: [String] = []

    mutating func take(_ bytes: [UInt8]) {
        guard bytes.first == UInt8(ascii: "@"), let space = bytes.firstIndex(of: UInt8(ascii: " ")) else { return }
        let json = Data(bytes[(space + 1)...])
        let decoder = JSONDecoder()
        switch String(decoding: bytes[1..<space], as: UTF8.self) {
        case "found": found = try? decoder.decode(Info.self, from: json)
        case "info": chosen = try? decoder.decode(Info.self, from: json)
        case "progress": if let next = try? decoder.decode(Progress.self, from: json) { progress = next }
        case "file": file = try? decoder.decode(String.self, from: json)
        case "retry-after":
            if let seconds = Double(String(decoding: json, as: UTF8.self)), seconds.isFinite, seconds >= 0 { retryAfter = seconds }
        default: break
        }
    }

    mutating func takeError(_ bytes: [UInt8]) {
        let isError =
            bytes.starts(with: "ERROR:".utf8) || bytes.starts(with: "yt-dlp: error:".utf8)
            // The last line of a Python traceback names the class.
            || bytes.starts(with: "ModuleNotFoundError".utf8) || bytes.starts(with: "ImportError".utf8)
        if let last = errors.last, last == "ERROR: " {
            // `ERROR: \r[download] Got error: …`: the text of this one comes after a carriage return.
            errors[errors.count - 1] = last + FileName(Array(bytes.prefix(2000))).display
            return
        }
        if isError, errors.count < 20 { errors.append(FileName(Array(bytes.prefix(2000))).display) }
    }

    struct Progress: Decodable {
        var done: Double?
        var total: Double?
        var estimate: Double?

        var stage: StageProgress {
            let whole = total ?? estimate
            let done = done ?? 0
            func mebibytes(_ bytes: Double) -> String {
                let tenths = Int(min(max(bytes, 0), 1e15) / 104_857.6)
                return "\(tenths / 10).\(tenths % 10)"
            }
            return StageProgress(
                fraction: whole.flatMap { $0 > 0 ? done / $0 : nil },
                detail: mebibytes(done) + (whole.map { " of \(mebibytes($0))" } ?? "") + " MiB")
        }
    }

    /// A field of another type than expected is a field that is missing: sites say many things.
    struct Info: Decodable {
        var title: String?
        var artist: String?
        var album: String?
        var uploader: String?
        var duration: Double?
        var webpageURL: String?
        var extractor: String?
        var isLive = false
        var isUpcoming = false

        private enum Key: String, CodingKey {
            case title, fulltitle, track, artist, artists, album, uploader, channel, duration
            case webpageURL = "webpage_url"
            case extractor = "extractor_key"
            case liveStatus = "live_status"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Key.self)
            func text(_ key: Key) -> String? {
                guard let text = try? values.decode(String.self, forKey: key), !text.isEmpty else { return nil }
                return String(text.prefix(1000))
            }
            title = text(.track) ?? text(.fulltitle) ?? text(.title)
            artist = text(.artist) ?? (try? values.decode([String].self, forKey: .artists))?.joined(separator: ", ")
            album = text(.album)
            uploader = text(.uploader) ?? text(.channel)
            duration = (try? values.decode(Double.self, forKey: .duration)).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
            webpageURL = text(.webpageURL)
            extractor = text(.extractor)
            let status = text(.liveStatus)
            isLive = status == "is_live"
            isUpcoming = status == "is_upcoming"
        }
    }
}
