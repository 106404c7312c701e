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

    /// Makes an empty list.
    package init() { fatalError() }

    /// Number of field lines.
    package var count: Int { self.positions.count }

    /// The field at `index`, which must be below `count`.
    package subscript(index: Int) -> FieldPosition { self.positions[index] }

    /// Whether there is at least one such field. O(1).
    package func contains(_ field: KnownField) -> Bool { fatalError() }

    /// Whether there is more than one such field. O(1).
    package func isRepeated(_ field: KnownField) -> Bool { fatalError() }

    /// Index of the first such field. O(1).
    package func firstIndex(of field: KnownField) -> Int? { fatalError() }

    /// Index of the next such field after `index`. O(n).
    package func nextIndex(of field: KnownField, after index: Int) -> Int? { fatalError() }

    /// Value of the first such field. O(1).
    package func value(of field: KnownField) -> ByteRange? { fatalError() }

    /// Index of the first field at or after `start` with this name in any case. O(n).
    package func firstIndex(
        named name: Span<UInt8>,
        in head: Span<UInt8>,
        from start: Int = 0
    ) -> Int? { fatalError() }
}
