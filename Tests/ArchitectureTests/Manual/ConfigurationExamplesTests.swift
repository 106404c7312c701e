import RelayConfig
import Testing

/// What the manual and the shipped file show is a configuration without a flaw.
struct ConfigurationExamplesTests {
    @Test func `the shipped relay.yaml has no flaw`() throws {
        let text = try #require(Repository().text(of: "relay.yaml"))
        let loaded = Configuration.load(text: text)
        #expect(loaded.diagnostics.isEmpty, "\(loaded.diagnostics)")
        #expect(loaded.configuration != nil)
    }

    @Test func `every example of relay.yaml(5) has no flaw`() throws {
        let page = try #require(Repository().text(of: "man/relay.yaml.5"))
        let examples = Self.examples(of: page)
        #expect(examples.count > 15, "only \(examples.count) examples were found")
        for example in examples {
            let text = Self.completed(example)
            let loaded = Configuration.load(
                text: text,
                environment: ["ADMIN_TOKEN": "a-long-secret", "PUSH_SECRET": "another-secret"],
                files: IncludedFiles()
            )
            #expect(loaded.diagnostics.isEmpty, "\(loaded.diagnostics)\n\(text)")
        }
    }

    /// The literal displays of the page, except the one that shows a diagnostic.
    private static func examples(of page: String) -> [String] {
        page.split(separator: "\n.Bd -literal").dropFirst().compactMap { rest in
            guard let end = rest.firstRange(of: "\n.Ed"), let start = rest.firstIndex(of: "\n")
            else { return nil }
            let text = rest[rest.index(after: start)..<end.lowerBound]
                .replacing("\\(dq", with: "\"").replacing("\\e", with: "\\")
            return text.contains(": error: ") ? nil : String(text)
        }
    }

    /// The example with everything around it that a whole file has.
    private static func completed(_ example: String) -> String {
        let listener = "listeners:\n  packets:\n    bind: 127.0.0.1:8080\n"
        let backend = "pools:\n  backend:\n    targets: [ { url: \"http://127.0.0.1:9001/\" } ]\n"
        let auth = "- auth: { pool: backend }\n"
        var text = example + "\n"
        switch example.prefix(while: { $0 != ":" }) {
        case "- auth": text = listener + pipeline(text + "- buffer: {}\n- route: backend\n")
        case "- buffer": text = listener + pipeline(auth + text + "- route: backend\n")
        case "- route": text = listener + pipeline(auth + "- buffer: {}\n" + text)
        case "match":
            let rule = "- \(indented(text, by: 2).dropFirst(2))  pool: backend\n"
            text = listener + pipeline("- route:\n" + indented(rule, by: 4))
        case "pipeline": text = listener + indented(text, by: 4)
        case "fetch", "connections": text = backend + indented(text, by: 4)
        default: break
        }
        let sections = [
            ("version", "version: 1\n"),
            ("listeners", listener + pipeline(auth + "- buffer: {}\n- route: backend\n")),
            ("pools", backend + "  files: { targets: [ { url: \"http://127.0.0.1:9002\" } ] }\n"),
            ("retry_policies", "retry_policies: { patient: { attempts: unlimited } }\n"),
            ("header_filters", "header_filters: { packets: { request: [ { pass: X-* } ] } }\n"),
        ]
        for (key, section) in sections where !"\n\(text)".contains("\n\(key):") { text += section }
        return text
    }

    private static func pipeline(_ stages: String) -> String {
        "    pipeline:\n" + self.indented(stages, by: 6)
    }

    private static func indented(_ text: String, by count: Int) -> String {
        let indent = String(repeating: " ", count: count)
        return text.split(separator: "\n").map { "\(indent)\($0)\n" }.joined()
    }
}

/// One file to include, whatever is asked for.
private struct IncludedFiles: ConfigurationFiles {
    func contents(of path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        Array("log: { level: notice }\n".utf8)
    }

    func matches(of pattern: String) -> [String] { ["conf.d/log.yaml"] }
}
