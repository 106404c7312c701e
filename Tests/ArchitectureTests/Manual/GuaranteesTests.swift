import Testing

/// The table of guarantees in relay-architecture(7) names tests that exist.
struct GuaranteesTests {
    /// A test that the table names: its file below `Tests`, without the suffix, and its name.
    struct Reference: Equatable {
        let file: String
        let name: String
    }

    /// The tests that a section names: after `.Pa FILE` the name, up to the next macro, without the
    /// semicolon behind it.
    static func references(in section: String) -> [Reference] {
        var references: [Reference] = []
        var file: String?
        var words: [Substring] = []
        func finish() -> Reference? {
            guard let file, !words.isEmpty else { return nil }
            var name = words.joined(separator: " ")
            if name.hasSuffix(";") { name.removeLast() }
            return Reference(file: file, name: name)
        }
        for line in section.split(separator: "\n") {
            guard line.hasPrefix(".") else {
                words.append(line)
                continue
            }
            if let reference = finish() { references.append(reference) }
            words = []
            file = line.hasPrefix(".Pa ") ? String(line.dropFirst(4)) : nil
        }
        if let reference = finish() { references.append(reference) }
        return references
    }

    @Test func `every test that the page names exists`() throws {
        let repository = Repository()
        let page = try #require(repository.text(of: "man/relay-architecture.7"))
        let sections = page.split(separator: "\n.Sh ").filter { $0.hasPrefix("GUARANTEES\n") }
        let section = try #require(sections.first)
        let references = Self.references(in: String(section)).filter { $0.file.contains("/") }
        #expect(references.count > 40)
        for reference in references {
            let text = try #require(
                repository.text(of: "Tests/\(reference.file).swift"),
                "there is no Tests/\(reference.file).swift"
            )
            #expect(
                text.contains("func `\(reference.name)`("),
                "\(reference.file) has no test '\(reference.name)'"
            )
        }
    }

    @Test func `every guarantee has a test`() throws {
        let page = try #require(Repository().text(of: "man/relay-architecture.7"))
        let sections = page.split(separator: "\n.Sh ").filter { $0.hasPrefix("GUARANTEES\n") }
        for guarantee in try #require(sections.first).split(separator: "\n.It ").dropFirst() {
            #expect(!Self.references(in: String(guarantee)).isEmpty, "\(guarantee)")
        }
    }

    @Test func `a name ends at the next macro, and goes over lines`() {
        let text = ".It x\n.Pa A/B\nit does\nthis;\n.Pa C/D\nand that\n.El"
        #expect(
            Self.references(in: text) == [
                Reference(file: "A/B", name: "it does this"),
                Reference(file: "C/D", name: "and that"),
            ]
        )
    }
}
