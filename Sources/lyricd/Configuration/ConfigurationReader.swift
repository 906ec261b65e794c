import TOMLKit

/// Fills a configuration from a file and the environment, and collects what is wrong with either.
struct ConfigurationReader {
    private var configuration = Configuration()
    private var problems: [ConfigurationError.Problem] = []
    /// Problems beyond `problemsMax`.
    private var omitted = 0
    private let file: String?

    private static let problemsMax = 200
    private var outline = TOMLOutline()

    init(file: String?) {
        self.file = file
        configuration.file = file
    }

    // MARK: File

    /// - Throws: for text that is no TOML at all; what is wrong with single keys is kept for `finish`.
    mutating func read(_ bytes: [UInt8]) throws(ConfigurationError) {
        let name = file ?? ""
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let start = Self.firstInvalid(bytes)
            throw ConfigurationError(problems: [
                .init(name, line: Self.line(of: start, in: bytes), "the file is not UTF-8; save it as UTF-8")
            ])
        }
        // The parser takes a C string: it would stop here, and what follows would silently not count.
        if let zero = bytes.firstIndex(of: 0) ?? Self.firstZeroEscape(bytes) {
            throw ConfigurationError(problems: [
                .init(name, line: Self.line(of: zero, in: bytes), "the file contains a NUL character; remove it")
            ])
        }
        do { outline = try TOMLOutline(text) } catch {
            throw ConfigurationError(problems: [
                .init(name, line: error.line, column: error.column, "this is no TOML: expected " + error.expected)
            ])
        }
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw ConfigurationError(problems: [
                .init(
                    name, line: error.source.begin.line, column: error.source.begin.column,
                    "this is no TOML: " + error.description)
            ])
        } catch {
            throw ConfigurationError(problems: [.init(name, "this is no TOML: \(error)")])
        }
        for key in table.keys {
            guard let value = table[key] else { continue }
            if key == "profile" { readProfiles(value) } else { readSection(key, value) }
        }
    }

    private mutating func readSection(_ name: String, _ value: any TOMLValueConvertible) {
        let settings = Setting.all.filter { $0.section == name }
        guard !settings.isEmpty else {
            if value.type == .table {
                let sections = Set(Setting.all.map { $0.isOfProfile ? "profile.default" : $0.section })
                return problem([name], Self.unknown(name, among: Array(sections), isSection: true))
            }
            // A key before any section is a common slip; the suggestion names its section.
            return problem([name], Self.unknown(name, among: Setting.all.filter { !$0.isOfProfile }.map(\.key), isSection: false))
        }
        guard let table = value.table else {
            return problem([name], "\(name) = \(Self.written(value).shown): expected a section [\(name)]")
        }
        for key in table.keys {
            guard let value = table[key] else { continue }
            guard let setting = settings.first(where: { $0.name == key }) else {
                problem(
                    [name, key],
                    Self.unknown(name + "." + key, among: Setting.all.filter { !$0.isOfProfile }.map(\.key), isSection: false))
                continue
            }
            take(Self.written(value), for: setting, at: [name, key])
        }
    }

    private mutating func readProfiles(_ value: any TOMLValueConvertible) {
        guard let table = value.table else {
            return problem(["profile"], "profile = \(Self.written(value).shown): expected a section [profile.default]")
        }
        // The default first: the others begin as copies of it.
        for name in table.keys.sorted(by: { ($0 == "default" ? 0 : 1, $0) < ($1 == "default" ? 0 : 1, $1) }) {
            guard let value = table[name] else { continue }
            guard let profile = value.table else {
                problem(
                    ["profile", name],
                    "profile.\(name) = \(Self.written(value).shown): expected it below [profile.default] or another profile")
                continue
            }
            guard Profile.isName(name) else {
                problem(
                    ["profile", name],
                    "[profile.\(SettingKind.Written.text(name).shown)]: expected a name of at most 64 letters, digits, - and _, because a folder has to bear it"
                )
                continue
            }
            readProfile(name, profile)
        }
    }

    private mutating func readProfile(_ name: String, _ table: TOMLTable) {
        if configuration.profiles[name] == nil { configuration.profiles[name] = configuration.profiles["default"] }
        let settings = Setting.all.filter(\.isOfProfile)
        for key in table.keys {
            guard let value = table[key] else { continue }
            guard let setting = settings.first(where: { $0.name == key }) else {
                problem(
                    ["profile", name, key],
                    Self.unknown("profile.\(name).\(key)", among: settings.map { "profile.\(name).\($0.name)" }, isSection: false)
                )
                continue
            }
            take(Self.written(value), for: setting, at: ["profile", name, key])
        }
    }

    private mutating func take(_ written: SettingKind.Written, for setting: Setting, at path: [String]) {
        let key = path.joined(separator: ".")
        do {
            let value = try setting.kind.value(of: written)
            setting.set(value, in: &configuration, profile: setting.isOfProfile ? path[1] : "default")
            configuration.origins[key] = .file(line: outline.lines[path] ?? 0)
        } catch {
            problem(path, "\(key) = \(written.shown): expected \(error.expected)")
        }
    }

    private mutating func problem(_ path: [String], _ text: @autoclosure () -> String) {
        // Nobody mends more at a time, and each suggestion compares with every key there is.
        guard problems.count < Self.problemsMax else {
            omitted += 1
            return
        }
        let text = text()
        problems.append(.init(file ?? "", line: outline.lines[path], text))
    }

    private static func written(_ value: any TOMLValueConvertible) -> SettingKind.Written {
        switch value.type {
        case .string: value.string.map(SettingKind.Written.text) ?? .other("a string")
        case .int: value.int.map(SettingKind.Written.integer) ?? .other("a number")
        case .double: value.double.map(SettingKind.Written.number) ?? .other("a number")
        case .bool: value.bool.map(SettingKind.Written.flag) ?? .other("true or false")
        case .array: value.array.map { .list($0.prefix(100).map { Self.written($0) }) } ?? .other("a list")
        case .table: .other("a section")
        case .date, .time, .dateTime: .other("a date or time")
        }
    }

    // MARK: Environment

    mutating func read(_ environment: [String: String]) {
        var names = Set<String>()
        for setting in Setting.all {
            names.insert(setting.environmentName)
            guard let text = environment[setting.environmentName] else { continue }
            let written = setting.kind.written(text)
            do {
                let value = try setting.kind.value(of: written)
                setForAll(setting, value)
                let key = setting.isOfProfile ? "profile.default.\(setting.name)" : setting.key
                configuration.origins[key] = .environment(setting.environmentName)
            } catch {
                let shown = SettingKind.Written.text(text).shown
                problems.append(.init("environment", "\(setting.environmentName)=\(shown): expected \(error.expected)"))
            }
        }
        // Only those that begin like a section: other LYRICD_ variables belong to others.
        let prefixes = Set(Setting.all.map { "LYRICD_" + $0.section.prefix { $0 != "." }.uppercased() + "_" })
        for name in environment.keys.sorted() where !names.contains(name) && prefixes.contains(where: name.hasPrefix) {
            problems.append(.init("environment", Self.unknown(name, among: Array(names), isSection: false)))
        }
    }

    /// A profile that says nothing about a setting follows the default, wherever that comes from.
    private mutating func setForAll(_ setting: Setting, _ value: SettingValue) {
        guard setting.isOfProfile else { return setting.set(value, in: &configuration) }
        for name in configuration.profiles.keys
        where name == "default" || configuration.origins["profile.\(name).\(setting.name)"] == nil {
            setting.set(value, in: &configuration, profile: name)
        }
    }

    // MARK: Whole

    mutating func finish() throws(ConfigurationError) -> Configuration {
        // Values that were refused are defaults here; what follows from those is not the person's mistake.
        if problems.isEmpty { checkTogether() }
        guard problems.isEmpty else {
            // The file's in its order, then the environment's; equal ones stay as they were found.
            let ordered = problems.filter { $0.place == file }.enumerated()
                .sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }
                .map(\.element) + problems.filter { $0.place != file }
            let rest = omitted == 0 ? [] : [ConfigurationError.Problem(file ?? "", "and \(omitted) more of the kind")]
            throw ConfigurationError(problems: ordered + rest)
        }
        return configuration
    }

    private mutating func checkTogether() {
        let folders = configuration.folders
        let open = [
            ("inbox", folders.inbox), ("outbox", folders.outbox), ("archive", folders.archive), ("failed", folders.failed),
        ]
        let own = [("state", folders.state), ("runtime", folders.runtime), ("engines", folders.enginesPath)]
        for (index, (name, path)) in open.enumerated() {
            for (otherName, other) in open[..<index] where Self.isWithin(path, other) || Self.isWithin(other, path) {
                mismatch("folders.\(name)", path, "a folder apart from folders.\(otherName) = \"\(other)\"")
            }
            for (ownName, ownPath) in own where Self.isWithin(ownPath, path) {
                mismatch("folders.\(ownName)", ownPath, "a folder outside of folders.\(name) = \"\(path)\"")
            }
        }
        if configuration.inbox.settle > configuration.inbox.settleMax {
            let most = SettingValue.text(of: configuration.inbox.settleMax)
            mismatch("inbox.settle", SettingValue.text(of: configuration.inbox.settle), "at most inbox.settle_max = \"\(most)\"")
        }
        if configuration.retry.delay > configuration.retry.delayMax {
            let most = SettingValue.text(of: configuration.retry.delayMax)
            mismatch("retry.delay", SettingValue.text(of: configuration.retry.delay), "at most retry.delay_max = \"\(most)\"")
        }
    }

    private mutating func mismatch(_ key: String, _ value: String, _ expected: String) {
        let text = "\(key) = \(SettingKind.Written.text(value).shown): expected \(expected)"
        switch configuration.origins[key] {
        case .environment: problems.append(.init("environment", text))
        case .file(let line): problems.append(.init(file ?? "", line: line == 0 ? nil : line, text))
        // The other one was set, and this is the default.
        case nil: problems.append(.init(file ?? "environment", text))
        }
    }

    private static func isWithin(_ path: String, _ folder: String) -> Bool { path == folder || path.hasPrefix(folder + "/") }

    // MARK: Text

    private static func unknown(_ key: String, among known: [String], isSection: Bool) -> String {
        let shown = key.unicodeScalars.contains { $0.properties.generalCategory == .control } ? SettingValue.quoted(key) : key
        let what = isSection ? "unknown section [\(shown)]" : "unknown key \(shown)"
        guard let nearest = Nearest.to(key, among: known) else { return what + "; see lyricd config show for those there are" }
        return what + "; did you mean \(isSection ? "[\(nearest)]" : nearest)?"
    }

    private static func line(of index: Int, in bytes: [UInt8]) -> Int { TOMLOutline.position(of: index, in: bytes).line }

    private static func firstInvalid(_ bytes: [UInt8]) -> Int {
        var start = 0
        // A line break is never part of a longer character, so each line stands for itself.
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { return part.startIndex }
            start = part.endIndex
        }
        return start
    }

    /// `\u0000` in a string, which is as much of a NUL as the byte.
    private static func firstZeroEscape(_ bytes: [UInt8]) -> Int? {
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\\") {
            let rest = bytes[(index + 1)...].prefix(9)
            if rest.starts(with: "u0000".utf8) || rest.starts(with: "U00000000".utf8) { return index }
        }
        return nil
    }
}
