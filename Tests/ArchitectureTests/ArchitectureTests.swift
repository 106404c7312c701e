import Testing

/// Our own sources keep the rules of the house.
struct ArchitectureTests {
    let repository = Repository()

    private func manifest() throws -> Manifest {
        Manifest(try #require(self.repository.text(of: "Package.swift")))
    }

    /// Read once for all rules.
    private static let sources = Repository().swiftFiles(below: "Sources")
    private static let tests = Repository().swiftFiles(below: "Tests")

    @Test(arguments: Rule.all)
    func `every source keeps the rule`(rule: Rule) throws {
        let manifest = try self.manifest()
        #expect(Self.sources.count > 20, "only \(Self.sources.count) sources were found")
        for file in rule.holdsForTests ? Self.sources + Self.tests : Self.sources {
            for violation in rule.violations(file, manifest) {
                Issue.record("\(violation)")
            }
        }
    }

    @Test func `every folder of Sources is a target of its name`() throws {
        let manifest = try self.manifest()
        for folder in self.repository.entries(of: "Sources") {
            #expect(
                manifest.targets.contains { $0.name == folder },
                "Sources/\(folder) belongs to no target of Package.swift"
            )
        }
    }

    @Test func `what Package.swift declares follows the arrows`() throws {
        let manifest = try self.manifest()
        let product = manifest.targets.filter { Ranks.rank(of: $0.name) != nil }
        #expect(product.count == Ranks.table.joined().count)
        for target in product {
            for dependency in target.dependencies {
                guard let own = Ranks.rank(of: target.name), let other = Ranks.rank(of: dependency)
                else { continue }
                #expect(
                    other < own,
                    "Package.swift lets \(target.name) depend on \(dependency), which is not below"
                )
            }
        }
    }
}
