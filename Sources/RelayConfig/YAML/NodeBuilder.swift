/// Makes a tree of nodes from the events of one file.
///
/// Refuses what could exhaust relay: deep nesting, and aliases that stand for more nodes than any
/// configuration has ('billion laughs').
struct NodeBuilder {
    /// Lists and mappings in each other.
    static let depthMax = 64

    /// Nodes of a file, those behind aliases counted each time.
    static let nodesMax = 500_000

    /// Problems of a file, beyond which the rest is not read.
    static let problemsMax = 1000

    /// The tree, once all events were taken and nothing stopped it; nil if the file holds nothing.
    private(set) var root: Node?

    /// What is wrong so far.
    private(set) var problems: [Diagnostic] = []

    /// What stands under keys that hold secrets.
    private(set) var secrets: [Node] = []

    /// How the tags of the core schema begin (YAML 1.2, 10.3).
    private static let coreTag = "tag:yaml.org,2002:"

    private let source: SourceText
    private let environment: [String: String]
    private var open: [Collection] = []
    private var anchors: [String: Node] = [:]
    private var nodes = 0
    private var documents = 0

    /// A list or mapping whose end has not come yet.
    private struct Collection {
        let event: YAMLEvent
        let location: SourceLocation
        let isMapping: Bool
        let isFlow: Bool
        var items: [Node] = []
        var entries: [Node.Entry] = []
        /// The key whose value comes next.
        var key: (name: String, location: SourceLocation)?
        var places: [String: SourceLocation] = [:]
        var size = 1
    }

    /// A builder for one file.
    init(source: SourceText, environment: [String: String]) {
        self.source = source
        self.environment = environment
    }

    /// Takes the next event; false if the rest of the file is not worth reading.
    mutating func eventRead(_ event: YAMLEvent) -> Bool {
        let location = self.source.location(of: event.start)
        if self.problems.count >= Self.problemsMax {
            return self.stop(at: location, "too many problems; the rest of the file is not read")
        }
        if let tag = event.tag, tag != "!" {
            let shown = self.isSecret ? "" : " " + quoted(tag.replacing(Self.coreTag, with: "!!"))
            return self.stop(at: location, "tags are not used here; remove the tag\(shown)")
        }
        switch event.kind {
        case .documentStart:
            self.documents += 1
            return self.documents == 1
                || self.stop(at: location, "a second document begins; remove the '---'")
        case .documentEnd:
            return true
        case .scalar(let text, let isPlain):
            if self.expectsKey { return self.keyRead(text, at: location) }
            let scalar = self.expand(text, isPlain: isPlain, event, at: location)
            let end = self.source.location(of: event.end)
            let node = Node(content: .scalar(scalar), location: location, end: end, size: 1)
            return self.nodeRead(node, anchor: event.anchor)
        case .alias(let name):
            return self.aliasRead(name, at: location)
        case .sequenceStart(let isFlow):
            return self.opened(event, at: location, isMapping: false, isFlow: isFlow)
        case .mappingStart(let isFlow):
            return self.opened(event, at: location, isMapping: true, isFlow: isFlow)
        case .sequenceEnd, .mappingEnd:
            return self.closed(event)
        }
    }

    private var expectsKey: Bool {
        guard let last = self.open.last else { return false }
        return last.isMapping && last.key == nil
    }

    /// Whether what comes next is a secret.
    private var isSecret: Bool { self.open.last?.key.map { $0.name.namesSecret } ?? false }

    private mutating func keyRead(_ name: String, at location: SourceLocation) -> Bool {
        self.open[self.open.count - 1].key = (name, location)
        return true
    }

    private mutating func aliasRead(_ name: String, at location: SourceLocation) -> Bool {
        if self.expectsKey { return self.stop(at: location, "an alias cannot be a key") }
        guard let node = self.anchors[name] else {
            let shown = self.isSecret ? "" : " " + quoted("&\(name)")
            let message = "no anchor\(shown) stands before this alias"
            return self.stop(at: location, "\(message); if it is a text, put it in quotes")
        }
        return self.nodeRead(node, anchor: nil, at: location)
    }

    private mutating func opened(
        _ event: YAMLEvent,
        at location: SourceLocation,
        isMapping: Bool,
        isFlow: Bool
    ) -> Bool {
        if self.expectsKey {
            return self.stop(at: location, "a key is a text; put it in quotes")
        }
        guard self.open.count < Self.depthMax else {
            return self.stop(at: location, "nested more than \(Self.depthMax) deep")
        }
        self.open.append(
            Collection(event: event, location: location, isMapping: isMapping, isFlow: isFlow)
        )
        return true
    }

    private mutating func closed(_ event: YAMLEvent) -> Bool {
        guard let closed = self.open.popLast() else { return false }
        let node = Node(
            content: closed.isMapping ? .mapping(closed.entries) : .sequence(closed.items),
            location: closed.location,
            end: self.source.location(of: event.end),
            isFlow: closed.isFlow,
            size: closed.size
        )
        return self.nodeRead(node, anchor: closed.event.anchor)
    }

    /// Puts a whole node where it belongs; `alias` is where it stands if that is not its own place.
    private mutating func nodeRead(
        _ node: Node,
        anchor: String?,
        at alias: SourceLocation? = nil
    ) -> Bool {
        // A collection's parts were counted when they came; an alias brings all of its own.
        self.nodes += alias == nil ? 1 : node.size
        guard self.nodes <= Self.nodesMax else {
            let place = alias ?? node.location
            return self.stop(
                at: place,
                "more than \(Self.nodesMax) values, aliases counted each time"
            )
        }
        if let anchor { self.anchors[anchor] = node }
        guard var parent = self.open.popLast() else {
            self.root = node
            return true
        }
        parent.size += node.size
        if let key = parent.key {
            parent.key = nil
            if key.name.namesSecret { self.secrets.append(node) }
            if let first = parent.places.updateValue(key.location, forKey: key.name) {
                parent.places[key.name] = first
                self.report(
                    key.location,
                    "duplicate key \(quoted(key.name)); the first is at \(first)"
                )
            } else {
                let entry = Node.Entry(name: key.name, location: key.location, value: node)
                parent.entries.append(entry)
            }
        } else {
            parent.items.append(node)
        }
        self.open.append(parent)
        return true
    }

    private mutating func expand(
        _ written: String,
        isPlain: Bool,
        _ event: YAMLEvent,
        at location: SourceLocation
    ) -> Node.Scalar {
        let expansion = Expansion(of: written, environment: self.environment)
        for problem in expansion.problems {
            let place = self.source.location(
                of: problem.text,
                count: problem.occurrence,
                from: location,
                to: self.source.location(of: event.end)
            )
            self.report(place ?? location, problem.message)
        }
        return Node.Scalar(
            written: written,
            text: expansion.text,
            isPlain: isPlain,
            isExpanded: expansion.hasReferences,
            isBroken: !expansion.problems.isEmpty
        )
    }

    private mutating func report(_ location: SourceLocation, _ message: String) {
        self.problems.append(Diagnostic(.error, at: location, message))
    }

    private mutating func stop(at location: SourceLocation, _ message: String) -> Bool {
        self.report(location, message)
        self.root = nil
        return false
    }
}
