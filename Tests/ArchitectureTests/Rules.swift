import Testing

/// A place where our house is not as it should be.
struct Violation: Equatable, CustomStringConvertible {
    /// The file, from the root of the repository.
    let path: String

    /// The line, from 1.
    let line: Int

    /// What is wrong and what to do about it.
    let message: String

    var description: String { "\(self.path):\(self.line): \(self.message)" }
}

/// A rule that every file of ours keeps.
struct Rule: CustomTestStringConvertible, Sendable {
    /// The rule in words.
    let name: String

    /// Whether tests keep it, too.
    let holdsForTests: Bool

    /// The places of a file that break it.
    let violations: @Sendable (SourceFile, Manifest) -> [Violation]

    var testDescription: String { self.name }
}

/// Where each module stands: it may import modules of lower ranks only.
///
/// Those of one rank do not know each other: the proxy and the packets, so that deleting either
/// leaves the other building; the engine, HTTP, the store and the configuration, so that each can
/// be understood and tested alone.
enum Ranks {
    static let table: [[String]] = [
        ["CLinux", "CPCRE2", "CRelayPlugin", "CYaml"],
        ["RelayObservation", "RelayPlugin"],
        ["RelayConfig", "RelayEngine", "RelayHTTP", "RelayStore"],
        ["RelayPipeline", "RelayUpstream"],
        ["RelayPackets", "RelayProxy", "RelayServer"],
        ["RelayAdmin"],
        ["RelayApp"],
        ["relay"],
    ]

    /// The rank of a module of ours, from the bottom; nil for all other modules.
    static func rank(of module: String) -> Int? {
        Self.table.firstIndex { $0.contains(module) }
    }
}

extension Rule {
    /// All rules.
    static let all: [Rule] = [
        Rule.arrows, .declaredImports, .noFoundation, .uncheckedSendable, .length, .names,
    ]

    /// Imports go down the ranks.
    static let arrows = Rule(name: "imports follow the arrows", holdsForTests: false) { file, _ in
        guard let own = Ranks.rank(of: file.module) else {
            return [
                Violation(
                    path: file.path,
                    line: 1,
                    message: "module \(file.module) has no rank; give it one in Ranks.table"
                )
            ]
        }
        return file.imports.compactMap { imported in
            guard let other = Ranks.rank(of: imported.module), other >= own else { return nil }
            let relation = other == own ? "stands beside it" : "stands above it"
            return Violation(
                path: file.path,
                line: imported.line,
                message: "\(file.module) may not import \(imported.module), which \(relation)"
            )
        }
    }

    /// What is imported is declared, or comes with Swift and the C library.
    static let declaredImports = Rule(
        name: "imports are declared in Package.swift",
        holdsForTests: true
    ) { file, manifest in
        let system: Set = ["Glibc", "Synchronization", "Testing"]
        let target = manifest.target(of: file)
        let declared = target?.dependencies ?? []
        return file.imports.compactMap { imported in
            guard !system.contains(imported.module), !declared.contains(imported.module) else {
                return nil
            }
            return Violation(
                path: file.path,
                line: imported.line,
                message:
                    "Package.swift does not declare \(imported.module) for \(target?.name ?? file.module)"
            )
        }
    }

    /// Foundation costs megabytes and start-up time, and what it does for us is little.
    static let noFoundation = Rule(name: "nobody imports Foundation", holdsForTests: true) {
        file,
        _ in
        file.imports.compactMap { imported in
            guard imported.module.hasPrefix("Foundation") else { return nil }
            return Violation(
                path: file.path,
                line: imported.line,
                message: "\(imported.module) is not for us; use Glibc or write what is needed"
            )
        }
    }

    /// Who tells the compiler to trust them says why.
    static let uncheckedSendable = Rule(
        name: "@unchecked Sendable has its reason above it",
        holdsForTests: true
    ) { file, _ in
        file.text.code.indices.compactMap { index in
            guard file.text.code[index].contains("@unchecked Sendable") else { return nil }
            guard !file.hasCommentAbove(lineAt: index) else { return nil }
            return Violation(
                path: file.path,
                line: index + 1,
                message: "say in a comment above it what makes @unchecked Sendable safe"
            )
        }
    }

    /// A long file holds two concepts.
    static let length = Rule(name: "files are short", holdsForTests: false) { file, _ in
        let longest = 600
        guard file.text.lines.count > longest else { return [] }
        return [
            Violation(
                path: file.path,
                line: longest + 1,
                message: "\(file.text.lines.count) lines, at most \(longest): split it by concept"
            )
        ]
    }

    /// A name that says nothing gathers what has no home.
    static let names = Rule(name: "names say what they name", holdsForTests: true) { file, _ in
        var violations: [Violation] = []
        for part in file.path.split(separator: "/") {
            let stem = part.split(separator: ".").first ?? part
            for name in stem.split(separator: "+") where Names.saysNothing(name) {
                violations.append(
                    Violation(
                        path: file.path,
                        line: 1,
                        message: "'\(name)' says nothing; name the concept"
                    )
                )
            }
        }
        for (index, line) in file.text.code.enumerated() {
            for name in Names.declaredTypes(in: line) where Names.saysNothing(name) {
                violations.append(
                    Violation(
                        path: file.path,
                        line: index + 1,
                        message: "'\(name)' says nothing; name the concept"
                    )
                )
            }
        }
        return violations
    }
}

extension SourceFile {
    /// Whether a comment stands directly above the declaration of which this line is part.
    ///
    /// The lines between may be attributes, or the beginning of the same declaration: they do not
    /// end in a brace.
    fileprivate func hasCommentAbove(lineAt index: Int) -> Bool {
        for above in self.text.lines[..<index].reversed() {
            let line = above.drop { $0 == " " || $0 == "\t" }
            if line.hasPrefix("//") || line.hasPrefix("*/") || line.hasSuffix("*/") { return true }
            if line.isEmpty || line.hasSuffix("{") || line.hasSuffix("}") { return false }
        }
        return false
    }
}

/// Names of types and files.
enum Names {
    /// Whether the last word of a name in CamelCase is one that fits everything.
    static func saysNothing(_ name: Substring) -> Bool {
        let empty: Set = [
            "util", "utils", "utility", "utilities", "helper", "helpers", "common", "manager",
            "managers", "misc", "miscellaneous",
        ]
        return empty.contains(Self.lastWord(of: name).lowercased())
    }

    /// The types that a line of code declares.
    static func declaredTypes(in line: String) -> [Substring] {
        let keywords: Set<Substring> = [
            "struct", "class", "enum", "actor", "protocol", "typealias", "extension",
        ]
        let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
        return zip(words, words.dropFirst()).compactMap { keyword, name in
            keywords.contains(keyword) ? name.split(separator: ".").last : nil
        }
    }

    /// The part from the last capital letter on: `Manager` of `ConnectionManager`.
    private static func lastWord(of name: Substring) -> Substring {
        guard let start = name.lastIndex(where: \.isUppercase) else { return name }
        return name[start...]
    }
}
