import RelayConfig
import Testing

struct QuantityTests {
    @Test(
        arguments: [
            ("1ms", .milliseconds(1)), ("250ms", .milliseconds(250)), ("5s", .seconds(5)),
            ("10m", .seconds(600)), ("1h", .seconds(3600)), ("0s", .zero), ("0d", .zero),
            ("0001s", .seconds(1)),
        ] as [(String, Duration)]
    )
    func `reads a duration`(text: String, expected: Duration) throws {
        let loaded = Configuration.load(text: configuration(pool: "wait: \(text)"))
        let pool = try #require(loaded.configuration?.pool(named: "app"))
        #expect(pool.wait == expected)
    }

    @Test(arguments: [
        "10", "0", "-5s", "+5s", "1.5s", "5 s", "5S", "s", "", "5sec", "1h30m", "५s", "5µs", "1e3s",
        "99999999999999999999s", "153722867280912930154d",
    ])
    func `refuses what is no duration, or too long`(text: String) {
        let loaded = Configuration.load(text: configuration(pool: "wait: \"\(text)\""))
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.count == 1)
        #expect(loaded.diagnostics.first?.location?.line == 11)
    }

    @Test(arguments: [
        ("0", 0), ("1", 1), ("1024", 1024), ("1KiB", 1024), ("3MiB", 3 << 20), ("2GiB", 2 << 30),
        ("1TiB", 1 << 40),
    ])
    func `reads a size`(text: String, expected: Int) throws {
        let top = "store: { dead_letters: { bytes: \(text) } }"
        let loaded = Configuration.load(text: configuration(top: top))
        #expect(loaded.configuration?.store.deadLetters.bytesMax == expected)
    }

    @Test(arguments: [
        "1KB", "1kib", "1 KiB", "-1", "1.5MiB", "KiB", "0x10", "1025GiB", "9999999999999999999",
        "9223372036854775807TiB",
    ])
    func `refuses what is no size, or too large`(text: String) {
        let top = "store: { dead_letters: { bytes: \(text) } }"
        let loaded = Configuration.load(text: configuration(top: top))
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.count == 1)
    }

    @Test(arguments: [("0%", 0), ("20%", 20), ("100%", 100)])
    func `reads a share`(text: String, expected: Int) throws {
        let top = "retry_policies: { quick: { budget: \(text) } }"
        let loaded = Configuration.load(text: configuration(top: top))
        #expect(loaded.configuration?.retryPolicies.first?.budgetPercent == expected)
    }

    @Test(arguments: ["20", "101%", "-1%", "2.5%", "20 %", "%"])
    func `refuses what is no share`(text: String) {
        let top = "retry_policies: { quick: { budget: \"\(text)\" } }"
        let loaded = Configuration.load(text: configuration(top: top))
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.count == 1)
    }

    @Test(arguments: [("0/s", 0), ("1KiB/s", 1024), ("100/s", 100)])
    func `reads a rate`(text: String, expected: Int) throws {
        let file = configuration().replacing(
            "    pipeline:",
            with: "    limits: { body_rate: \(text) }\n    pipeline:"
        )
        let loaded = Configuration.load(text: file)
        let listener = try #require(loaded.configuration?.listener(named: "web"))
        #expect(listener.limits.bodyBytesPerSecondMin == expected)
    }

    @Test(arguments: ["1KiB", "1KiB/m", "/s", "1KiB/s/s", "-1/s"])
    func `refuses what is no rate`(text: String) {
        let file = configuration().replacing(
            "    pipeline:",
            with: "    limits: { body_rate: \(text) }\n    pipeline:"
        )
        #expect(Configuration.load(text: file).configuration == nil)
    }
}
