import RelayHTTP

/// What `Ack` says in a client's request: up to which number it has everything.
enum AckField: Equatable {
    /// There is none.
    case absent
    /// No decimal number, one that does not fit into 64 bits, or more than one field.
    case malformed
    /// Everything up to and including this number; 0 is nothing yet.
    case upTo(UInt64)

    /// Reads the field of the name, in constant time.
    init(_ fields: borrowing FieldPositions, in head: Span<UInt8>) {
        guard let value = fields.value(of: .ack) else {
            self = .absent
            return
        }
        guard !fields.isRepeated(.ack), let number = UInt64(decimal: head.extracting(value)) else {
            self = .malformed
            return
        }
        self = .upTo(number)
    }
}

/// What `Packet-Id` says in a request: the sender's own id of the packet.
enum PacketKeyField: Equatable {
    /// The longest key, in bytes.
    static let bytesMax = 128

    /// There is none.
    case absent
    /// Empty, too long, with a byte that is no visible ASCII character, or more than one field.
    case malformed
    /// The key stands here in the head.
    case key(ByteRange)

    /// Reads the field of the name, in time that grows with its length.
    init(_ fields: borrowing FieldPositions, in head: Span<UInt8>) {
        guard let value = fields.value(of: .packetID) else {
            self = .absent
            return
        }
        let bytes = head.extracting(value)
        guard !fields.isRepeated(.packetID), 1...Self.bytesMax ~= bytes.count else {
            self = .malformed
            return
        }
        for index in bytes.indices where !(0x21...0x7E ~= bytes[index]) {
            self = .malformed
            return
        }
        self = .key(value)
    }
}
