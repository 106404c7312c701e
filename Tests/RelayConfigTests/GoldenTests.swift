import RelayConfig
import Testing

/// Whole files: what relay makes of them, and what it says about them.
struct GoldenTests {
    private static let good = GoldenFolder(name: "good")
    private static let bad = GoldenFolder(name: "bad")
    private static let warned = GoldenFolder(name: "warned")

    @Test func `has files of every kind`() {
        #expect(Self.good.cases.count >= 10)
        #expect(Self.bad.cases.count >= 60)
        #expect(Self.warned.cases.count >= 3)
    }

    @Test(arguments: bad.cases)
    func `refuses, and says why`(name: String) throws {
        let loaded = Self.bad.load("\(name).yaml")
        let expected = try #require(
            Self.bad.text(of: "\(name).expected"),
            "no expected diagnostics"
        )
        #expect(loaded.report == expected)
        #expect(loaded.configuration == nil)
        #expect(loaded.printed == nil)
    }

    @Test(arguments: warned.cases)
    func `accepts, and warns`(name: String) throws {
        let loaded = Self.warned.load("\(name).yaml")
        let expected = try #require(
            Self.warned.text(of: "\(name).expected"),
            "no expected warnings"
        )
        #expect(loaded.report == expected)
        #expect(!loaded.diagnostics.isEmpty)
        #expect(loaded.configuration != nil)
    }

    @Test(arguments: good.cases)
    func `accepts, and prints the whole`(name: String) throws {
        let loaded = Self.good.load("\(name).yaml")
        #expect(loaded.report == "")
        let printed = try #require(loaded.printed)
        let expected = try #require(Self.good.text(of: "\(name).printed"), "no expected print")
        #expect(printed == expected)
    }

    @Test(arguments: good.cases)
    func `loads again what it printed`(name: String) throws {
        let first = Self.good.load("\(name).yaml")
        let printed = try #require(first.printed)
        let second = Configuration.load(
            text: printed,
            path: "\(name).yaml",
            environment: GoldenFolder.environment,
            files: Self.good
        )
        #expect(second.report == "")
        #expect(second.configuration == first.configuration)
        #expect(second.printed == printed)
    }
}
