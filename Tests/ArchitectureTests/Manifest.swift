/// What Package.swift declares: the targets and what each may import.
struct Manifest {
    /// A target of the package.
    struct Target: Equatable {
        /// Its name, which is its module's.
        let name: String

        /// The modules it declares to depend on: targets of ours, and modules of packages.
        let dependencies: Set<String>

        /// The folder of its sources, if it is not the one of its name.
        var path: String?
    }

    /// The targets, in the order of the manifest.
    let targets: [Target]

    /// Reads a manifest written in the manner of ours.
    ///
    /// It knows `.target`, `.executableTarget`, `.testTarget` and `.systemLibrary`, dependencies
    /// that are names in quotes, `.product(name:package:)`, and constants that stand for either.
    init(_ text: String) {
        let constants = Self.constants(in: text)
        self.targets = Self.declarations(in: text).compactMap { declaration in
            guard let name = Self.quoted(in: declaration, after: "name:") else { return nil }
            let list = Self.bracketed(in: declaration, after: "dependencies:") ?? ""
            var dependencies = Set<String>()
            for item in Self.items(of: list) {
                if let product = Self.quoted(in: item, after: "name:") {
                    dependencies.insert(product)
                } else if item.hasPrefix("\"") {
                    dependencies.insert(String(item.dropFirst().dropLast()))
                } else {
                    dependencies.insert(constants[item] ?? item)
                }
            }
            let path = Self.quoted(in: declaration, after: "path:")
            return Target(name: name, dependencies: dependencies, path: path)
        }
    }

    /// The target that a file belongs to: by the folder that the manifest names, else by its module.
    func target(of file: SourceFile) -> Target? {
        let named = self.targets.first { target in
            target.path.map { file.path.hasPrefix("\($0)/") } ?? false
        }
        return named ?? self.targets.first { $0.name == file.module }
    }
}

extension Manifest {
    /// What stands in the parentheses of each target's declaration.
    private static func declarations(in text: String) -> [String] {
        let kinds = [".target(", ".executableTarget(", ".testTarget(", ".systemLibrary("]
        var declarations: [(String.Index, String)] = []
        for kind in kinds {
            for range in text.ranges(of: kind) {
                guard let end = Self.end(of: text[range.upperBound...], open: "(", close: ")")
                else { continue }
                declarations.append((range.lowerBound, String(text[range.upperBound..<end])))
            }
        }
        return declarations.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Constants that stand for a dependency, and the module of each.
    private static func constants(in text: String) -> [String: String] {
        var constants: [String: String] = [:]
        for range in text.ranges(of: ": Target.Dependency") {
            let name = text[..<range.lowerBound].reversed().prefix { $0.isLetter || $0.isNumber }
            constants[String(name.reversed())] = Self.quoted(
                in: String(text[range.upperBound...]),
                after: "name:"
            )
        }
        return constants
    }

    /// The items of a list, split at its own commas only.
    private static func items(of list: String) -> [String] {
        var items = [""]
        var depth = 0
        for character in list where !character.isWhitespace {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                items.append("")
            } else {
                items[items.count - 1].append(character)
            }
        }
        return items.filter { !$0.isEmpty }
    }

    /// The first text in quotes after `label`.
    private static func quoted(in text: String, after label: String) -> String? {
        guard let start = text.firstRange(of: label)?.upperBound else { return nil }
        let parts = text[start...].split(
            separator: "\"",
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        return parts.count == 3 ? String(parts[1]) : nil
    }

    /// What stands in the first brackets after `label`.
    private static func bracketed(in text: String, after label: String) -> String? {
        guard let start = text.firstRange(of: label)?.upperBound,
            let open = text[start...].firstIndex(of: "[")
        else { return nil }
        let inside = text[text.index(after: open)...]
        return Self.end(of: inside, open: "[", close: "]").map { String(inside[..<$0]) }
    }

    /// The bracket that closes what was opened just before `text`.
    private static func end(
        of text: Substring,
        open: Character,
        close: Character
    ) -> String.Index? {
        var depth = 1
        for index in text.indices {
            if text[index] == open { depth += 1 }
            if text[index] == close { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }
}
