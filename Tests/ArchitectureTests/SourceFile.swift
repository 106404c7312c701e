/// A Swift file of ours.
struct SourceFile: Sendable {
    /// Where it is, from the root of the repository: `Sources/RelayStore/Packet.swift`.
    let path: String

    /// The target it belongs to: the folder below `Sources` or `Tests`.
    let module: String

    /// What stands in it.
    let text: SwiftText

    /// Makes a file; the second part of its path is its module.
    init(path: String, text: String) {
        self.path = path
        let parts = path.split(separator: "/")
        self.module = parts.count > 2 ? String(parts[1]) : ""
        self.text = SwiftText(text)
    }

    /// Whether it is part of the product, and not a test.
    var isProduct: Bool { self.path.hasPrefix("Sources/") }
}

/// An `import` of a file.
struct Import: Equatable {
    /// The module: of `import struct Glibc.stat` it is `Glibc`.
    let module: String

    /// The line, from 1.
    let line: Int
}

extension SourceFile {
    /// The imports, in the order of the file, whatever their access level, attributes and kind.
    var imports: [Import] {
        var imports: [Import] = []
        for (index, line) in self.text.code.enumerated() {
            // One line may hold several declarations.
            for statement in line.split(separator: ";") {
                if let module = Self.importedModule(of: statement) {
                    imports.append(Import(module: module, line: index + 1))
                }
            }
        }
        return imports
    }

    private static let modifiers: Set<Substring> = [
        "public", "package", "internal", "fileprivate", "private",
    ]

    private static let kinds: Set<Substring> = [
        "typealias", "struct", "class", "enum", "protocol", "let", "var", "func", "actor",
    ]

    private static func importedModule(of statement: Substring) -> String? {
        var words = statement.split { $0 == " " || $0 == "\t" }[...]
        while let word = words.first, word.hasPrefix("@") || Self.modifiers.contains(word) {
            words.removeFirst()
        }
        guard words.popFirst() == "import" else { return nil }
        if let kind = words.first, Self.kinds.contains(kind) { words.removeFirst() }
        return words.first?.split(separator: ".").first.map(String.init)
    }
}
