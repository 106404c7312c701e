/// Reads a configuration's files and puts them together into one tree.
///
/// What a file includes may include more, each path and pattern relative to the file it stands in;
/// no file is read twice. Sections of the same name become one, but nothing in them may be defined
/// twice: neither a listener in two files nor `log.level`.
struct Loader {
    /// Files of a configuration.
    static let filesMax = 256

    /// The whole configuration; nil if the main file could not be read.
    private(set) var root: Node?

    /// What is wrong with the files.
    private(set) var problems: [Diagnostic] = []

    /// The files in the order in which they were read.
    private(set) var sources: [SourceText] = []

    /// What no diagnostic may show.
    private(set) var secrets: [Node] = []

    /// The files, of those read, that are no YAML.
    private(set) var unreadable: Set<String> = []

    /// Whether a part of the configuration could not be read.
    private(set) var isIncomplete = false

    private let environment: [String: String]
    private let files: any ConfigurationFiles
    /// Where each file is included, by its normalized path; nil is the main one.
    private var seen: [String: SourceLocation?] = [:]

    /// A loader of files from that place.
    init(environment: [String: String], files: any ConfigurationFiles) {
        self.environment = environment
        self.files = files
    }

    /// Reads the main file, and what it includes.
    mutating func load(path: String) {
        do throws(FileProblem) {
            let bytes = try self.files.contents(of: path, bytesMax: Document.bytesMax)
            self.load(bytes: bytes, named: path)
        } catch {
            let message = "cannot read \(quoted(path)): \(error.reason); name another file with -c"
            self.problems.append(Diagnostic(.error, at: nil, message))
        }
    }

    /// Takes the text of the main file, and reads what it includes.
    mutating func load(bytes: [UInt8], named path: String) {
        self.seen[Path.normalized(path)] = .some(nil)
        guard let main = self.document(bytes, named: path) else { return }
        self.root = main
        self.include(main)
    }

    /// Reads a file as YAML; nil if it is no mapping.
    private mutating func document(_ bytes: [UInt8], named path: String) -> Node? {
        let document = Document(file: path, bytes: bytes, environment: self.environment)
        self.sources.append(document.source)
        self.problems += document.problems
        self.secrets += document.secrets
        guard let root = document.root else {
            self.isIncomplete = true
            self.unreadable.insert(path)
            return nil
        }
        guard case .mapping = root.content else {
            let message = "the file is a mapping of sections, not \(root.kind); write 'version: 1'"
            self.report(root.location, message)
            self.isIncomplete = true
            return nil
        }
        return root
    }

    /// Reads what a file includes; patterns are relative to it.
    private mutating func include(_ node: Node) {
        guard let include = node["include"] else { return }
        for pattern in include.items {
            guard let scalar = pattern.scalar, !scalar.isNull, !scalar.text.isEmpty else {
                let message = "'include' is a list of paths and patterns"
                self.reportInclude(pattern, "\(message); write '[conf.d/*.yaml]'")
                continue
            }
            let directory = Path.pattern(matching: Path.directory(of: pattern.location.file))
            self.include(Path.joined(directory, scalar.text), pattern, shown: Word(scalar).shown)
        }
    }

    private mutating func include(_ pattern: String, _ node: Node, shown: String) {
        let paths = self.files.matches(of: pattern)
        if paths.isEmpty, !pattern.contains(where: { "*?[".contains($0) }) {
            self.reportInclude(node, "there is no file \(shown) to include")
        }
        for path in paths {
            if let first = self.seen[Path.normalized(path)] {
                let problem = first.map { "is included already at \($0)" } ?? "is the main file"
                self.report(node.location, "\(quoted(path)) \(problem); narrow the pattern")
                continue
            }
            self.seen[Path.normalized(path)] = node.location
            guard self.seen.count <= Self.filesMax else {
                return self.reportInclude(node, "more than \(Self.filesMax) files; join some")
            }
            do throws(FileProblem) {
                let bytes = try self.files.contents(of: path, bytesMax: Document.bytesMax)
                guard let included = self.document(bytes, named: path) else { continue }
                self.merge(included)
                self.include(included)
            } catch {
                self.reportInclude(node, "cannot read \(quoted(path)): \(error.reason)")
            }
        }
    }

    /// Adds the sections of an included file to those that are there.
    private mutating func merge(_ included: Node) {
        guard let root else { return }
        var entries = root.entries
        for entry in included.entries where entry.name != "include" {
            if entry.name == "version" {
                // Each file may say it; the main one must.
                if entry.value.scalar?.text != "1" {
                    self.report(entry.location, "'version' is 1 in every file; write 'version: 1'")
                }
                continue
            }
            guard let index = entries.firstIndex(where: { $0.name == entry.name }) else {
                entries.append(entry)
                continue
            }
            guard case .mapping = entries[index].value.content,
                case .mapping = entry.value.content
            else {
                self.reportTwice("'\(entry.name)'", entry.location, entries[index].location)
                continue
            }
            entries[index] = self.merge(entries[index], entry)
        }
        self.root = root.with(entries)
    }

    /// Adds the entries of a section to those of the same section.
    private mutating func merge(_ section: Node.Entry, _ other: Node.Entry) -> Node.Entry {
        var entries = section.value.entries
        let places = Dictionary(
            entries.map { ($0.name, $0.location) },
            uniquingKeysWith: { first, _ in first }
        )
        for entry in other.value.entries {
            if let first = places[entry.name] {
                let name = "\(quoted(entry.name)) of '\(section.name)'"
                self.reportTwice(name, entry.location, first)
            } else {
                entries.append(entry)
            }
        }
        return Node.Entry(
            name: section.name,
            location: section.location,
            value: section.value.with(entries)
        )
    }

    private mutating func reportTwice(
        _ name: String,
        _ location: SourceLocation,
        _ first: SourceLocation
    ) {
        self.report(location, "\(name) is defined twice; the first is at \(first); remove one")
    }

    private mutating func reportInclude(_ node: Node, _ message: String) {
        self.isIncomplete = true
        if node.scalar?.isBroken ?? false { return }
        self.report(node.location, message)
    }

    private mutating func report(_ location: SourceLocation, _ message: String) {
        self.problems.append(Diagnostic(.error, at: location, message))
    }
}

extension Node {
    /// The same mapping with other entries.
    fileprivate func with(_ entries: [Entry]) -> Node {
        Node(
            content: .mapping(entries),
            location: self.location,
            end: self.end,
            isFlow: self.isFlow,
            size: entries.reduce(1) { $0 + $1.value.size }
        )
    }
}
