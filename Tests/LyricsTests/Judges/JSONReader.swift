import FoundationEssentials

/// The word JSON as another program reads it.
struct JSONReader: Decodable {
    struct Word: Decodable, Equatable {
        let word: String
        let start: Double
        let end: Double
        let score: Double?
        let source: String
    }

    struct Segment: Decodable {
        let start: Double
        let end: Double
        let text: String
        let words: [Word]
    }

    let version: Int
    let language: String?
    let duration: Double
    let measured_share: Double
    let segments: [Segment]
    let word_segments: [Word]

    init(_ text: String) throws { self = try JSONDecoder().decode(JSONReader.self, from: Data(text.utf8)) }
}
