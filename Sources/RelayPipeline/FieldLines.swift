import RelayHTTP

/// The fields of a message while filters change them: their text, and where each stands in it.
struct FieldLines {
    private struct Line {
        var name: Range<Int>
        var value: Range<Int>
        /// Whether a filter has written it, and not somebody outside.
        var isOfFilter: Bool
    }

    private var text: [UInt8] = []
    private var lines: [Line] = []

    /// Adds a field behind the others.
    mutating func append(_ name: Span<UInt8>, _ value: Span<UInt8>, isOfFilter: Bool = false) {
        let nameRange = self.store(name)
        let valueRange = self.store(value)
        self.lines.append(Line(name: nameRange, value: valueRange, isOfFilter: isOfFilter))
    }

    /// Drops the fields whose names are meant.
    mutating func removeAll(where isMeant: (Span<UInt8>) -> Bool) {
        let text = self.text
        self.lines.removeAll { isMeant(text.span.extracting($0.name)) }
    }

    /// Replaces all fields of a name by one, in the place of the first.
    mutating func set(_ name: Span<UInt8>, to value: Span<UInt8>) {
        let first = self.lines.firstIndex {
            self.text.span.extracting($0.name).equalsIgnoringCase(name)
        }
        self.removeAll { $0.equalsIgnoringCase(name) }
        self.append(name, value, isOfFilter: true)
        guard let first, first < self.lines.count - 1, let line = self.lines.popLast() else {
            return
        }
        self.lines.insert(line, at: first)
    }

    /// Gives all fields of a name another one.
    mutating func rename(_ pattern: NamePattern, to name: Span<UInt8>) {
        for index in self.lines.indices
        where pattern.matches(self.text.span.extracting(self.lines[index].name)) {
            self.lines[index].name = self.store(name)
            self.lines[index].isOfFilter = true
        }
    }

    /// Whether a filter has written a field of this name.
    func isWrittenByFilter(_ field: KnownField) -> Bool {
        self.lines.contains { line in
            line.isOfFilter && KnownField(name: self.text.span.extracting(line.name)) == field
        }
    }

    /// Appends the lines to a head, but those whose names are not wanted.
    func append(
        to output: inout [UInt8],
        without isUnwanted: (_ name: Span<UInt8>, _ isOfFilter: Bool) -> Bool
    ) {
        for line in self.lines {
            let name = self.text.span.extracting(line.name)
            if isUnwanted(name, line.isOfFilter) { continue }
            output.appendField(name, self.text.span.extracting(line.value))
        }
    }

    /// How many fields there are.
    var count: Int { self.lines.count }

    /// The place of the first field of a name, in any case.
    func firstIndex(named name: Span<UInt8>) -> Int? {
        self.lines.firstIndex { self.text.span.extracting($0.name).equalsIgnoringCase(name) }
    }

    /// Lends the field at `index`, which is below `count`.
    func withField<Result>(
        at index: Int,
        _ read: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Result
    ) -> Result {
        let line = self.lines[index]
        return read(self.text.span.extracting(line.name), self.text.span.extracting(line.value))
    }

    private mutating func store(_ bytes: Span<UInt8>) -> Range<Int> {
        let start = self.text.count
        self.text.append(bytes)
        return start..<self.text.count
    }
}
