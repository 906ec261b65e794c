/// What every engine process gets and nothing else: no variable of the daemon's own is inherited.
package struct EngineEnvironment: Sendable, Equatable {
    package static let systemPath = "/usr/local/bin:/usr/bin:/bin"

    /// Marks every process of ours, so that left-overs of a crash are found: the state folder's path.
    package let owner: String
    /// Threads an engine may use; never more than there are free cores, because OpenMP's threads wait by spinning.
    package let threads: Int
    /// Folders separated by colons.
    package let searchPath: String

    package init(owner: String, threads: Int = 1, searchPath: String = EngineEnvironment.systemPath) {
        self.owner = owner
        self.threads = max(1, threads)
        self.searchPath = searchPath
    }

    /// - Parameter home: absolute path of an empty folder that only this run uses. Settings, plugins, caches and `.netrc`
    ///   files are looked for there, where nobody can have put any.
    package func variables(home: String) -> [String: String] {
        var variables = [
            "PATH": searchPath, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "NO_COLOR": "1", "AV_LOG_FORCE_NOCOLOR": "1",
        ]
        for name in ["CACHE", "CONFIG", "DATA", "STATE"] { variables["XDG_\(name)_HOME"] = "\(home)/\(name)" }
        // Telemetry that is on by default, in libraries that engines bring along.
        // Sources: pyannote/pyannote-audio, telemetry/; microsoft/onnxruntime, docs/Privacy.md;
        // huggingface/huggingface_hub, docs, environment variables.
        for name in ["PYANNOTE_METRICS_ENABLED"] { variables[name] = "0" }
        for name in ["ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "DENO_NO_UPDATE_CHECK"] { variables[name] = "1" }
        // Nothing is downloaded behind our back, and a model folder is never one of the user's.
        for name in ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"] { variables[name] = "1" }
        for name in ["HF_HOME", "TORCH_HOME", "NLTK_DATA"] { variables[name] = "\(home)/\(name)" }
        for name in ["OMP", "OPENBLAS", "MKL", "NUMEXPR"] { variables["\(name)_NUM_THREADS"] = "\(threads)" }
        variables["OMP_WAIT_POLICY"] = "PASSIVE"
        // Progress that is buffered arrives at the end.
        for name in ["PYTHONUNBUFFERED", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "PYTHONUTF8", "PYTHONSAFEPATH", "YTDLP_NO_PLUGINS"]
        {
            variables[name] = "1"
        }
        return variables
    }

    /// Options of every Python interpreter we start: isolated (no user site, no current folder, no `PYTHON…` variables, so
    /// their part is said again here), unbuffered, writing no byte code.
    package static let pythonOptions = ["-I", "-u", "-B", "-X", "utf8"]
}
