import FoundationEssentials

extension Configuration {
    /// Where the installed service looks.
    package static let defaultFile = "/etc/lyricd/lyricd.toml"
    /// Bytes. A configuration has some thousand.
    private static let fileSizeMax = 1 << 20

    /// Defaults, then the file, then the environment; each later one wins.
    ///
    /// - Parameters:
    ///   - file: the file somebody named: it has to be there. `nil` reads `defaultFile` if there is one.
    ///   - environment: all of it; only what begins with `LYRICD_` is looked at.
    package static func load(
        file: String?, environment: [String: String], defaultFile: String = Self.defaultFile
    ) throws(ConfigurationError) -> Configuration {
        let name = file ?? defaultFile
        let bytes: [UInt8]?
        do {
            bytes = try contents(name)
        } catch {
            throw ConfigurationError(problems: [.init(name, error.why)])
        }
        guard let bytes else {
            if file == nil { return try parse(nil, environment: environment) }
            throw ConfigurationError(problems: [
                .init(name, "no such file; name another one with --config, or leave it out for the defaults")
            ])
        }
        return try parse((name, bytes), environment: environment)
    }

    /// The same from bytes in memory.
    package static func parse(
        _ file: (name: String, bytes: [UInt8])?, environment: [String: String] = [:]
    ) throws(ConfigurationError) -> Configuration {
        var reader = ConfigurationReader(file: file?.name)
        if let file { try reader.read(file.bytes) }
        reader.read(environment)
        return try reader.finish()
    }

    private struct ReadFailure: Error {
        let why: String
    }

    /// - Returns: `nil` where there is no such file.
    private static func contents(_ path: String) throws(ReadFailure) -> [UInt8]? {
        do {
            let data = try Data(contentsOf: URL(filePath: path))
            guard data.count <= fileSizeMax else {
                throw ReadFailure(why: "larger than \(fileSizeMax >> 20) MiB; that is no configuration")
            }
            return Array(data)
        } catch let error as ReadFailure {
            throw error
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            return nil
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            throw ReadFailure(why: "this user may not read it; make it readable for the group lyricd runs in")
        } catch {
            throw ReadFailure(why: "it cannot be read as a file")
        }
    }

    /// The keys whose values differ, for the message after a reload.
    package func changes(from old: Configuration) -> [String] {
        var result: [String] = []
        for setting in Setting.all where !setting.isOfProfile && setting.value(in: self) != setting.value(in: old) {
            result.append(setting.key)
        }
        for name in Set(profiles.keys).union(old.profiles.keys).sorted() {
            guard let mine = profiles[name], let other = old.profiles[name] else {
                result.append("profile.\(name)")
                continue
            }
            if mine == other { continue }
            for setting in Setting.all
            where setting.isOfProfile && setting.value(in: self, profile: name) != setting.value(in: old, profile: name) {
                result.append("profile.\(name).\(setting.name)")
            }
        }
        return result
    }
}
