import RelayConfig
import RelayHTTP

/// Finds the rules of a route whose `host` and `path` can match, without a look at the others.
///
/// A tree of labels from the right of the host leads to trees of segments from the left of the path; each node of
/// those has the rules that its path, or all paths from there on, may meet:
///
/// ```
///  com ─ example ┬─ api        exactly this host ──▶ "" ─ v1 ─ users
///                └─ below: *.example.com ──▶ …
///  any host ──▶ "" ┬─ static                  rules for everything stand at the root
///                  └─ old
/// ```
///
/// What it names is a superset: a rule is still asked whether it holds. A look-up takes a step per label and
/// per segment as far as there are such rules, however long host and path are, and however many rules there are.
struct RouteIndex {
    /// Some rules, in the order of the file, that are still to be looked at: a part of `rules`.
    struct Candidates {
        /// The next one.
        var position: Int
        /// Behind the last.
        let end: Int
    }

    /// A node of the tree of hosts: the root of a tree of paths for either; -1: none.
    private struct HostNode {
        var exactly = -1
        var below = -1
    }

    /// A node of a tree of paths, as rules: those for exactly this path, and those for all paths from here on.
    private struct PathNode {
        var exactly: Range<Int> = 0..<0
        var below: Range<Int> = 0..<0
    }

    private let hosts: WordTree
    private let hostNodes: [HostNode]
    private let paths: WordTree
    private let pathNodes: [PathNode]
    /// The root of the tree of paths for rules that name no host.
    private let anyHost: Int
    /// The rules of all nodes, one node's behind the other's.
    private let rules: [Int]

    /// An index of rules that have these conditions; nil: none.
    init(_ matches: [MatchConfiguration?]) {
        var builder = Builder()
        for (rule, match) in matches.enumerated() {
            builder.add(rule, match ?? MatchConfiguration())
        }
        var rules: [Int] = []
        self.pathNodes = builder.pathNodes.map { node in
            let start = rules.count
            rules += node.exactly
            let middle = rules.count
            rules += node.below
            return PathNode(exactly: start..<middle, below: middle..<rules.count)
        }
        self.rules = rules
        self.hosts = builder.hosts
        self.hostNodes = builder.hostNodes
        self.paths = builder.paths
        self.anyHost = builder.anyHost
    }

    /// Appends what can match to `lists`, each in the order of the file.
    ///
    /// A rule may stand in several.
    func find(host: Span<UInt8>, path: Span<UInt8>, into lists: inout [Candidates]) {
        self.find(path, from: self.anyHost, into: &lists)
        var node = WordTree.root
        var end = host.count
        while let next = self.hosts.child(of: node, host.extracting(Self.label(host, end)..<end)) {
            node = next
            let start = Self.label(host, end)
            if start == 0 {
                self.find(path, from: self.hostNodes[node].exactly, into: &lists)
                return
            }
            self.find(path, from: self.hostNodes[node].below, into: &lists)
            end = start - 1
        }
    }

    /// The next rule of several lists, in the order of the file; nil if there is none left.
    func next(of lists: inout [Candidates]) -> Int? {
        var first = Int.max
        for index in lists.indices where lists[index].position < lists[index].end {
            first = min(first, self.rules[lists[index].position])
        }
        guard first < Int.max else { return nil }
        for index in lists.indices {
            let position = lists[index].position
            if position < lists[index].end, self.rules[position] == first {
                lists[index].position += 1
            }
        }
        return first
    }

    /// Where the label that ends at `end` begins.
    private static func label(_ host: Span<UInt8>, _ end: Int) -> Int {
        var start = end
        while start > 0, host[start - 1] != 0x2E { start -= 1 }
        return start
    }

    private func find(_ path: Span<UInt8>, from root: Int, into lists: inout [Candidates]) {
        guard root >= 0 else { return }
        var node = root
        self.append(self.pathNodes[node].below, to: &lists)
        guard path.count > 0, path[0] == 0x2F else { return }
        var start = 1
        while true {
            var end = start
            while end < path.count, path[end] != 0x2F { end += 1 }
            guard let next = self.paths.child(of: node, path.extracting(start..<end)) else {
                return
            }
            node = next
            self.append(self.pathNodes[node].below, to: &lists)
            if end == path.count {
                self.append(self.pathNodes[node].exactly, to: &lists)
                return
            }
            start = end + 1
        }
    }

    private func append(_ range: Range<Int>, to lists: inout [Candidates]) {
        guard !range.isEmpty else { return }
        lists.append(Candidates(position: range.lowerBound, end: range.upperBound))
    }
}

extension RouteIndex {
    /// The trees while they grow.
    private struct Builder {
        var hosts = WordTree(ignoresCase: true)
        var hostNodes = [HostNode()]
        var paths = WordTree(ignoresCase: false)
        /// The first is the root of the words, and no root of paths.
        var pathNodes: [(exactly: [Int], below: [Int])] = [([], [])]
        var anyHost = -1

        mutating func add(_ rule: Int, _ match: MatchConfiguration) {
            for root in self.roots(of: match.hosts) {
                for path in match.paths {
                    let node = self.pathNode(path, from: root)
                    self.pathNodes[node].exactly.append(rule)
                }
                guard match.paths.isEmpty else { continue }
                // `/api/` holds for what is below `/api`, which the rule itself tells apart.
                let prefixes = match.pathPrefixes.map {
                    $0.hasSuffix("/") ? $0.dropLast() : $0[...]
                }
                for prefix in prefixes.isEmpty ? [""] : prefixes {
                    let node = prefix.isEmpty ? root : self.pathNode(String(prefix), from: root)
                    if self.pathNodes[node].below.last != rule {
                        self.pathNodes[node].below.append(rule)
                    }
                }
            }
        }

        /// The roots of the trees of paths that a rule for these hosts goes into.
        private mutating func roots(of patterns: [MatchConfiguration.HostPattern]) -> [Int] {
            if patterns.isEmpty {
                if self.anyHost < 0 { self.anyHost = self.newRoot() }
                return [self.anyHost]
            }
            var roots: [Int] = []
            for pattern in patterns {
                let root =
                    switch pattern {
                    case .exactly(let host): self.root(host, \.exactly)
                    case .below(let suffix): self.root(String(suffix.dropFirst()), \.below)
                    }
                if !roots.contains(root) { roots.append(root) }
            }
            return roots
        }

        private mutating func root(_ host: String, _ kind: WritableKeyPath<HostNode, Int>) -> Int {
            // An IPv6 address is compared without its brackets.
            let bytes = host.utf8.filter { $0 != 0x5B && $0 != 0x5D }
            var node = WordTree.root
            for label in bytes.split(separator: 0x2E, omittingEmptySubsequences: false).reversed() {
                node = self.hosts.addChild(of: node, Array(label))
            }
            while self.hostNodes.count < self.hosts.nodeCount { self.hostNodes.append(HostNode()) }
            if self.hostNodes[node][keyPath: kind] < 0 {
                self.hostNodes[node][keyPath: kind] = self.newRoot()
            }
            return self.hostNodes[node][keyPath: kind]
        }

        private mutating func newRoot() -> Int {
            let root = self.paths.addRoot()
            self.addNodes()
            return root
        }

        private mutating func pathNode(_ path: String, from root: Int) -> Int {
            var node = root
            let bytes = Array(path.utf8).dropFirst()
            for segment in bytes.split(separator: 0x2F, omittingEmptySubsequences: false) {
                node = self.paths.addChild(of: node, Array(segment))
            }
            self.addNodes()
            return node
        }

        private mutating func addNodes() {
            while self.pathNodes.count < self.paths.nodeCount { self.pathNodes.append(([], [])) }
        }
    }
}
