/// A list that nearly always has at most one element, which then needs no memory of its own.
struct ShortList<Element: Sendable>: Sendable {
    private var first: Element?
    private var rest: [Element] = []

    /// A list without elements.
    init() {}

    var isEmpty: Bool { self.first == nil }

    var count: Int { self.first == nil ? 0 : self.rest.count + 1 }

    var indices: Range<Int> { 0..<self.count }

    /// The element at a place below `count`.
    subscript(index: Int) -> Element {
        get {
            if index == 0, let first = self.first { return first }
            return self.rest[index - 1]
        }
        set {
            if index == 0 { self.first = newValue } else { self.rest[index - 1] = newValue }
        }
    }

    mutating func append(_ element: Element) {
        if self.first == nil { self.first = element } else { self.rest.append(element) }
    }

    /// Takes the element out; those behind it move up.
    @discardableResult
    mutating func remove(at index: Int) -> Element {
        let element = self[index]
        if index > 0 {
            self.rest.remove(at: index - 1)
        } else {
            self.first = self.rest.isEmpty ? nil : self.rest.removeFirst()
        }
        // An empty array keeps its memory, this list should not.
        if self.rest.isEmpty { self.rest = [] }
        return element
    }

    func firstIndex(where isMeant: (Element) -> Bool) -> Int? {
        self.indices.first { isMeant(self[$0]) }
    }
}
