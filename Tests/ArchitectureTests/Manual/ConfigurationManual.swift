/// What relay.yaml(5) says: its sections, the keys of each, and what is said of a key.
struct ConfigurationManual {
    /// A heading of the page, and the keys below it.
    struct Section {
        /// The heading: `pools.NAME.fetch`.
        let title: String

        /// The keys, in the order of the page.
        var keys: [Key] = []

        /// The last word of the heading, without `NAME`: `fetch`.
        var name: String {
            String(self.title.split(separator: ".").last { $0 != "NAME" } ?? "")
        }
    }

    /// A key and what is said of it.
    struct Key {
        /// The key itself.
        let name: String

        /// The text, without markup, in one line.
        var text = ""
    }

    /// The sections that have keys, in the order of the page.
    let sections: [Section]

    /// Reads the mdoc source of the page: `.Ss` begins a section, `.It Ic` a key.
    init(_ source: String) {
        var sections: [Section] = []
        var isInKey = false
        for line in source.split(separator: "\n") {
            if let title = line.argument(of: ".Ss ") {
                sections.append(Section(title: String(title)))
                isInKey = false
            } else if let key = line.argument(of: ".It Ic "), !sections.isEmpty {
                sections[sections.count - 1].keys.append(Key(name: String(key)))
                isInKey = true
            } else if line.hasPrefix(".El") || line.hasPrefix(".Sh") {
                isInKey = false
            } else if isInKey, let section = sections.indices.last,
                let key = sections[section].keys.indices.last
            {
                sections[section].keys[key].text.appendMdoc(line)
            }
        }
        self.sections = sections.filter { !$0.keys.isEmpty }
    }

    /// The section of that name.
    func section(named name: String) -> Section? {
        self.sections.first { $0.name == name }
    }
}

extension Substring {
    /// What stands behind `macro`, if the line begins with it.
    fileprivate func argument(of macro: String) -> Substring? {
        self.hasPrefix(macro) ? self.dropFirst(macro.count) : nil
    }
}

extension String {
    /// Adds a line of mdoc without its markup: the macro goes, its arguments stay.
    fileprivate mutating func appendMdoc(_ line: Substring) {
        var words = line.split(separator: " ")
        if line.hasPrefix(".") { words.removeFirst() }
        for word in words {
            // A delimiter that stands alone belongs to the word before it.
            let isDelimiter = word.count == 1 && ".,;:)".contains(word)
            if !self.isEmpty, !isDelimiter { self += " " }
            self += word.replacing("\\(dq", with: "\"").replacing("\\&", with: "")
                .replacing("\\-", with: "-").replacing("\\e", with: "\\")
        }
    }
}
