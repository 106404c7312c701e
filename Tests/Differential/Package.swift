// swift-tools-version: 6.2
import PackageDescription

/// RelayHTTP beside llhttp, on the same messages.
///
/// A package of its own, so that the product never builds NIO. `Sources/RelayHTTP` and what the tests share are links, because `package` access ends here.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
]

let package = Package(
    name: "relay-differential",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2")
    ],
    targets: [
        .target(name: "RelayHTTP", swiftSettings: settings),
        .testTarget(
            name: "DifferentialTests",
            dependencies: [
                "RelayHTTP",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
