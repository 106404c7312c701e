import RelayObservation

extension PluginConfiguration {
    /// The keys of an entry of `plugins`.
    static let section = Section<Self>(
        "plugins",
        [
            Key("library", \.library, .library, required: true),
            Key("timeout", \.timeout, .duration(.milliseconds(10) ... .hours(1))),
            Key("config", \.settings, .pluginSettings),
        ]
    ) { plugin, node, _ in
        plugin.libraryLocation = node["library"]?.location ?? plugin.location
    }
}

extension Form<[PluginConfiguration]> {
    /// `plugins`.
    static let plugins = named(
        "plugin",
        PluginConfiguration.section,
        name: \.name,
        draft: { name, location in
            var plugin = PluginConfiguration(name: name, library: "")
            plugin.location = location
            return plugin
        },
        defined: { plugin, _, reading in reading.pluginNames.append(plugin.name) }
    )
}

extension Form<String> {
    /// The name of a plugin of this configuration.
    static let pluginName = Form(
        read: { node, name, reading in
            guard let text = Form.text().read(node, name, &reading) else { return nil }
            guard !reading.pluginNames.contains(text) else { return text }
            reading.undefined("plugin", node, known: reading.pluginNames)
            return nil
        },
        print: { .text($0) }
    )

    /// The file of a shared library: a name to look for, or a path, which is beside the file if it is relative.
    fileprivate static let library = located { word, directory throws(Rejection) in
        guard !word.text.isEmpty, !word.text.utf8.contains(0), !word.text.hasSuffix("/") else {
            throw Rejection("is the file of a shared library, not \(word.shown)")
        }
        return word.text.contains("/") ? Path.joined(directory, word.text) : word.text
    } print: { path, directory in
        path.contains("/") ? Path.relative(path, to: directory) : path
    }
}

extension Form<PluginSettings> {
    /// `config`: a mapping of which only the plugin knows the keys.
    fileprivate static let pluginSettings = Form(
        sections: [],
        read: { node, name, reading in
            guard case .mapping = node.content else {
                reading.error(at: node, "'\(name)' is a mapping, not \(node.kind)")
                return nil
            }
            return PluginSettings(node)
        },
        print: { _, node, _ in node.map { Printed(settings: $0) } ?? .mapping([]) }
    )
}

extension PluginSettings {
    /// Takes what a file says.
    fileprivate init(_ node: Node) {
        var reader = SettingsReader()
        reader.read(node, at: "")
        self.init(json: reader.json, values: reader.values, locations: reader.locations)
    }
}

/// Walks over the values of a node.
private struct SettingsReader {
    var json: [UInt8] = []
    var values: [PluginSettings.Value] = []
    var locations: [String: SourceLocation] = [:]

    mutating func read(_ node: Node, at path: String) {
        self.locations[path] = node.location
        switch node.content {
        case .scalar(let scalar):
            self.read(scalar, at: path)
        case .sequence(let items):
            if items.isEmpty { self.append(.empty, "[]", at: path) }
            self.json.append(0x5B)
            for (index, item) in items.enumerated() {
                if index > 0 { self.json.append(0x2C) }
                self.read(item, at: Self.joined(path, "\(index)"))
            }
            self.json.append(0x5D)
        case .mapping(let entries):
            if entries.isEmpty, !path.isEmpty { self.append(.empty, "{}", at: path) }
            self.json.append(0x7B)
            for (index, entry) in entries.enumerated() {
                if index > 0 { self.json.append(0x2C) }
                JSONText.appendString(entry.name, to: &self.json)
                self.json.append(0x3A)
                let key = entry.name.replacing("~", with: "~0").replacing("/", with: "~1")
                self.read(entry.value, at: Self.joined(path, key))
                self.locations[Self.joined(path, key)] = entry.location
            }
            self.json.append(0x7D)
        }
    }

    private mutating func read(_ scalar: Node.Scalar, at path: String) {
        let kind = scalar.kindAsSetting
        let text = kind == .null ? "null" : scalar.text
        self.append(kind, text, at: path)
        if kind == .text {
            JSONText.appendString(text, to: &self.json)
        } else {
            self.json += Array(text.utf8)
        }
    }

    private mutating func append(_ kind: PluginSettings.Value.Kind, _ text: String, at path: String)
    {
        self.values.append(PluginSettings.Value(path: path, kind: kind, text: text))
    }

    private static func joined(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path)/\(key)"
    }
}

extension Node.Scalar {
    /// What a plugin takes it for; what the environment had a part in is text.
    fileprivate var kindAsSetting: PluginSettings.Value.Kind {
        if self.isNull { return .null }
        guard self.isPlain, !self.isExpanded else { return .text }
        if ["true", "false"].contains(self.text) { return .boolean }
        return self.text.isJSONNumber ? .number : .text
    }
}

extension Printed {
    /// Settings as they were written, so that they are read with the same kinds again.
    fileprivate init(settings node: Node) {
        switch node.content {
        case .scalar(let scalar):
            switch scalar.kindAsSetting {
            case .null: self = .plain("null")
            case .boolean, .number: self = .plain(scalar.written)
            case .text, .empty: self = .quoted(scalar.written)
            }
        case .sequence(let items):
            self = .list(items.map { Printed(settings: $0) })
        case .mapping(let entries):
            self = .mapping(
                entries.map { Entry(name: $0.name, value: Printed(settings: $0.value)) }
            )
        }
    }
}

extension String {
    /// Whether it is a number as JSON writes it (RFC 8259 section 6).
    fileprivate var isJSONNumber: Bool {
        var rest = self.utf8[...]
        func skipDigits() -> Int {
            let count = rest.prefix { (0x30...0x39).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == 0x2D { rest = rest.dropFirst() }
        let beginsWithZero = rest.first == 0x30
        let whole = skipDigits()
        guard whole > 0, !beginsWithZero || whole == 1 else { return false }
        if rest.first == 0x2E {
            rest = rest.dropFirst()
            guard skipDigits() > 0 else { return false }
        }
        if rest.first == 0x65 || rest.first == 0x45 {
            rest = rest.dropFirst()
            if rest.first == 0x2D || rest.first == 0x2B { rest = rest.dropFirst() }
            guard skipDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
