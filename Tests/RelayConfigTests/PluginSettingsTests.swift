import RelayConfig
import Testing

/// What a plugin gets of its `config`.
struct PluginSettingsTests {
    private static func settings(_ lines: String) throws -> PluginSettings {
        let text =
            "version: 1\nplugins:\n  one:\n    library: x.so\n    config:\n"
            + lines.split(separator: "\n").map { "      \($0)\n" }.joined()
            + "listeners: { web: { bind: \"127.0.0.1:1\", pipeline: [ { plugin: one }, { route: a } ] } }\n"
            + "pools: { a: { targets: [ { url: \"http://127.0.0.1:2\" } ] } }\n"
        let loaded = Configuration.load(text: text, environment: ["NAME": "7"])
        #expect(loaded.diagnostics.isEmpty, "\(loaded.diagnostics)")
        return try #require(loaded.configuration?.plugins.first).settings
    }

    @Test func `scalars have the kinds of JSON`() throws {
        let settings = try Self.settings(
            """
            a: 12
            b: -1.5e+3
            c: true
            d: null
            e: "12"
            f: 0x1F
            g: 007
            h: a "quoted"\ttext
            i: ${NAME}
            """
        )
        #expect(
            String(decoding: settings.json, as: UTF8.self)
                == #"{"a":12,"b":-1.5e+3,"c":true,"d":null,"e":"12","f":"0x1F","g":"007","#
                + #""h":"a \"quoted\"\ttext","i":"7"}"#
        )
        #expect(
            settings.values.map(\.kind) == [
                .number, .number, .boolean, .null, .text, .text, .text, .text, .text,
            ]
        )
    }

    @Test func `values have paths, and paths have places`() throws {
        let settings = try Self.settings(
            """
            rules:
              - { rate: 1, names: [] }
              - rate: 2
            odd/name~: { x: y }
            """
        )
        #expect(
            settings.values.map(\.path) == [
                "rules/0/rate", "rules/0/names", "rules/1/rate", "odd~1name~0/x",
            ]
        )
        #expect(
            String(decoding: settings.json, as: UTF8.self)
                == #"{"rules":[{"rate":1,"names":[]},{"rate":2}],"odd/name~":{"x":"y"}}"#
        )
        #expect(settings.location(of: "rules/1/rate")?.description == "relay.yaml:8:11")
        #expect(settings.location(of: "odd~1name~0/x")?.description == "relay.yaml:9:20")
        // Of what is not there, the nearest thing that is.
        #expect(settings.location(of: "rules/1/burst/x") == settings.location(of: "rules/1"))
        #expect(settings.location(of: "nothing") == settings.location(of: ""))
    }
}
