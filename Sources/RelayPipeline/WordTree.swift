import RelayHTTP

/// Trees whose edges are words: from a node by a word to the next node, in one table.
///
/// The words come from the configuration, and only what is asked for from outside: nobody outside can make two
/// words fall on the same place of the table.
struct WordTree {
    /// The node that is always there.
    static let root = 0

    private struct Edge {
        let parent: Int
        let child: Int
        let word: Range<Int>
        let hash: UInt64
    }

    private let ignoresCase: Bool
    private var edges: [Edge] = []
    /// The words of the edges, one behind the other.
    private var text: [UInt8] = []
    /// Open addressing: an edge's index + 1, or 0; at most half full.
    private var slots = [Int](repeating: 0, count: 16)

    /// How many nodes there are: 0 up to this number.
    private(set) var nodeCount = 1

    /// The root alone.
    init(ignoresCase: Bool) {
        self.ignoresCase = ignoresCase
    }

    /// The node to which the word leads from `node`; nil: none.
    func child(of node: Int, _ word: Span<UInt8>) -> Int? {
        let hash = self.hash(node, word)
        var slot = Int(truncatingIfNeeded: hash) & (self.slots.count - 1)
        while self.slots[slot] != 0 {
            let edge = self.edges[self.slots[slot] - 1]
            if edge.hash == hash, edge.parent == node, self.isWord(edge.word, word) {
                return edge.child
            }
            slot = (slot + 1) & (self.slots.count - 1)
        }
        return nil
    }

    /// The same, with a new node if there is none.
    mutating func addChild(of node: Int, _ word: [UInt8]) -> Int {
        if let child = self.child(of: node, word.span) { return child }
        let start = self.text.count
        self.text += word
        let edge = Edge(
            parent: node,
            child: self.nodeCount,
            word: start..<self.text.count,
            hash: self.hash(node, word.span)
        )
        self.nodeCount += 1
        self.edges.append(edge)
        if self.edges.count * 2 > self.slots.count {
            self.slots = [Int](repeating: 0, count: self.slots.count * 2)
            for index in self.edges.indices { self.enter(index) }
        } else {
            self.enter(self.edges.count - 1)
        }
        return edge.child
    }

    /// A node to which no word leads.
    mutating func addRoot() -> Int {
        self.nodeCount += 1
        return self.nodeCount - 1
    }

    private mutating func enter(_ index: Int) {
        var slot = Int(truncatingIfNeeded: self.edges[index].hash) & (self.slots.count - 1)
        while self.slots[slot] != 0 { slot = (slot + 1) & (self.slots.count - 1) }
        self.slots[slot] = index + 1
    }

    private func isWord(_ range: Range<Int>, _ word: Span<UInt8>) -> Bool {
        let known = self.text.span.extracting(range)
        return self.ignoresCase ? known.equalsIgnoringCase(word) : known.equals(word)
    }

    /// FNV-1a over the word, begun with the node.
    private func hash(_ node: Int, _ word: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(truncatingIfNeeded: node)
        hash = hash &* 0x0000_0100_0000_01B3
        // Letters in either case give the same; that a few other bytes do, too, harms nobody.
        let fold: UInt8 = self.ignoresCase ? 0x20 : 0
        for index in word.indices {
            hash = (hash ^ UInt64(word[index] | fold)) &* 0x0000_0100_0000_01B3
        }
        return hash ^ (hash >> 32)
    }
}
