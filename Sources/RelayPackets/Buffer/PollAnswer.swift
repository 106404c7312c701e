import RelayHTTP
import RelayPipeline
import RelayStore

/// The fields of the answer to a poll.
enum PollAnswer {
    /// Of one with a packet.
    static func appendFields(
        _ delivery: Delivery,
        _ filters: HeaderFilterList,
        to output: inout [UInt8]
    ) {
        output.append("Content-Type: application/octet-stream\r\nCache-Control: no-store\r\n")
        output.appendField(.packetID, delivery.packet.number)
        output.appendField(.more, UInt64(clamping: delivery.more))
        if let from = delivery.packet.from { output.appendField(.from, from.bytes.span) }
        if delivery.packet.isRedelivered { output.appendField(.redelivered, "true") }
        if delivery.lost > 0 { output.appendField(.lost, delivery.lost) }
        delivery.packet.contents.withHeaders {
            CarriedFields.appendDelivered(filters, stored: $0, to: &output)
        }
    }

    /// Of one without.
    static func appendFields(
        more: Int,
        lost: UInt64,
        isDuplicate: Bool,
        _ filters: HeaderFilterList,
        to output: inout [UInt8]
    ) {
        output.append("Content-Type: application/octet-stream\r\nCache-Control: no-store\r\n")
        output.appendField(.more, UInt64(clamping: more))
        if lost > 0 { output.appendField(.lost, lost) }
        if isDuplicate { output.appendField(.duplicate, "true") }
        CarriedFields.appendDelivered(filters, stored: Span(), to: &output)
    }
}
