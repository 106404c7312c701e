import Testing

/// relay.yaml(5) says what the comments of the configuration say.
struct ConfigurationManualTests {
    let repository = Repository()

    private func manual() throws -> ConfigurationManual {
        ConfigurationManual(try #require(self.repository.text(of: "man/relay.yaml.5")))
    }

    @Test func `a page's sections, keys and texts are read`() throws {
        let manual = ConfigurationManual(
            """
            .Sh SECTIONS
            .Ss pools.NAME.fetch
            How.
            .Bl -tag -width Ds
            .It Ic mode
            Who is asked:
            .Li pool ,
            or
            .Li off .
            Default pool.
            .It Ic interval
            Default 1s; 1ms to 1h.
            .El
            Not of a key.
            .Ss nothing
            .Ss \\(dqmatch\\(dq
            .It Ic path
            A \\-.
            """
        )
        #expect(manual.sections.map(\.title) == ["pools.NAME.fetch", "\\(dqmatch\\(dq"])
        let fetch = try #require(manual.section(named: "fetch"))
        #expect(fetch.keys.map(\.name) == ["mode", "interval"])
        #expect(
            fetch.keys.map(\.text) == [
                "Who is asked: pool, or off. Default pool.", "Default 1s; 1ms to 1h.",
            ]
        )
    }

    @Test func `defaults are read from comments`() {
        let file = SourceFile(
            path: "Sources/RelayConfig/A.swift",
            text: """
                /// A section.
                struct A {
                    /// `hold`: how long a poll waits.
                    ///
                    /// Default 10s; 0s to 1h. 0s answers at once.
                    var hold = 10

                    /// `paths.auth`: where clients
                    /// log in.
                    ///
                    /// Default `/auth`; a path
                    /// in its normal form.
                    var path = "/auth"

                    /// `bind`: the address.
                    ///
                    /// Required.
                    var bind = 1

                    /// Whose default is `none`: nothing. Default 1.
                    var other = 1
                }
                """
        )
        #expect(
            DocumentedDefault.all(in: file) == [
                .init(key: "hold", sentence: "Default 10s; 0s to 1h"),
                .init(key: "auth", sentence: "Default /auth; a path in its normal form"),
            ]
        )
    }

    @Test func `no key stands twice in a section`() throws {
        for section in try self.manual().sections {
            let keys = section.keys.map(\.name)
            #expect(Set(keys).count == keys.count, "\(section.title): \(keys)")
        }
    }

    @Test func `defaults and bounds are those of the comments`() throws {
        let manual = try self.manual()
        let keys = manual.sections.flatMap(\.keys)
        let documented = self.repository.swiftFiles(below: "Sources/RelayConfig").flatMap {
            DocumentedDefault.all(in: $0)
        }
        #expect(documented.count > 50, "only \(documented.count) defaults were found")
        for known in documented {
            let texts = keys.filter { $0.name == known.key }.map(\.text)
            #expect(
                texts.contains { $0.contains(known.sentence) },
                "relay.yaml(5) does not say '\(known.sentence)' of '\(known.key)' but: \(texts)"
            )
        }
    }
}
