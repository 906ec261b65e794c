import Testing
import lyricd

@Suite struct ConfigurationErrorTests {
    private func problems(_ text: String, _ environment: [String: String] = [:]) -> [String] {
        problems(bytes: Array(text.utf8), environment)
    }

    private func problems(bytes: [UInt8], _ environment: [String: String] = [:]) -> [String] {
        do throws(ConfigurationError) {
            _ = try Configuration.parse(("etc/lyricd.toml", bytes), environment: environment)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test(arguments: [
        (
            "[inbox]\nsettle = \"5 parsecs\"",
            #"etc/lyricd.toml:2: inbox.settle = "5 parsecs": expected a duration such as "5s", "2min", "1h""#
        ),
        ("[inbox]\nsettle = 1.5", #"etc/lyricd.toml:2: inbox.settle = 1.5: expected a duration such as "5s", "2min", "1h""#),
        ("[inbox]\nsettle = -1", #"etc/lyricd.toml:2: inbox.settle = -1: expected a duration such as "5s", "2min", "1h""#),
        ("[inbox]\npoll = \"1ms\"", #"etc/lyricd.toml:2: inbox.poll = "1ms": expected a duration from 10ms to 1d"#),
        (
            "[inbox]\nsettle = 9223372036854775807",
            #"etc/lyricd.toml:2: inbox.settle = 9223372036854775807: expected a duration such as "5s", "2min", "1h""#
        ),
        ("[inbox]\nwatch = \"pol\"", #"etc/lyricd.toml:2: inbox.watch = "pol": expected one of "auto", "poll""#),
        ("[inbox]\nrequire_mount = \"yes\"", #"etc/lyricd.toml:2: inbox.require_mount = "yes": expected true or false"#),
        ("[limits]\nsize_max = \"2GB\"", #"etc/lyricd.toml:2: limits.size_max = "2GB": expected a size such as "500M", "2G""#),
        ("[limits]\nsize_max = 0", "etc/lyricd.toml:2: limits.size_max = 0: expected a size from 1K to 1T"),
        (
            "[limits]\nstage_time_factor = nan",
            "etc/lyricd.toml:2: limits.stage_time_factor = nan: expected a number from 0.0 to 1000.0"
        ),
        ("[lanes]\nheavy = 0", "etc/lyricd.toml:2: lanes.heavy = 0: expected a whole number from 1 to 64"),
        ("[lanes]\nheavy = [1, 2]", "etc/lyricd.toml:2: lanes.heavy = [1, 2]: expected a whole number from 1 to 64"),
        ("[lanes]\nheavy = 2024-01-01", "etc/lyricd.toml:2: lanes.heavy = a date or time: expected a whole number from 1 to 64"),
        (
            "[folders]\noutbox = \"srv/out\"",
            #"etc/lyricd.toml:2: folders.outbox = "srv/out": expected an absolute path without "..""#
        ),
        (
            "[folders]\noutbox = \"/srv/../etc\"",
            #"etc/lyricd.toml:2: folders.outbox = "/srv/../etc": expected an absolute path without "..""#
        ),
        ("[folders]\noutbox = \"/\"", #"etc/lyricd.toml:2: folders.outbox = "/": expected an absolute path without "..""#),
        (
            "[folders]\noutbox = \"/a\\nb\"",
            #"etc/lyricd.toml:2: folders.outbox = "/a\nb": expected an absolute path without "..""#
        ),
        (
            "[folders]\nengines = \"x\"",
            #"etc/lyricd.toml:2: folders.engines = "x": expected an absolute path without "..", or """#
        ),
        (
            "[profile.default]\nlanguage = \"english\"",
            #"etc/lyricd.toml:2: profile.default.language = "english": expected a language as two small letters (ISO 639-1) such as "en", "de""#
        ),
        (
            "[profile.default]\nlanguage = \"jp\"",
            #"etc/lyricd.toml:2: profile.default.language = "jp": expected a language as two small letters (ISO 639-1) such as "en", "de""#
        ),
        (
            "[profile.default]\naudio_language = \"English\"",
            #"etc/lyricd.toml:2: profile.default.audio_language = "English": expected a language as two or three small letters such as "eng", or """#
        ),
        (
            "[profile.x]\nformats = [\"lrc\", \"lrc\"]",
            #"etc/lyricd.toml:2: profile.x.formats = ["lrc", "lrc"]: expected a list of some of "txt", "srt", "vtt", "lrc", "elrc", "json", each once"#
        ),
        (
            "[profile.x]\nformats = []",
            #"etc/lyricd.toml:2: profile.x.formats = []: expected a list of some of "txt", "srt", "vtt", "lrc", "elrc", "json", each once"#
        ),
        (
            "[profile]\nlanguage = \"en\"",
            #"etc/lyricd.toml:2: profile.language = "en": expected it below [profile.default] or another profile"#
        ),
        ("profile = 3", "etc/lyricd.toml:1: profile = 3: expected a section [profile.default]"),
        (
            "[profile.\"a/b\"]\nlanguage = \"en\"",
            #"etc/lyricd.toml:1: [profile."a/b"]: expected a name of at most 64 letters, digits, - and _, because a folder has to bear it"#
        ),
        ("inbox = 3", "etc/lyricd.toml:1: inbox = 3: expected a section [inbox]"),
        ("[[inbox]]\nsettle = 3", "etc/lyricd.toml:1: inbox = [a section]: expected a section [inbox]"),
        ("\n\n[inbox]\nsetle = 3", "etc/lyricd.toml:4: unknown key inbox.setle; did you mean inbox.settle?"),
        ("settle = 3", "etc/lyricd.toml:1: unknown key settle; did you mean inbox.settle?"),
        ("[limits]\nsettle_link = 3", "etc/lyricd.toml:2: unknown key limits.settle_link; did you mean inbox.settle_link?"),
        ("[folder]\ninbox = \"/x\"", "etc/lyricd.toml:1: unknown section [folder]; did you mean [folders]?"),
        ("[profiles.default]", "etc/lyricd.toml:1: unknown section [profiles]; see lyricd config show for those there are"),
        ("[profile.live]\nformat = []", "etc/lyricd.toml:2: unknown key profile.live.format; did you mean profile.live.formats?"),
        ("[zzz]", "etc/lyricd.toml:1: unknown section [zzz]; see lyricd config show for those there are"),
        ("inbox = { settle = \"x\" }", #"etc/lyricd.toml:1: inbox.settle = "x": expected a duration such as "5s", "2min", "1h""#),
        (
            "# [inbox]\n'inbox'.\"settle\" = '''x'''",
            #"etc/lyricd.toml:2: inbox.settle = "x": expected a duration such as "5s", "2min", "1h""#
        ),
        ("[inbox]\nsettle = = 3", "etc/lyricd.toml:2:10: this is no TOML: expected a value"),
        ("[inbox]\nsettle 3", "etc/lyricd.toml:2:8: this is no TOML: expected = after the key"),
        ("[inbox\nsettle = 3", "etc/lyricd.toml:1:7: this is no TOML: expected ]"),
        ("[inbox] settle = 3", "etc/lyricd.toml:1:9: this is no TOML: expected the end of the line"),
        ("é = 3", "etc/lyricd.toml:1:1: this is no TOML: expected a key or a [section]"),
        ("[folders]\ninbox = \"/é\" /x", "etc/lyricd.toml:2:14: this is no TOML: expected the end of the line"),
        ("[folders]\ninbox = \"/x\n", "etc/lyricd.toml:2:9: this is no TOML: expected the end of the string that begins here"),
        ("[folders]\ninbox = /srv", "etc/lyricd.toml:2:9: this is no TOML: expected a value"),
        ("[profile.x]\nformats = [\n\"lrc\"\n\"srt\" ]", "etc/lyricd.toml:4:1: this is no TOML: expected , or ]"),
        ("inbox = { settle = 3 ", "etc/lyricd.toml:1:22: this is no TOML: expected , or }"),
        (
            "x = " + String(repeating: "[", count: 100),
            "etc/lyricd.toml:1:21: this is no TOML: expected fewer brackets in each other"
        ),
        (
            "[inbox]\nsettle = 5s",
            "etc/lyricd.toml:2:11: this is no TOML: Error while parsing decimal integer: expected digit, saw 's'"
        ),
        (
            "[inbox]\nsettle = 3\nsettle = 4",
            "etc/lyricd.toml:3:10: this is no TOML: Error while parsing key-value pair: cannot redefine existing integer 'settle'"
        ),
        // On these the parser below TOMLKit would end the process.
        ("[inbox]\n[=]", "etc/lyricd.toml:2:2: this is no TOML: expected the name of a section"),
        ("[ # x", "etc/lyricd.toml:1:3: this is no TOML: expected the name of a section"),
        ("x = '''\n[=]'''\n[[\r\n", "etc/lyricd.toml:3:3: this is no TOML: expected the name of a section"),
        ("x = [}", "etc/lyricd.toml:1:6: this is no TOML: expected a value"),
        ("x = [1, }", "etc/lyricd.toml:1:9: this is no TOML: expected a value"),
        ("[inbox]\nwatch = \"a\\u0000\"", "etc/lyricd.toml:2: the file contains a NUL character; remove it"),
        ("[inbox]\n\u{0}", "etc/lyricd.toml:2: the file contains a NUL character; remove it"),
    ])
    func aMistakeIsNamedWithItsPlace(text: String, problem: String) {
        #expect(problems(text) == [problem])
    }

    @Test func everyFormOfTOMLIsUnderstood() {
        let text = ##"""
            "quoted key" . 'and more' = "a\"b\\" # comment
            literal = 'C:\x' # "
            long = """
            one "two" ""three\
              \"""\""""""
            raw = '''it's [x] = ''{'''''
            numbers = [ +1, -2_000, 0xDEAD_beef, 0o17, 0b11, 1.5, -1e+5, 6.6e-3, inf, -nan, # [
              +0.0,
            ]
            when = [1979-05-27T07:32:00Z, 1979-05-27 07:32:00.5-07:00, 1979-05-27, 07:32:00]
            table = { a.b = [{ c = 1 }, {}], "d" = 'x', e = true }
            -_9 = false
            [ z . "y" ]
            [[list]]
            [[ list ]]
            x = []
            """##
        for lines in [text, text.replacing("\n", with: "\r\n"), "\u{FEFF}" + text + "\t"] {
            let found = problems(lines)
            #expect(found.count == 10, "\(found)")
            #expect(found.allSatisfy { $0.contains(": unknown ") }, "\(found)")
        }
    }

    @Test func aLongFileTakesNotLong() {
        let began = ContinuousClock.now
        let keys = problems((0..<50_000).map { "key\($0) = \($0)\n" }.joined())
        #expect(keys.count == 201 && keys.last == "etc/lyricd.toml: and 49800 more of the kind")
        _ = problems("x" + String(repeating: ".x", count: 400_000) + " = 1")
        _ = problems(String(repeating: "[inbox]\n", count: 100_000))
        #expect(ContinuousClock.now - began < .seconds(60))
    }

    @Test func otherEncodingsAreRefusedWithTheirLine() {
        #expect(
            problems(bytes: Array("[inbox]\n# caf".utf8) + [0xE9, 0x0A]) == [
                "etc/lyricd.toml:2: the file is not UTF-8; save it as UTF-8"
            ])
        #expect(problems(bytes: [0xFF, 0xFE, 0x5B, 0]) == ["etc/lyricd.toml:1: the file is not UTF-8; save it as UTF-8"])
    }

    @Test func allMistakesAreReportedInTheirOrder() {
        let text =
            "[service]\ndrain = \"x\"\n[inbox]\npoll = 0\nrescan = [\n  1, # ]\n  \"]\",\n]\nmax_depth = true\nnosuchkey = \"\"\"\nsettle = 3\n[x]\n\"\"\"\n[lanes]\nlight = \"2\"\n"
        let found = problems(text, ["LYRICD_INBOX_WATCH": "x", "LYRICD_LANES_HEAVI": "1"])
        #expect(
            found.map { $0.prefix { $0 != " " } } == [
                "etc/lyricd.toml:2:", "etc/lyricd.toml:4:", "etc/lyricd.toml:5:", "etc/lyricd.toml:9:", "etc/lyricd.toml:10:",
                "etc/lyricd.toml:15:", "environment:", "environment:",
            ])
        #expect(found[6] == #"environment: LYRICD_INBOX_WATCH="x": expected one of "auto", "poll""#)
        #expect(found[7] == "environment: unknown key LYRICD_LANES_HEAVI; did you mean LYRICD_LANES_HEAVY?")
    }

    @Test(arguments: [
        (
            "[folders]\noutbox = \"/srv/lyricd/inbox/out\"",
            #"etc/lyricd.toml:2: folders.outbox = "/srv/lyricd/inbox/out": expected a folder apart from folders.inbox = "/srv/lyricd/inbox""#
        ),
        (
            "[folders]\nfailed = \"/srv/lyricd/archive\"",
            #"etc/lyricd.toml:2: folders.failed = "/srv/lyricd/archive": expected a folder apart from folders.archive = "/srv/lyricd/archive""#
        ),
        (
            "[folders]\nstate = \"/srv/lyricd/inbox/.state\"\nengines = \"/opt/e\"",
            #"etc/lyricd.toml:2: folders.state = "/srv/lyricd/inbox/.state": expected a folder outside of folders.inbox = "/srv/lyricd/inbox""#
        ),
        (
            "[inbox]\nsettle = \"2min\"\nsettle_max = \"1min\"",
            #"etc/lyricd.toml:2: inbox.settle = "2min": expected at most inbox.settle_max = "1min""#
        ),
        ("[retry]\ndelay_max = \"1s\"", #"etc/lyricd.toml: retry.delay = "30s": expected at most retry.delay_max = "1s""#),
    ])
    func valuesThatDoNotFitTogetherAreRefused(text: String, problem: String) {
        #expect(problems(text) == [problem])
    }

    @Test func foldersMayLieInTheStateFolder() {
        #expect(
            problems(
                "[folders]\ninbox = \"/d/inbox\"\noutbox = \"/d/outbox\"\narchive = \"/d/archive\"\nfailed = \"/d/failed\"\nstate = \"/d\"\nruntime = \"/d/run\""
            ).isEmpty)
        // A name that begins like another is not inside it.
        #expect(problems("[folders]\noutbox = \"/srv/lyricd/inbox2\"").isEmpty)
    }

    @Test func noTextMakesItCrashOrHang() {
        var random = ConfigurationNoise(seed: 17)
        let good = [
            Configuration.shippedText.replacing("\n#", with: "\n"), Configuration().text,
            "inbox = { settle = \"5s\", x.y = [[1], {a = 'b'}] }\n[[a]]\n[a.b]\nc = \"\"\"x\\\ny\"\"\"\n",
        ].map { Array($0.utf8) }
        let began = ContinuousClock.now
        for _ in 0..<3000 {
            let bytes = random.mutation(of: good)
            for problem in problems(bytes: bytes) {
                #expect(
                    problem.unicodeScalars.allSatisfy { $0 != "\n" && $0 != "\u{1B}" && $0 != "\u{0}" } && !problem.isEmpty,
                    "\(problem.debugDescription)")
            }
        }
        for text in ["[", "[[", "{", "a.", "a.b=", "\"", "'''", "#", "\n", "a={", "\\", "é"] {
            _ = problems(String(repeating: text, count: 4000))
            _ = problems("x = " + String(repeating: text, count: 4000))
        }
        for _ in 0..<500 { _ = problems(bytes: (0..<200).map { _ in UInt8(truncatingIfNeeded: random.next()) }) }
        #expect(ContinuousClock.now - began < .seconds(120))
    }
}

/// Always the same noise for a seed. Source of the numbers: SplitMix64, Steele, Lea and Flood 2014.
private struct ConfigurationNoise: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A piece of one of the texts with some bytes replaced, added or dropped.
    mutating func mutation(of texts: [[UInt8]]) -> [UInt8] {
        var bytes = texts.randomElement(using: &self) ?? []
        let marks = Array("[]{}=.,\"'#\\\n\t -_0aZ\u{0}".utf8)
        for _ in 0..<Int.random(in: 0...4, using: &self) {
            let place = Int.random(in: 0...bytes.count, using: &self)
            let byte =
                Int.random(in: 0..<8, using: &self) == 0
                ? UInt8(truncatingIfNeeded: next()) : marks.randomElement(using: &self) ?? 0
            switch Int.random(in: 0..<4, using: &self) {
            case 0 where place < bytes.count: bytes[place] = byte
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2: bytes.replaceSubrange(place..<min(bytes.count, place + 40), with: [])
            default: bytes.insert(byte, at: place)
            }
        }
        return bytes
    }
}
