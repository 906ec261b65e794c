/// One key of the configuration. `Setting.all` is the only list of them: defaults, decoding, checks, environment, `config show`,
/// the shipped file and the manual come from it.
package struct Setting: Sendable {
    /// `inbox`; `profile.NAME` for what each profile has.
    package let section: String
    /// `settle`.
    package let name: String
    package let kind: SettingKind
    /// One sentence for the person who sets it.
    package let doc: String
    let access: Access

    enum Access: Sendable {
        case whole(get: @Sendable (Configuration) -> SettingValue, set: @Sendable (inout Configuration, SettingValue) -> Void)
        case profile(
            get: @Sendable (Profile) -> SettingValue, set: @Sendable (inout Profile, SettingValue) -> Void)
    }

    /// `inbox.settle`, `profile.NAME.language`.
    package var key: String { section + "." + name }

    package var isOfProfile: Bool {
        if case .profile = access { return true }
        return false
    }

    /// `LYRICD_INBOX_SETTLE`; a profile's settings can be set from outside for the profile `default` only.
    package var environmentName: String {
        let section = isOfProfile ? "profile_default" : section
        return "LYRICD_" + (section + "_" + name).uppercased()
    }

    package var defaultValue: SettingValue { value(in: Configuration(), profile: "default") }

    /// What kind of thing it is, with its limits: `Duration, 10ms to 1h`.
    package var unit: String {
        switch kind {
        case .duration: "Duration, " + kind.rangeText
        case .size: "Size, " + kind.rangeText
        case .flag: "Switch, true or false"
        case .integer, .number: "Number, " + kind.rangeText
        case .path: "Absolute path"
        case .choice(let known): "One of " + known.map { "\"\($0)\"" }.joined(separator: ", ")
        case .choices(let known): "Some of " + known.map { "\"\($0)\"" }.joined(separator: ", ")
        case .language: "ISO 639-1 code"
        case .audioLanguage: "ISO 639-2 code"
        }
    }

    /// - Parameter profile: for settings of profiles; an unknown one has the default's values.
    package func value(in configuration: Configuration, profile: String = "default") -> SettingValue {
        switch access {
        case .whole(let get, _): get(configuration)
        case .profile(let get, _): get(configuration.profiles[profile] ?? configuration.profiles["default"] ?? Profile())
        }
    }

    func set(_ value: SettingValue, in configuration: inout Configuration, profile: String = "default") {
        switch access {
        case .whole(_, let set): set(&configuration, value)
        case .profile(_, let set):
            var changed = configuration.profiles[profile] ?? configuration.profiles["default"] ?? Profile()
            set(&changed, value)
            configuration.profiles[profile] = changed
        }
    }
}

/// What settings are read into.
protocol SettingOwner: Sendable {
    static func access(
        get: @escaping @Sendable (Self) -> SettingValue, set: @escaping @Sendable (inout Self, SettingValue) -> Void
    ) -> Setting.Access
}

extension Configuration: SettingOwner {
    static func access(
        get: @escaping @Sendable (Self) -> SettingValue, set: @escaping @Sendable (inout Self, SettingValue) -> Void
    ) -> Setting.Access { .whole(get: get, set: set) }
}

extension Profile: SettingOwner {
    static func access(
        get: @escaping @Sendable (Self) -> SettingValue, set: @escaping @Sendable (inout Self, SettingValue) -> Void
    ) -> Setting.Access { .profile(get: get, set: set) }
}

/// How the rows of the table are written. The kind fixes which case of `SettingValue` comes in, so the `set` closures need no other.
extension Setting {
    typealias Field<Owner, Value> = any WritableKeyPath<Owner, Value> & Sendable

    private static func make<Owner: SettingOwner>(
        _ key: String, _ kind: SettingKind, _ doc: String, get: @escaping @Sendable (Owner) -> SettingValue,
        set: @escaping @Sendable (inout Owner, SettingValue) -> Void
    ) -> Setting {
        let parts = key.split(separator: ".")
        return Setting(
            section: parts.dropLast().joined(separator: "."), name: parts.last.map(String.init) ?? "", kind: kind, doc: doc,
            access: Owner.access(get: get, set: set))
    }

    static func duration(_ key: String, _ field: Field<Configuration, Duration>, _ range: ClosedRange<Duration>, _ doc: String)
        -> Setting
    {
        make(key, .duration(range), doc, get: { (owner: Configuration) in .duration(owner[keyPath: field]) }) { owner, value in
            if case .duration(let value) = value { owner[keyPath: field] = value }
        }
    }

    static func size(_ key: String, _ field: Field<Configuration, Int>, _ range: ClosedRange<Int>, _ doc: String) -> Setting {
        make(key, .size(range), doc, get: { (owner: Configuration) in .size(owner[keyPath: field]) }) { owner, value in
            if case .size(let value) = value { owner[keyPath: field] = value }
        }
    }

    static func flag(_ key: String, _ field: Field<Configuration, Bool>, _ doc: String) -> Setting {
        make(key, .flag, doc, get: { (owner: Configuration) in .flag(owner[keyPath: field]) }) { owner, value in
            if case .flag(let value) = value { owner[keyPath: field] = value }
        }
    }

    static func integer(_ key: String, _ field: Field<Configuration, Int>, _ range: ClosedRange<Int>, _ doc: String) -> Setting {
        make(key, .integer(range), doc, get: { (owner: Configuration) in .integer(owner[keyPath: field]) }) { owner, value in
            if case .integer(let value) = value { owner[keyPath: field] = value }
        }
    }

    static func number(_ key: String, _ field: Field<Configuration, Double>, _ range: ClosedRange<Double>, _ doc: String)
        -> Setting
    {
        make(key, .number(range), doc, get: { (owner: Configuration) in .number(owner[keyPath: field]) }) { owner, value in
            if case .number(let value) = value { owner[keyPath: field] = value }
        }
    }

    static func text<Owner: SettingOwner>(_ key: String, _ field: Field<Owner, String>, _ kind: SettingKind, _ doc: String)
        -> Setting
    {
        make(key, kind, doc, get: { (owner: Owner) in .text(owner[keyPath: field]) }) { owner, value in
            if case .text(let value) = value { owner[keyPath: field] = value }
        }
    }

    static func list<Owner: SettingOwner>(_ key: String, _ field: Field<Owner, [String]>, _ known: [String], _ doc: String)
        -> Setting
    {
        make(key, .choices(known), doc, get: { (owner: Owner) in .list(owner[keyPath: field]) }) { owner, value in
            if case .list(let value) = value { owner[keyPath: field] = value }
        }
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, _ field: Field<Configuration, Choice>, _ doc: String
    ) -> Setting {
        make(
            key, .choice(Choice.allCases.map(\.rawValue)), doc,
            get: { (owner: Configuration) in .text(owner[keyPath: field].rawValue) }
        ) { owner, value in
            if case .text(let text) = value, let choice = Choice(rawValue: text) { owner[keyPath: field] = choice }
        }
    }
}
