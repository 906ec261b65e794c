/// Lyrics that came with the recording: a text, or an LRC file.
///
/// What is in them is decided by the content, not by the name: a text in which a line begins with an LRC stamp is LRC.
package struct KnownLyrics: Sendable, Equatable {
    package struct Line: Sendable, Equatable {
        /// As displayed: the given line without LRC stamps.
        package let text: String
        /// The words to align, as displayed, with their punctuation; empty for headings, blank lines and ornaments.
        ///
        /// They are the line's parts between white space. Not each of them need be sung: see `Word.isSung`.
        package let words: [String]
        /// Where the file had a stamp; seconds from the beginning of the recording, with the file's `[offset:]` applied.
        package let seconds: Double?
        /// A heading such as `[Chorus]`, `Verse 2:`.
        package let isSection: Bool

        init(text: String, seconds: Double?) {
            self.text = text
            isSection = Heading.isHeading(text)
            let tokens = isSection ? [] : PlainText.tokens(text).filter { !PlainText.cleaned($0).isEmpty }
            words = tokens.contains(where: Word.isSung) ? tokens : []
            // A heading is not sung, so nothing of it has a time.
            self.seconds = words.isEmpty ? nil : seconds
        }
    }

    /// Largest accepted size, bytes. The longest songs have some 20 KiB of text.
    package static let sizeMax = 1 << 20

    /// In the order of the song; no blank lines at the ends.
    package let entries: [Line]

    /// The displayed lines, headings and blank lines included.
    package var lines: [String] { entries.map(\.text) }
    /// Every word of every line, in order: what an aligner is given.
    package var words: [String] { entries.flatMap(\.words) }
    /// True where the file says of at least one line when it is sung.
    package var hasSeconds: Bool { entries.contains { $0.seconds != nil } }

    /// Reads UTF-8, UTF-16 and Windows-1252, with or without byte order mark, lines ended by LF, CRLF or CR.
    package init(bytes: [UInt8]) throws(KnownLyricsError) {
        guard bytes.count <= Self.sizeMax else { throw KnownLyricsError(reason: .tooLarge(bytes: bytes.count)) }
        guard let text = TextDecoding.text(bytes) else { throw KnownLyricsError(reason: .binary) }
        var lines = try LRCReading.lines(text)
        let isBlank = { (line: LRCReading.Line) in PlainText.cleaned(line.text).isEmpty }
        lines = Array(lines.drop(while: isBlank))
        while let last = lines.last, isBlank(last) { lines.removeLast() }
        guard !lines.isEmpty else { throw KnownLyricsError(reason: .empty) }
        entries = lines.map { Line(text: $0.text, seconds: $0.seconds) }
        guard entries.contains(where: { !$0.words.isEmpty }) else { throw KnownLyricsError(reason: .noWords) }
    }

    /// The given lines with the times an aligner found. Text and order are always those given.
    ///
    /// - Parameter times: one for each of `words`, in that order; their texts are not looked at. Missing ones count as not found.
    ///   A line of which no word was found starts at its own stamp, where it has one.
    package func timed(by times: [Word], language: String? = nil, duration: Double) -> TimedLyrics {
        var next = 0
        let stamps = believesStamps(duration)
        let lines = entries.map { entry in
            var words: [Word] = []
            for text in entry.words {
                var word = next < times.count ? times[next] : Word(text: text, timing: .interpolated)
                word.text = text
                words.append(word)
                next += 1
            }
            if stamps, !words.isEmpty, words.allSatisfy({ $0.start == nil }) {
                words[0].start = entry.seconds
                words[0].timing = .interpolated
            }
            return Lyrics.Line(words: words, text: entry.text, isSection: entry.isSection)
        }
        return WordTimes.fit(TimedLyrics(lines: lines, language: language, duration: duration, isGiven: true))
    }

    /// Stamps of another recording of the song are worse than none: they must fit into this one, and fill half of it.
    private func believesStamps(_ duration: Double) -> Bool {
        guard let last = entries.compactMap(\.seconds).max() else { return false }
        return last <= duration + 5 && last >= duration / 2
    }
}

/// Lyrics that cannot be used. The recording itself is not affected.
package struct KnownLyricsError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        case empty
        case binary
        case tooLarge(bytes: Int)
        /// Headings and ornaments only.
        case noWords
        /// Repeated stamps would make more lines than any song has.
        case tooManyLines
    }

    package let reason: Reason

    package init(reason: Reason) { self.reason = reason }

    package var description: String {
        switch reason {
        case .empty: "the lyrics file is empty; write the words into it, or remove it to have them recognised"
        case .binary: "the lyrics file is not text; save it as plain text (UTF-8), or remove it to have the words recognised"
        case .tooLarge(let bytes): "the lyrics file has \(bytes) bytes, more than the \(KnownLyrics.sizeMax) that lyrics may have"
        case .noWords: "the lyrics file has no words, only headings; write the words into it, or remove it to have them recognised"
        case .tooManyLines: "the lyrics file has so many repeated time stamps that no song can be meant"
        }
    }
}
