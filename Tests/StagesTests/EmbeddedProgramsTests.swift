import Foundation
import Host
import Jobs
import Stages
import Testing

@Suite struct EmbeddedProgramsTests {
    @Test func theCarriedProgramsAreThoseOfThisRelease() async throws {
        try await Workshop.with { shop in
            #expect(try shop.names(in: shop.path("scripts")) == ["pocketsphinx_engine.py", "ytdlp_engine.py"])
            for name in try shop.names(in: shop.path("scripts")) {
                let source = Workshop.package + "/Sources/Stages/Resources/" + name
                #expect(try shop.contents(shop.path("scripts/" + name)) == shop.contents(source))
            }
        }
    }

    @Test(arguments: ["", "print('an older release')\n", String(repeating: "#", count: 1 << 20)])
    func aProgramThatIsAnotherIsReplaced(text: String) async throws {
        try await Workshop.with { shop in
            let path = shop.path("scripts/pocketsphinx_engine.py")
            let original = try shop.contents(path)
            try shop.write("scripts/pocketsphinx_engine.py", text)
            _ = try EngineScripts.install(into: shop.path("scripts"))
            #expect(try shop.contents(path) == original)
        }
    }

    @Test func aProgramThatIsALinkIsReplacedAndItsTargetIsLeftAlone() async throws {
        try await Workshop.with { shop in
            let path = shop.path("scripts/ytdlp_engine.py")
            let target = try shop.write("elsewhere", "precious")
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
            _ = try EngineScripts.install(into: shop.path("scripts"))
            #expect(try shop.contents(target) == Array("precious".utf8))
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType == .typeRegular)
        }
    }

    // MARK: Finding

    @Test func theInstalledEnginesComeBeforeThoseOfTheSearchPath() async throws {
        try await Workshop.with { shop in
            for folder in ["engines/yt-dlp/bin", "engines/pocketsphinx/bin", "bin"] { _ = try shop.folder(folder) }
            func program(_ name: String) throws {
                try shop.write(name, "#!/bin/sh\n")
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: shop.path(name))
            }
            try program("bin/yt-dlp")
            try program("bin/ffmpeg")
            try shop.write("bin/ffprobe", "not a program")
            let before = EnginePaths.find(engineFolder: shop.path("engines"), searchPath: "relative:" + shop.path("bin"))
            #expect(before.ytDlp == shop.path("bin/yt-dlp") && before.ffmpeg == shop.path("bin/ffmpeg"))
            #expect(before.ffprobe == nil && before.pocketSphinxPython == nil && before.espeak == nil)
            #expect(before.installCommand == "engines/install " + shop.path("engines"))
            try program("engines/yt-dlp/bin/yt-dlp")
            try program("engines/pocketsphinx/bin/python")
            let after = EnginePaths.find(engineFolder: shop.path("engines"), searchPath: shop.path("bin"))
            #expect(after.ytDlp == shop.path("engines/yt-dlp/bin/yt-dlp"))
            #expect(after.pocketSphinxPython == shop.path("engines/pocketsphinx/bin/python"))
        }
    }

    @Test func whatIsMissingIsSaidWithTheCommandThatInstallsIt() async throws {
        try await Workshop.with { shop in
            let paths = EnginePaths.find(engineFolder: shop.path("none"), searchPath: shop.path("none"))
            let checks = await EngineCheck.all(paths: paths, scripts: shop.scripts, environment: shop.environment)
            #expect(checks.map(\.name) == ["ffmpeg", "ffprobe", "yt-dlp", "PocketSphinx", "espeak-ng"])
            #expect(checks.allSatisfy { !$0.isWorking && $0.path == nil && !$0.install.isEmpty })
            #expect(checks.filter(\.isNeeded).count == 4)
            #expect(checks[3].install == "engines/install " + shop.path("none"))
        }
    }

    @Test(.enabled(if: Workshop.hasPythonEngines, Workshop.installHint))
    func whatIsInstalledSaysItsVersion() async throws {
        try await Workshop.with { shop in
            let checks = await EngineCheck.all(paths: shop.paths, scripts: shop.scripts, environment: shop.environment)
            for check in checks {
                #expect(check.isWorking, "\(check)")
                #expect(check.version?.contains { $0.isNumber } == true)
            }
            let pinned = try String(contentsOfFile: Workshop.package + "/engines/pocketsphinx.txt", encoding: .utf8)
            let version = try #require(checks[3].version)
            #expect(pinned.contains("pocketsphinx==" + version))
        }
    }

    @Test func everyStageBeforeRenderingHasAnEngine() async throws {
        try await Workshop.with { shop in
            let engines = EmbeddedEngines.all(paths: shop.paths, scripts: shop.scripts, environment: shop.environment)
            #expect(
                engines.map { "\($0.stage.rawValue) \($0.name)" } == [
                    "fetch yt-dlp", "probe ffprobe", "separate centre", "separate none", "transcribe pocketsphinx", "align pocketsphinx",
                ])
        }
    }

    // MARK: Environment

    @Test func anEngineInheritsNothingAndReportsToNobody() async throws {
        try await Workshop.with { shop in
            let variables = EngineEnvironment(owner: shop.root, threads: 3).variables(home: "/home/of/run")
            #expect(variables["HOME"] == "/home/of/run" && variables["TMPDIR"] == "/home/of/run")
            for name in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HF_HOME", "TORCH_HOME"] {
                #expect(variables[name]?.hasPrefix("/home/of/run/") == true)
            }
            #expect(
                variables["ORT_DISABLE_TELEMETRY"] == "1" && variables["PYANNOTE_METRICS_ENABLED"] == "0"
                    && variables["DO_NOT_TRACK"] == "1")
            #expect(variables["HF_HUB_OFFLINE"] == "1" && variables["OMP_NUM_THREADS"] == "3")
            for name in ["http_proxy", "PYTHONPATH", "LD_PRELOAD", "USER", "LYRICD_FAULT"] { #expect(variables[name] == nil) }
        }
    }
}

@Suite struct InstallScriptTests {
    private func install(_ shop: Workshop, _ arguments: [String], _ environment: [String: String] = [:]) async throws -> ChildResult {
        try await ChildProcess.run(
            ChildCommand(
                executable: "/bin/sh", arguments: [Workshop.package + "/engines/install"] + arguments,
                environment: ["PATH": EngineEnvironment.systemPath, "HOME": shop.root].merging(environment) { $1 },
                workingDirectory: shop.root, owner: shop.root, timeLimit: .seconds(120)),
            onStandardOutput: { _ in })
    }

    @Test func withoutThePackagesItSaysWhatCanBeDone() async throws {
        try await Workshop.with { shop in
            let result = try await install(shop, [shop.path("engines")], ["PIP_NO_INDEX": "1", "PIP_FIND_LINKS": shop.root])
            #expect(result.ending == .exited(69), "\(result.stderrTail)")
            #expect(result.stderrTail.contains("PIP_INDEX_URL"))
            #expect(EnginePaths.find(engineFolder: shop.path("engines"), searchPath: "").ytDlp == nil)
        }
    }

    @Test(arguments: [[], ["a", "b"], ["--help"]])
    func wrongUseIsSaid(arguments: [String]) async throws {
        try await Workshop.with { shop in
            let result = try await install(shop, arguments)
            #expect(result.ending == .exited(64) && result.stderrTail.contains("usage:"))
        }
    }

    @Test func aMissingPythonIsSaid() async throws {
        try await Workshop.with { shop in
            let result = try await install(shop, [shop.path("engines")], ["PYTHON": "/nonexistent/python3"])
            #expect(result.ending == .exited(70) && result.stderrTail.contains("python3-venv"))
        }
    }

    @Test(.enabled(if: Workshop.hasPythonEngines, Workshop.installHint))
    func whatIsUpToDateIsLeftAlone() async throws {
        try await Workshop.with { shop in
            // No index: it would fail if it wanted anything.
            let result = try await install(shop, [Workshop.engineFolder], ["PIP_NO_INDEX": "1", "PIP_FIND_LINKS": shop.root])
            #expect(result.ending == .exited(0), "\(result.stderrTail)")
        }
    }
}
