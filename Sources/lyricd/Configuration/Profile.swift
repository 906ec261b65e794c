import Jobs

/// Named settings that a plan is made from; a sub-folder of the inbox with the profile's name selects it.
package struct Profile: Sendable, Equatable {
    package var separate: String
    package var transcribe: String
    package var align: String
    /// ISO 639-1.
    package var language: String
    /// ISO 639-2 as in the file; empty takes the first audio stream.
    package var audioLanguage: String
    /// `OutputFormat` raw values.
    package var formats: [String]

    /// The default plan's choices, where nothing else is said.
    package init(
        separate: String = Plan().separate, transcribe: String = Plan().transcribe, align: String = Plan().align,
        language: String = Plan().language, audioLanguage: String = Plan().audioLanguage, formats: [String] = Plan().formats
    ) {
        self.separate = separate
        self.transcribe = transcribe
        self.align = align
        self.language = language
        self.audioLanguage = audioLanguage
        self.formats = formats
    }

    package func plan(_ name: String, _ limits: Limits) -> Plan {
        Plan(
            profile: name, separate: separate, transcribe: transcribe, align: align, language: language,
            audioLanguage: audioLanguage, formats: formats, durationMaxSeconds: limits.durationMax / .seconds(1),
            sizeMaxBytes: limits.sizeMax)
    }

    /// Letters, digits, `-` and `_`, at most 64: it is the name of a folder and stands in a path.
    static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                let letter = byte | 0x20
                return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
            // It would be read as an option, or not be seen in a listing.
            && !name.hasPrefix("-")
    }
}

extension Configuration {
    /// One plan for each profile, by its name.
    package var plans: [String: Plan] {
        Dictionary(uniqueKeysWithValues: profiles.map { ($0, $1.plan($0, limits)) })
    }
}
