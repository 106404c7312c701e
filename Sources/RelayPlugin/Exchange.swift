import CRelayPlugin

/// An exchange, within a hook that is about it; it means nothing outside.
public struct Exchange {
    /// The name of the exchange, which is never used again.
    public let id: UInt64

    /// An attribute of an exchange.
    public enum Attribute: UInt32, Sendable {
        /// The request's method; this and the next three only in `requestHead`.
        case method = 0
        /// The request's path in its normal form, without query.
        case path = 1
        /// The request's query.
        case query = 2
        /// The host and port that the request is for.
        case host = 3
        /// The client's address.
        case clientAddress = 4
        /// The address of the peer.
        case peerAddress = 5
        /// The id of the request.
        case requestID = 6
        /// The name of the listener.
        case listener = 7
    }

    /// An attribute; nil if the exchange has none, or not in this hook.
    public subscript(attribute: Attribute) -> String? {
        var value = unsafe relay_bytes()
        let status = unsafe Host.table.attribute?(self.id, attribute.rawValue, &value)
        return unsafe status == UInt32(RELAY_OK) ? String(value) : nil
    }

    /// The first field of a name, in any case; set, it replaces all of that name, by none if it is nil.
    ///
    /// What may not be written stays as it is: framing, hop-by-hop fields, `Host`, `Expect`, `Date`, and what the packet
    /// protocol writes.
    public subscript(field name: String) -> String? {
        get {
            var value = unsafe relay_bytes()
            let status = unsafe name.withBytes {
                unsafe Host.table.header_get?(self.id, $0, &value)
            }
            return unsafe status == UInt32(RELAY_OK) ? String(value) : nil
        }
        nonmutating set {
            unsafe name.withBytes { name in
                guard let newValue else {
                    _ = unsafe Host.table.header_remove?(self.id, name)
                    return
                }
                unsafe newValue.withBytes { _ = unsafe Host.table.header_set?(self.id, name, $0) }
            }
        }
    }

    /// Adds a field behind the others; false if it may not be written.
    @discardableResult
    public func addField(_ name: String, _ value: String) -> Bool {
        unsafe name.withBytes { name in
            unsafe value.withBytes { value in
                unsafe Host.table.header_add?(self.id, name, value) == UInt32(RELAY_OK)
            }
        }
    }

    /// All fields, in order.
    public var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        var field = unsafe relay_field()
        while unsafe Host.table.header_at?(self.id, fields.count, &field) == UInt32(RELAY_OK) {
            unsafe fields.append((String(field.name), String(field.value)))
        }
        return fields
    }

    /// Gives relay the answer; false if it may not be given.
    func respond(_ answer: Answer) -> Bool {
        var text: [UInt8] = []
        var ranges: [(Range<Int>, Range<Int>)] = []
        for (name, value) in answer.fields {
            let start = text.count
            text += name.utf8
            let middle = text.count
            text += value.utf8
            ranges.append((start..<middle, middle..<text.count))
        }
        return unsafe text.withUnsafeBytes { text in
            unsafe answer.body.withUnsafeBytes { body in
                let fields = unsafe ranges.map { name, value in
                    unsafe relay_field(
                        name: relay_bytes(text, name),
                        value: relay_bytes(text, value)
                    )
                }
                let whole = unsafe relay_bytes(body, 0..<body.count)
                let status = UInt32(clamping: answer.status)
                return unsafe fields.withUnsafeBufferPointer { fields in
                    unsafe Host.table.respond?(
                        self.id,
                        status,
                        fields.baseAddress,
                        fields.count,
                        whole
                    ) == UInt32(RELAY_OK)
                }
            }
        }
    }
}

@available(*, unavailable) extension Exchange: Sendable {}

extension relay_bytes {
    /// A part of a buffer.
    init(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) {
        let start = unsafe buffer.baseAddress.map { unsafe $0 + range.lowerBound }
        unsafe self.init(data: start?.assumingMemoryBound(to: CChar.self), size: range.count)
    }
}

extension String {
    /// A text of relay's.
    init(_ bytes: relay_bytes) {
        let count = unsafe bytes.data == nil ? 0 : bytes.size
        self = unsafe String(
            decoding: UnsafeRawBufferPointer(start: bytes.data, count: count),
            as: UTF8.self
        )
    }

    /// Lends the text to relay.
    func withBytes<Result>(_ body: (relay_bytes) -> Result) -> Result {
        var copy = self
        return copy.withUTF8 { buffer in
            unsafe body(relay_bytes(UnsafeRawBufferPointer(buffer), 0..<buffer.count))
        }
    }
}
