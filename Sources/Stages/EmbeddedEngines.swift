/// The engines that work with nothing but Debian packages and two virtual environments.
package enum EmbeddedEngines {
    /// Every one of them, in the order of the stages; *render* and *publish* are not engines' work.
    ///
    /// - Parameters:
    ///   - allowPrivateAddresses: for tests against a server on loopback.
    ///   - noProgressLimit: how long a download may stand still.
    package static func all(
        paths: EnginePaths, scripts: EngineScripts, environment: EngineEnvironment, allowPrivateAddresses: Bool = false,
        noProgressLimit: Duration = .seconds(120)
    ) -> [any StageEngine] {
        [
            YtDlp(
                paths: paths, scripts: scripts, environment: environment,
                addressGuard: AddressGuard(allowPrivateAddresses: allowPrivateAddresses), noProgressLimit: noProgressLimit),
            FFprobe(paths: paths, environment: environment),
            CentreExtraction(paths: paths, environment: environment),
            MonoMix(paths: paths, environment: environment),
            PocketSphinxTranscriber(paths: paths, scripts: scripts, environment: environment),
            PocketSphinxAligner(paths: paths, scripts: scripts, environment: environment),
        ]
    }
}
