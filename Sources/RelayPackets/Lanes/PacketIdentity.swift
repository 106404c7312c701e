import RelayHTTP
import RelayStore

/// By which name a backend knows a packet: the client's own id of it, if it has one, else its number.
///
/// The client's id is the first of the fields that are stored with the packet; nothing else can be
/// there under this name, because no client's field of it is carried.
enum PacketIdentity {
    private static let name = Array("Packet-Id: ".utf8)

    /// Adds the client's id to the fields that will be stored.
    static func append(_ key: PacketKey, to fields: inout [UInt8]) {
        fields.appendField(.packetID, key.bytes.span)
    }

    /// Adds the fields of a packet for a backend: its name, then what is carried.
    static func appendFields(of packet: Packet, to output: inout [UInt8]) {
        packet.contents.withHeaders { headers in
            if !self.begins(headers) { output.appendField(.packetID, packet.number) }
            output.append(headers)
        }
    }

    /// Contents with a name of their own: a packet keeps the one it has even when it gets another number.
    static func keeping(_ number: PacketNumber?, _ contents: PacketContents) -> PacketContents {
        guard let number, !contents.withHeaders({ self.begins($0) }) else { return contents }
        var bytes: [UInt8] = []
        bytes.appendField(.packetID, number)
        let added = bytes.count
        contents.withHeaders { bytes.append($0) }
        contents.withBody { bytes.append($0) }
        return PacketContents(bytes: bytes, headerCount: contents.headerCount + added)
    }

    private static func begins(_ headers: Span<UInt8>) -> Bool {
        guard headers.count >= self.name.count else { return false }
        for index in self.name.indices where headers[index] != self.name[index] { return false }
        return true
    }
}
