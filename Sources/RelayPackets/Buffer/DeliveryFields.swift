import RelayHTTP
import RelayStore

/// What `Ack` says in a client's request: up to which number it has everything.
enum AckField: Equatable {
    /// There is none.
    case absent
    /// No decimal number, one that does not fit into 64 bits, or more than one field.
    case malformed
    /// Everything up to and including this number; 0 is nothing yet.
    case upTo(UInt64)

    /// Reads the field of the name.
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
    /// There is none.
    case absent
    /// Empty, too long, with a byte that is no visible ASCII character, or more than one field.
    case malformed
    /// There is one.
    case key(PacketKey)

    /// Reads the field of the name, in time that grows with its length.
    init(_ fields: borrowing FieldPositions, in head: Span<UInt8>) {
        guard let value = fields.value(of: .packetID) else {
            self = .absent
            return
        }
        guard !fields.isRepeated(.packetID), let key = PacketKey(head.extracting(value)) else {
            self = .malformed
            return
        }
        self = .key(key)
    }
}
