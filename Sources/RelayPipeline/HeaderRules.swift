import RelayConfig
import RelayHTTP

/// One list of changes, compiled: `pass` first, then the others in the order of the file.
struct HeaderRules: Sendable {
    private enum Change: Sendable {
        case set(name: [UInt8], value: FilterValue)
        case add(name: [UInt8], value: FilterValue)
        case remove(NamePattern)
        case rename(from: NamePattern, to: [UInt8])

        /// What it writes, if it writes a field.
        var value: FilterValue? {
            switch self {
            case .set(_, let value), .add(_, let value): value
            case .remove, .rename: nil
            }
        }
    }

    /// What a packet's headers meet where there is no `headers` stage.
    static let packetDefault = HeaderRules([], isForPackets: true)

    /// What is let through; nil: everything.
    private let passed: [NamePattern]?
    private var changes: [Change]

    /// Whether it lets `X-*` through and does nothing else, so that one loop without a list will do.
    let carriesXAlone: Bool

    init(_ rules: [HeaderRuleConfiguration], isForPackets: Bool) {
        var passed: [NamePattern] = []
        var changes: [Change] = []
        for rule in rules {
            switch rule {
            case .pass(let patterns):
                passed += patterns.map(NamePattern.init)
            case .set(let fields):
                changes += fields.map {
                    .set(name: Array($0.name.utf8), value: FilterValue($0.value))
                }
            case .add(let fields):
                changes += fields.map {
                    .add(name: Array($0.name.utf8), value: FilterValue($0.value))
                }
            case .remove(let patterns):
                changes += patterns.map { .remove(NamePattern($0)) }
            case .rename(let renamings):
                changes += renamings.map {
                    .rename(from: NamePattern(name: $0.from), to: Array($0.to.utf8))
                }
            }
        }
        let isDefault = passed.isEmpty && isForPackets
        self.passed = isDefault ? [.xFields] : passed.isEmpty ? nil : passed
        self.changes = changes
        self.carriesXAlone =
            changes.isEmpty && (self.passed?.allSatisfy { $0 == .xFields } ?? false)
    }

    /// Makes the changes.
    func apply(to fields: inout FieldLines) {
        if let passed = self.passed {
            fields.removeAll { name in
                !passed.contains { $0.covers(name, standing: FieldStanding(name)) }
            }
        } else {
            // Everything is let through, but not what must be named.
            fields.removeAll { name in
                FieldStanding(name) == .ofServers && !self.renames(name)
            }
        }
        for change in self.changes {
            switch change {
            case .set(let name, let value):
                let bytes = value.bytes
                if bytes.isEmpty, value.isOfRequest {
                    fields.removeAll { $0.equalsIgnoringCase(name.span) }
                } else {
                    fields.set(name.span, to: bytes.span)
                }
            case .add(let name, let value):
                let bytes = value.bytes
                if bytes.isEmpty, value.isOfRequest { continue }
                fields.append(name.span, bytes.span, isOfFilter: true)
            case .remove(let pattern): fields.removeAll { pattern.matches($0) }
            case .rename(let pattern, let name): fields.rename(pattern, to: name.span)
            }
        }
    }

    /// Whether what it writes depends on the request.
    var hasValues: Bool { self.changes.contains { $0.value?.hasValues ?? false } }

    /// Whether what it writes depends on who the client is.
    var hasClientID: Bool { self.changes.contains { $0.value?.hasClientID ?? false } }

    /// The same with other values.
    func mappingValues(_ transform: (FilterValue) -> FilterValue) -> HeaderRules {
        var rules = self
        rules.changes = self.changes.map { change in
            switch change {
            case .set(let name, let value): .set(name: name, value: transform(value))
            case .add(let name, let value): .add(name: name, value: transform(value))
            case .remove, .rename: change
            }
        }
        return rules
    }

    private func renames(_ name: Span<UInt8>) -> Bool {
        for change in self.changes {
            if case .rename(let from, _) = change, from.matches(name) { return true }
        }
        return false
    }
}

/// A name or the beginning of names, as bytes in lower case.
struct NamePattern: Sendable, Hashable {
    private let text: [UInt8]
    private let isPrefix: Bool

    /// `X-*`.
    static let xFields = NamePattern(HeaderNamePattern(name: "x-", isPrefix: true))

    init(_ pattern: HeaderNamePattern) {
        self.text = Array(pattern.name.utf8)
        self.isPrefix = pattern.isPrefix
    }

    init(name: String) {
        self.text = Array(name.lowercased().utf8)
        self.isPrefix = false
    }

    /// Whether the name is meant.
    func matches(_ name: Span<UInt8>) -> Bool {
        self.isPrefix
            ? name.count >= self.text.count
                && name.extracting(first: self.text.count).equalsIgnoringCase(self.text.span)
            : name.equalsIgnoringCase(self.text.span)
    }

    /// Whether the name is meant, and named if its standing asks for that: `X-*` does not name `X-Accel-*`.
    func covers(_ name: Span<UInt8>, standing: FieldStanding) -> Bool {
        self.matches(name)
            && (standing != .ofServers || FieldStanding(self.text.span) == .ofServers)
    }
}
