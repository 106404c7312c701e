/// Where one field of a head stands.
package struct FieldPosition: Equatable, Sendable {
    /// The name, a token.
    package var name: ByteRange
    /// The value without the white space around it; may be empty.
    package var value: ByteRange
    /// Which field it is, if relay knows it.
    package var known: KnownField
    /// Whether the name begins with `X-`, in any case.
    package var isXField: Bool
    /// Whether it ends here: a hop-by-hop field, or one that `Connection` names.
    package var isHopByHop: Bool
}

/// The fields of one head in the order in which they came, found by position.
///
/// Belongs to a head that is used again and again: filling it allocates only until its storage has
/// grown to the largest head seen. Not for two threads at once.
package struct FieldPositions: Sendable {
    /// One entry a field line.
    package private(set) var positions: [FieldPosition] = []
    /// The known fields that occur, as a set of bits by raw value.
    private var present: UInt64 = 0
    /// The known fields that occur more than once.
    private var repeated: UInt64 = 0

    /// Makes an empty list.
    package init() {}

    /// Number of field lines.
    package var count: Int { self.positions.count }

    /// The field at `index`, which must be below `count`.
    package subscript(index: Int) -> FieldPosition { self.positions[index] }

    /// Whether there is at least one such field, in constant time.
    package func contains(_ field: KnownField) -> Bool {
        self.present & Self.bit(of: field) != 0
    }

    /// Whether there is more than one such field, in constant time.
    package func isRepeated(_ field: KnownField) -> Bool {
        self.repeated & Self.bit(of: field) != 0
    }

    /// Index of the first such field; in constant time if there is none, as for most fields asked for.
    ///
    /// Else in time that grows with the number of fields before it.
    package func firstIndex(of field: KnownField) -> Int? {
        self.contains(field) ? self.positions.firstIndex { $0.known == field } : nil
    }

    /// Index of the next such field behind `index`, in time that grows with the number of fields.
    package func nextIndex(of field: KnownField, after index: Int) -> Int? {
        guard self.isRepeated(field) else { return nil }
        var next = index + 1
        while next < self.positions.count {
            if self.positions[next].known == field { return next }
            next += 1
        }
        return nil
    }

    /// Value of the first such field, found as `firstIndex(of:)` finds it.
    package func value(of field: KnownField) -> ByteRange? {
        self.firstIndex(of: field).map { self.positions[$0].value }
    }

    /// Index of the first field at or behind `start` with this name in any case.
    ///
    /// Looks at one field after the other.
    package func firstIndex(
        named name: Span<UInt8>,
        in head: Span<UInt8>,
        from start: Int = 0
    ) -> Int? {
        var index = start
        while index < self.positions.count {
            if head.extracting(self.positions[index].name).equalsIgnoringCase(name) { return index }
            index += 1
        }
        return nil
    }
}

extension FieldPositions {
    /// Forgets all fields and keeps the storage.
    mutating func removeAll() {
        self.positions.removeAll(keepingCapacity: true)
        self.present = 0
        self.repeated = 0
    }

    /// Adds the field line at `line`, which holds no control byte; nil if it is well-formed.
    mutating func append(line: Range<Int>, of head: Span<UInt8>) -> HeadFault? {
        if head[line.lowerBound].isWhiteSpace { return .foldedField }
        let colon = Scanner.first(0x3A, in: head, line)
        guard colon > line.lowerBound, colon < line.upperBound else { return .malformedFieldName }
        let name = line.lowerBound..<colon
        let known = KnownFieldTable.field(at: name, in: head)
        if known == .other, !head.extracting(name).isToken { return .malformedFieldName }

        var lower = colon + 1
        var upper = line.upperBound
        while lower < upper, head[lower].isWhiteSpace { lower += 1 }
        while upper > lower, head[upper - 1].isWhiteSpace { upper -= 1 }
        let isXField =
            name.count > 2 && head[name.lowerBound + 1] == 0x2D
            && head[name.lowerBound] | 0x20 == 0x78
        self.note(known)
        self.positions.append(
            FieldPosition(
                name: ByteRange(name),
                value: ByteRange(lower..<upper),
                known: known,
                isXField: isXField,
                isHopByHop: known.isHopByHop
            )
        )
        return nil
    }

    private mutating func note(_ known: KnownField) {
        let bit = Self.bit(of: known)
        self.repeated |= self.present & bit
        self.present |= bit
    }

    /// The field in a set of fields; there are fewer than 64.
    @inline(__always)
    private static func bit(of field: KnownField) -> UInt64 { 1 &<< UInt64(field.rawValue) }

    /// Marks every field with this name as one that ends here.
    mutating func markHopByHop(named name: Span<UInt8>, in head: Span<UInt8>) {
        var next = self.firstIndex(named: name, in: head)
        while let index = next {
            self.positions[index].isHopByHop = true
            next = self.firstIndex(named: name, in: head, from: index + 1)
        }
    }
}
