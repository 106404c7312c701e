// swift-tools-version: 6.2
import PackageDescription

/// Every module of ours: Swift 6, strict memory safety, warnings are errors.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// Modules that return spans, which takes the experimental lifetime annotations.
let returnsSpans: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

/// On the hot path exclusive access to the properties of objects is checked at run time in debug
/// builds, and so by every test, but not in release builds, where it cost more than all else that an
/// echo took (Tests/Benchmarks/Echo).
let unchecked: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

/// A plugin shows its entry and nothing else.
let hidden: [CSetting] = [.unsafeFlags(["-fvisibility=hidden"])]
let entryAlone: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/entry.map"])
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)

let package = Package(
    name: "relay",
    products: [
        .executable(name: "relay", targets: ["relay"]),
        .library(name: "relay_requesttag", type: .dynamic, targets: ["RequestTag"]),
        .library(name: "relay_ratelimit", type: .dynamic, targets: ["RateLimit"]),

        // What tests load.
        .library(name: "relay_behaving", type: .dynamic, targets: ["Behaving"]),
        .library(name: "relay_guarding", type: .dynamic, targets: ["Guarding"]),
        .library(name: "relay_foreign", type: .dynamic, targets: ["Foreign"]),
        // For tests, which load it before relay.
        .library(name: "KillSwitch", type: .dynamic, targets: ["KillSwitch"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // The system's C libraries, and what of Linux Swift cannot call by itself.
        .systemLibrary(
            name: "CYaml",
            path: "Sources/CYaml",
            pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"])]
        ),
        .systemLibrary(
            name: "CSQLite",
            path: "Sources/CSQLite",
            pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"])]
        ),
        .systemLibrary(
            name: "CPCRE2",
            path: "Sources/CPCRE2",
            pkgConfig: "libpcre2-8",
            providers: [.apt(["libpcre2-dev"])]
        ),
        .target(name: "CLinux"),

        // What plugins are written against: the C header.
        .target(name: "CRelayPlugin"),

        .target(name: "RelayPlugin", dependencies: ["CRelayPlugin"], swiftSettings: strict),

        // From the bottom up: a module depends only on those above it in this list.
        .target(
            name: "RelayObservation",
            dependencies: ["CLinux", logging],
            swiftSettings: strict
        ),
        .target(
            name: "RelayEngine",
            dependencies: ["CLinux", "RelayObservation", deque],
            swiftSettings: returnsSpans + unchecked
        ),
        .target(
            name: "RelayHTTP",
            dependencies: ["RelayObservation"],
            swiftSettings: returnsSpans + unchecked
        ),
        .target(
            name: "RelayStore",
            dependencies: ["CSQLite", "RelayObservation", deque],
            swiftSettings: strict + unchecked
        ),
        .target(
            name: "RelayConfig",
            dependencies: ["CPCRE2", "CYaml", "RelayObservation"],
            swiftSettings: strict
        ),
        .target(
            name: "RelayUpstream",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayObservation", deque, logging,
            ],
            swiftSettings: strict + unchecked
        ),
        .target(
            name: "RelayPipeline",
            dependencies: [
                "CLinux", "CRelayPlugin", "RelayConfig", "RelayEngine", "RelayHTTP",
                "RelayObservation", logging,
            ],
            swiftSettings: strict + unchecked
        ),
        .target(
            name: "RelayProxy",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPipeline", "RelayUpstream",
                "RelayObservation",
            ],
            swiftSettings: strict + unchecked
        ),
        .target(
            name: "RelayPackets",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPipeline", "RelayStore",
                "RelayUpstream", "RelayObservation", deque, heap, logging,
            ],
            swiftSettings: strict + unchecked
        ),
        .target(
            name: "RelayServer",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPipeline", "RelayObservation",
                deque, logging,
            ],
            swiftSettings: strict + unchecked
        ),
        .target(
            name: "RelayAdmin",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPipeline", "RelayServer",
                "RelayObservation", logging,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "RelayApp",
            dependencies: [
                "RelayAdmin", "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPackets",
                "RelayPipeline", "RelayProxy", "RelayServer", "RelayStore", "RelayUpstream",
                "RelayObservation", logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "relay",
            dependencies: [
                "RelayApp", "RelayConfig", "RelayEngine", "RelayHTTP", "RelayObservation",
                "RelayPipeline", "RelayServer", "RelayStore", "RelayUpstream", arguments, logging,
            ],
            swiftSettings: strict
        ),

        // The plugins that ship; each sees the header of plugins, or its Swift dress, and nothing else.
        .target(
            name: "RequestTag",
            dependencies: ["CRelayPlugin"],
            path: "Plugins/RequestTag",
            publicHeadersPath: ".",
            cSettings: hidden
        ),

        .target(
            name: "RateLimit",
            dependencies: ["RelayPlugin"],
            path: "Plugins/RateLimit",
            swiftSettings: strict,
            linkerSettings: entryAlone
        ),

        // Plugins that behave as a test says, badly if it says so.
        .target(
            name: "Behaving",
            dependencies: ["CRelayPlugin"],
            path: "Tests/TestPlugins/Behaving",
            publicHeadersPath: ".",
            cSettings: hidden
        ),
        .target(
            name: "Guarding",
            dependencies: ["CRelayPlugin"],
            path: "Tests/TestPlugins/Guarding",
            publicHeadersPath: ".",
            cSettings: hidden
        ),
        .target(
            name: "Foreign",
            dependencies: ["CRelayPlugin"],
            path: "Tests/TestPlugins/Foreign",
            publicHeadersPath: ".",
            cSettings: hidden
        ),

        // What tests share: a system that misbehaves from a seed, in virtual time.
        .target(
            name: "SimulatedSystem",
            dependencies: ["RelayEngine"],
            path: "Tests/SimulatedSystem",
            swiftSettings: strict
        ),

        // Echo over the engine, and over bare epoll: Tests/Benchmarks/Echo/compare runs both.
        .executableTarget(
            name: "EchoEngine",
            dependencies: ["RelayEngine"],
            path: "Tests/Benchmarks/Echo/Engine",
            swiftSettings: strict
        ),
        .executableTarget(name: "EchoFloor", path: "Tests/Benchmarks/Echo/Floor"),

        // Which rule of a route a request meets: Tests/Benchmarks/Routing/compare counts.
        .executableTarget(
            name: "RoutingBenchmark",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPipeline", "SimulatedSystem",
            ],
            path: "Tests/Benchmarks/Routing",
            exclude: ["compare"],
            swiftSettings: strict
        ),

        // The store on disk alone.
        .executableTarget(
            name: "StoreBenchmark",
            dependencies: ["RelayObservation", "RelayStore"],
            path: "Tests/Benchmarks/Store",
            swiftSettings: strict
        ),

        // A disk that fails when a test says so.
        .target(name: "FaultyDisk", dependencies: ["CSQLite"], path: "Tests/FaultyDisk"),

        // A disk whose power is cut: below a store in a test, and below a whole relay.
        .target(name: "DiskImages", path: "Tests/DiskImages"),
        .target(name: "PowerCut", dependencies: ["CSQLite", "DiskImages"], path: "Tests/PowerCut"),
        .target(name: "KillSwitch", dependencies: ["DiskImages"], path: "Tests/KillSwitch"),

        .testTarget(
            name: "ArchitectureTests",
            dependencies: ["RelayConfig"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayObservationTests",
            dependencies: ["RelayObservation", logging],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayEngineTests",
            dependencies: ["CLinux", "RelayEngine", "SimulatedSystem"],
            swiftSettings: returnsSpans
        ),
        .testTarget(
            name: "SimulatedSystemTests",
            dependencies: ["RelayEngine", "SimulatedSystem"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayHTTPTests",
            dependencies: ["RelayHTTP"],
            swiftSettings: returnsSpans
        ),
        .testTarget(
            name: "RelayStoreTests",
            dependencies: ["FaultyDisk", "PowerCut", "RelayObservation", "RelayStore"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayConfigTests",
            dependencies: ["RelayConfig"],
            exclude: ["Golden"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayUpstreamTests",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayUpstream", "SimulatedSystem",
                logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayPipelineTests",
            dependencies: [
                "CRelayPlugin", "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPipeline",
                "SimulatedSystem", logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayProxyTests",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPipeline", "RelayProxy",
                "RelayServer", "RelayUpstream", "SimulatedSystem", logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayServerTests",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayPipeline", "RelayServer",
                "SimulatedSystem", logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayAdminTests",
            dependencies: ["RelayAdmin", "RelayConfig", "RelayHTTP"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayPacketsTests",
            dependencies: [
                "RelayConfig", "RelayEngine", "RelayHTTP", "RelayObservation", "RelayPackets",
                "RelayPipeline", "RelayServer", "RelayStore", "RelayUpstream", "SimulatedSystem",
                logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayAppTests",
            dependencies: [
                "RelayAdmin", "RelayApp", "RelayConfig", "RelayEngine", "RelayObservation",
                "RelayPipeline", "RelayServer", "RelayStore", "RelayUpstream", "SimulatedSystem",
                logging,
            ],
            swiftSettings: strict
        ),

        // The whole relay: on the simulated system, and as a program on loopback.
        .testTarget(
            name: "RelaySimulationTests",
            dependencies: [
                "RelayAdmin", "RelayApp", "RelayConfig", "RelayEngine", "RelayObservation",
                "RelayPackets", "RelayServer", "RelayStore", "SimulatedSystem", logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayEndToEndTests",
            dependencies: ["CLinux", "RelayHTTP", "relay"],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
