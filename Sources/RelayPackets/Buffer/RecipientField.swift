import RelayHTTP
import RelayStore

/// What `To` (or `Debug`, its older name, without one) says in a client's request.
enum RecipientField: Equatable {
    /// There is neither.
    case absent
    /// Nobody, or something that is no id.
    case malformed
    /// These clients, each once.
    case clients(Recipients)

    /// Reads all fields of the name as one list: spaces and empty members do not count, nor does an
    /// id that was named before.
    init(_ fields: borrowing FieldPositions, in head: Span<UInt8>) {
        let field: KnownField = fields.contains(.to) ? .to : .debug
        guard fields.contains(field) else {
            self = .absent
            return
        }
        let recipients = ClientList.read(field, of: fields, in: head)?.recipients
        self = recipients.map { .clients($0) } ?? .malformed
    }
}
