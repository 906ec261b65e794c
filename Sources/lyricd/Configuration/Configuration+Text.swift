extension Configuration {
    /// What is in force, as TOML, each value with where it comes from: `default`, the file's line, or the environment's variable.
    package var text: String {
        var lines = ["# " + (file.map { "read from \($0)" } ?? "no configuration file; defaults and environment only")]
        for (section, _) in Setting.sections {
            guard section == "profile.NAME" else {
                appendSection(section, profile: nil, to: &lines)
                continue
            }
            for name in profiles.keys.sorted(by: { ($0 == "default" ? 0 : 1, $0) < ($1 == "default" ? 0 : 1, $1) }) {
                appendSection(section, profile: name, to: &lines)
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func appendSection(_ section: String, profile: String?, to lines: inout [String]) {
        let name = profile.map { "profile." + $0 } ?? section
        lines += ["", "[\(name)]"]
        let assignments = Setting.all.filter { $0.section == section }.map { setting in
            (
                "\(setting.name) = \(setting.value(in: self, profile: profile ?? "default").toml)",
                origin(name + "." + setting.name, setting, profile)
            )
        }
        let width = min(60, assignments.map(\.0.count).max() ?? 0)
        lines += assignments.map { assignment, origin in
            assignment + String(repeating: " ", count: max(0, width - assignment.count)) + "  # " + origin
        }
    }

    private func origin(_ key: String, _ setting: Setting, _ profile: String?) -> String {
        switch origins[key] {
        case .file(let line): (file ?? "") + (line == 0 ? "" : ":\(line)")
        case .environment(let name): name
        case nil: profile == nil || profile == "default" ? "default" : "profile.default"
        }
    }

    /// The file as it is shipped: every key with its sentence, its unit and its default, commented out.
    package static var shippedText: String {
        var lines = [
            "# lyricd: /etc/lyricd/lyricd.toml",
            "#",
            "# Every key is shown with its default; take away the # in front of it to change it. Then: systemctl reload lyricd",
            "# Durations are \"250ms\", \"5s\", \"2min\", \"1h\", \"1d\", a sum of them (\"1h30min\"), or a number of seconds.",
            "# Sizes are \"512K\", \"500M\", \"2G\", \"1T\" (1K is 1024 bytes), or a number of bytes.",
            "# The environment wins over this file: for inbox.settle it is LYRICD_INBOX_SETTLE.",
            "# lyricd config check says what is wrong here; lyricd config show says what is in force, and why.",
        ]
        for (section, doc) in Setting.sections {
            lines += ["", "# \(doc)", "[\(section == "profile.NAME" ? "profile.default" : section)]"]
            for setting in Setting.all where setting.section == section {
                lines += ["", "# \(setting.doc) \(setting.unit).", "#\(setting.name) = \(setting.defaultValue.toml)"]
            }
            if section == "profile.NAME" {
                lines += [
                    "", "# Another profile, for what is dropped into the inbox's folder \"spoken\":", "#[profile.spoken]",
                    "#separate = \"none\"",
                ]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
