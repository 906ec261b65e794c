// swift-tools-version: 6.2
import PackageDescription

// Upcoming features that are on everywhere, so that a file means the same in every target.
let strict: [SwiftSetting] = [
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
    .enableUpcomingFeature("ExistentialAny"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    .enableUpcomingFeature("MemberImportVisibility"),
    // Named fault points exist in debug builds only; a release build has none to trip over.
    .define("LYRICD_FAULTS", .when(configuration: .debug)),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let tomlKit: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "lyricd",
    products: [.executable(name: "lyricd", targets: ["lyricd"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // No traits: the default one brings all of Foundation into Host.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "Lyrics", swiftSettings: strict),
        .target(name: "Host", dependencies: ["CLinux", "CSystemd", crypto, logging, subprocess, systemPackage], swiftSettings: strict),
        .target(name: "Jobs", dependencies: ["Lyrics", grdb], swiftSettings: strict),
        .target(name: "Inbox", dependencies: ["Host", "Jobs", logging], swiftSettings: strict),
        .target(
            name: "Stages", dependencies: ["Host", "Jobs", "Lyrics"],
            // In the binary itself: one file to install, and nobody can change a program under the daemon.
            resources: [.embedInCode("Resources/pocketsphinx_engine.py"), .embedInCode("Resources/ytdlp_engine.py")],
            swiftSettings: strict),
        .target(name: "Pipeline", dependencies: ["Host", "Jobs", "Lyrics", "Stages", logging], swiftSettings: strict),
        .executableTarget(
            name: "lyricd",
            dependencies: [
                "Host", "Inbox", "Jobs", "Lyrics", "Pipeline", "Stages", argumentParser, logging, serviceLifecycle, tomlKit,
                unixSignals,
            ],
            swiftSettings: strict),
        // Files, folders, children and daemons for the tests, owned and removed by `with…` helpers.
        .target(name: "TestSupport", dependencies: ["Host", "Jobs"], path: "Tests/Support", swiftSettings: strict),
        .testTarget(name: "LyricsTests", dependencies: ["Lyrics"], swiftSettings: strict),
        .testTarget(name: "HostTests", dependencies: ["Host", logging], swiftSettings: strict),
        .testTarget(name: "JobsTests", dependencies: ["Jobs", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "InboxTests", dependencies: ["Host", "Inbox", "Jobs", "TestSupport", logging], swiftSettings: strict),
        .testTarget(name: "StagesTests", dependencies: ["Host", "Jobs", "Lyrics", "Stages"], swiftSettings: strict),
        .testTarget(name: "HouseTests", dependencies: ["Pipeline", "TestSupport", "lyricd"], swiftSettings: strict),
        .testTarget(
            name: "DaemonTests", dependencies: ["lyricd", "Host", "Inbox", "Jobs", "Lyrics", "Pipeline", "Stages", "TestSupport", logging],
            swiftSettings: strict),
    ]
)
