import Testing

/// Each rule finds what it is there to find, and nothing else.
struct RulesTests {
    /// A file, and the lines at which a rule must object to it.
    struct Sample: CustomTestStringConvertible, Sendable {
        let rule: Rule
        let path: String
        let text: String
        let lines: [Int]

        init(_ rule: Rule, _ path: String, _ text: String, objectsAt lines: [Int]) {
            self.rule = rule
            self.path = path
            self.text = text
            self.lines = lines
        }

        var testDescription: String {
            let start = self.text.prefix(60).split(separator: "\n").joined(separator: " ⏎ ")
            return "\(self.rule.name): \(start)"
        }
    }

    private static let manifest = Manifest(
        """
        let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
        let package = Package(name: "x", targets: [
            .systemLibrary(name: "CYaml", path: "Sources/CYaml"),
            .target(
                name: "RelayConfig",
                dependencies: ["CYaml", log, .product(name: "DequeModule", package: "collections")],
                swiftSettings: strict),
            .executableTarget(name: "relay", dependencies: ["RelayConfig"]),
            .testTarget(name: "RelayConfigTests", dependencies: ["RelayConfig"]),
            .testTarget(name: "ArchitectureTests"),
            .executableTarget(name: "Echo", dependencies: ["RelayConfig"], path: "Tests/Benchmarks/Echo"),
        ])
        """
    )

    @Test func `the manifest's targets and their dependencies are read`() {
        #expect(
            Self.manifest.targets == [
                .init(name: "CYaml", dependencies: [], path: "Sources/CYaml"),
                .init(name: "RelayConfig", dependencies: ["CYaml", "Logging", "DequeModule"]),
                .init(name: "relay", dependencies: ["RelayConfig"]),
                .init(name: "RelayConfigTests", dependencies: ["RelayConfig"]),
                .init(name: "ArchitectureTests", dependencies: []),
                .init(name: "Echo", dependencies: ["RelayConfig"], path: "Tests/Benchmarks/Echo"),
            ]
        )
    }

    @Test(arguments: bad + good)
    func `a rule objects to`(sample: Sample) {
        let file = SourceFile(path: sample.path, text: sample.text)
        let violations = sample.rule.violations(file, Self.manifest)
        #expect(violations.map(\.line) == sample.lines)
        #expect(violations.allSatisfy { $0.path == sample.path && !$0.message.isEmpty })
    }

    @Test func `every rule has a sample that it objects to`() {
        for rule in Rule.all {
            #expect(Self.bad.contains { $0.rule.name == rule.name }, "\(rule.name)")
        }
    }

    private static let bad: [Sample] = [
        Sample(.arrows, "Sources/RelayProxy/A.swift", "import RelayPackets", objectsAt: [1]),
        Sample(.arrows, "Sources/RelayPackets/A.swift", "import RelayProxy", objectsAt: [1]),
        Sample(.arrows, "Sources/RelayEngine/A.swift", "import RelayConfig", objectsAt: [1]),
        Sample(.arrows, "Sources/RelayStore/A.swift", "import RelayConfig", objectsAt: [1]),
        Sample(.arrows, "Sources/RelayHTTP/A.swift", "import RelayConfig", objectsAt: [1]),
        Sample(.arrows, "Sources/RelayEngine/A.swift", "import RelayHTTP", objectsAt: [1]),
        Sample(.arrows, "Sources/RelayHTTP/A.swift", "import RelayEngine", objectsAt: [1]),
        Sample(.arrows, "Sources/RelayObservation/A.swift", "import RelayStore", objectsAt: [1]),
        Sample(.arrows, "Sources/RelayApp/A.swift", "import relay", objectsAt: [1]),
        Sample(
            .arrows,
            "Sources/RelayStore/A.swift",
            "import Glibc\npackage import RelayObservation\n\npackage import RelayApp",
            objectsAt: [4]
        ),
        Sample(
            .arrows,
            "Sources/RelayStore/A.swift",
            "import struct RelayConfig.Secret",
            objectsAt: [1]
        ),
        Sample(
            .arrows,
            "Sources/RelayStore/A.swift",
            "@preconcurrency public import RelayConfig",
            objectsAt: [1]
        ),
        Sample(
            .arrows,
            "Sources/RelayStore/A.swift",
            "import Glibc; import RelayConfig",
            objectsAt: [1]
        ),
        Sample(
            .arrows,
            "Sources/RelayStore/A.swift",
            "/* so: */ import RelayConfig // no",
            objectsAt: [1]
        ),
        Sample(.arrows, "Sources/RelayNew/A.swift", "let a = 1", objectsAt: [1]),

        Sample(
            .declaredImports,
            "Sources/RelayConfig/A.swift",
            "import CYaml\nimport Logging\nimport Glibc\nimport RelayStore",
            objectsAt: [4]
        ),
        Sample(
            .declaredImports,
            "Tests/RelayConfigTests/A.swift",
            "import Testing\n@testable import RelayStore",
            objectsAt: [2]
        ),
        Sample(
            .declaredImports,
            "Tests/Benchmarks/Echo/A.swift",
            "import RelayStore",
            objectsAt: [1]
        ),
        Sample(
            .declaredImports,
            "Sources/RelayNew/A.swift",
            "import RelayConfig",
            objectsAt: [1]
        ),

        Sample(.noFoundation, "Sources/relay/A.swift", "import Foundation", objectsAt: [1]),
        Sample(
            .noFoundation,
            "Sources/relay/A.swift",
            "#if canImport(Glibc)\nimport FoundationEssentials\n#endif",
            objectsAt: [2]
        ),
        Sample(
            .noFoundation,
            "Tests/RelayConfigTests/A.swift",
            "import struct Foundation.Date",
            objectsAt: [1]
        ),

        Sample(
            .uncheckedSendable,
            "Sources/relay/A.swift",
            "final class A: @unchecked Sendable {}",
            objectsAt: [1]
        ),
        Sample(
            .uncheckedSendable,
            "Sources/relay/A.swift",
            "// about something else\nlet a = 1\n\nextension A: @unchecked Sendable {}",
            objectsAt: [4]
        ),
        Sample(
            .uncheckedSendable,
            "Sources/relay/A.swift",
            "/// An outer type.\nstruct B {\n    final class A: @unchecked Sendable {}\n}",
            objectsAt: [3]
        ),

        Sample(
            .length,
            "Sources/relay/A.swift",
            String(repeating: "let a = 1\n", count: 601),
            objectsAt: [601]
        ),

        Sample(.names, "Sources/relay/StringUtils.swift", "let a = 1", objectsAt: [1]),
        Sample(.names, "Sources/relay/Common/A.swift", "let a = 1", objectsAt: [1]),
        Sample(.names, "Sources/relay/A+Misc.swift", "let a = 1", objectsAt: [1]),
        Sample(
            .names,
            "Sources/relay/A.swift",
            "struct A {}\nfinal class PoolManager<T>: A {}",
            objectsAt: [2]
        ),
        Sample(
            .names,
            "Tests/RelayConfigTests/A.swift",
            "enum Helpers {}",
            objectsAt: [1]
        ),
    ]

    private static let good: [Sample] = [
        Sample(
            .arrows,
            "Sources/RelayStore/A.swift",
            "import DequeModule\nimport Glibc\nimport RelayObservation",
            objectsAt: []
        ),
        Sample(
            .arrows,
            "Sources/RelayApp/A.swift",
            "import RelayPackets\nimport RelayProxy",
            objectsAt: []
        ),
        Sample(
            .arrows,
            "Sources/RelayStore/A.swift",
            "// import RelayConfig\n/* /* */\nimport RelayConfig\n*/\n",
            objectsAt: []
        ),
        Sample(
            .arrows,
            "Sources/RelayStore/A.swift",
            ##"let a = "\(b("x"))"; let c = """\##nimport RelayConfig\##n""""##,
            objectsAt: []
        ),
        Sample(
            .noFoundation,
            "Sources/relay/A.swift",
            ##"let a = #"""# + "\"" // "\##nlet b = "import Foundation""##,
            objectsAt: []
        ),
        Sample(
            .declaredImports,
            "Tests/RelayConfigTests/A.swift",
            "import Testing\n@testable import RelayConfig",
            objectsAt: []
        ),
        Sample(
            .declaredImports,
            "Tests/Benchmarks/Echo/A.swift",
            "import RelayConfig",
            objectsAt: []
        ),
        Sample(
            .uncheckedSendable,
            "Sources/relay/A.swift",
            "// Immutable.\n@safe\nfinal class A:\n    B, @unchecked Sendable\n{}",
            objectsAt: []
        ),
        Sample(
            .uncheckedSendable,
            "Sources/relay/A.swift",
            "// @unchecked Sendable is not for us\nlet a = \"@unchecked Sendable\"",
            objectsAt: []
        ),
        Sample(
            .length,
            "Sources/relay/A.swift",
            String(repeating: "let a = 1\n", count: 600),
            objectsAt: []
        ),
        Sample(
            .names,
            "Sources/relay/CommonLogFormat.swift",
            "struct CommonLogFormat {}",
            objectsAt: []
        ),
        Sample(
            .names,
            "Sources/relay/A.swift",
            "// enum Helpers\nlet helper = 1",
            objectsAt: []
        ),
    ]
}
