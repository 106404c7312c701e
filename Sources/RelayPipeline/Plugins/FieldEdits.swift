import RelayHTTP

/// The changes that a plugin makes to the fields of a request, in order.
///
/// Who passes the request on makes them, as it does those of header filters. Bound to the exchange's loop.
package final class FieldEdits {
    private enum Kind { case set, add, remove }

    private struct Edit {
        var kind: Kind
        var name: Range<Int>
        var value: Range<Int>
    }

    /// The text of names and values.
    private var text: [UInt8] = []
    private var edits: [Edit] = []

    init() {
        self.text.reserveCapacity(128)
        self.edits.reserveCapacity(4)
    }

    /// Replaces all fields of a name by one.
    func set(_ name: Span<UInt8>, to value: Span<UInt8>) { self.append(.set, name, value) }

    /// Adds a field.
    func add(_ name: Span<UInt8>, _ value: Span<UInt8>) { self.append(.add, name, value) }

    /// Removes all fields of a name.
    func remove(_ name: Span<UInt8>) { self.append(.remove, name, Span()) }

    private func append(_ kind: Kind, _ name: Span<UInt8>, _ value: Span<UInt8>) {
        let start = self.text.count
        self.text.append(name)
        self.text.append(value)
        let middle = start + name.count
        self.edits.append(
            Edit(kind: kind, name: start..<middle, value: middle..<self.text.count)
        )
    }

    /// Makes the changes.
    func apply(to fields: inout FieldLines) {
        let text = self.text
        for edit in self.edits {
            let name = text.span.extracting(edit.name)
            let value = text.span.extracting(edit.value)
            switch edit.kind {
            case .set: fields.set(name, to: value)
            case .add: fields.append(name, value, isOfFilter: true)
            case .remove: fields.removeAll { $0.equalsIgnoringCase(name) }
            }
        }
    }
}

@available(*, unavailable) extension FieldEdits: Sendable {}
