import Testing

@testable import RelayConfig

struct PrintedTests {
    /// Texts that YAML, or relay, would take for something else.
    private static let texts = [
        "", " ", "a", "null", "~", "true", "- a", "a: b", "a #b", "#", "*", "&a", "!a", "%a", "@",
        "`", "'", "\"", "\\", "\\n", "{}", "[]", ",", "?", "a\nb", "a\n", "\n", "\ta", "a\r\nb",
        "---",
        "...", "${A}", "$${A}", "$$${", "\u{0}", "\u{7F}", "\u{85}", "\u{2028}", "\u{FEFF}", "é👩‍👩‍👧",
        "127.0.0.1:80", "[::]:80", "a:", ":a", "1", "0x1", "=", "<<", "a  b ", "\u{FFFE}",
    ]

    @Test(arguments: texts)
    func `prints a text so that it is read again`(text: String) throws {
        let printed = Printed.mapping([
            .init(name: text, value: .text(text)),
            .init(name: "list", value: .list([.text(text), .list([.text(text)])])),
            .init(name: "nothing", value: .list([.list([]), .mapping([])])),
        ])
        let file = printed.lines.joined(separator: "\n")
        let document = Document(file: "a", bytes: Array(file.utf8), environment: [:])
        #expect(document.problems == [])
        let root = try #require(document.root)
        #expect(root.entries.first?.name == text)
        #expect(root.entries.first?.value.scalar?.text == text)
        #expect(root.entries.first?.value.scalar?.isNull == false)
        let list = try #require(root["list"]?.items)
        #expect(list.first?.scalar?.text == text)
        #expect(list.last?.items.first?.scalar?.text == text)
        #expect(Printed(root) == printed)
    }
}
