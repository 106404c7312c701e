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
        guard var index = fields.firstIndex(of: field) else {
            self = .absent
            return
        }
        var names: [ClientName] = []
        while true {
            var members = ListMembers(fields[index].value)
            while let member = members.next(in: head) {
                guard let name = ClientName(head.extracting(member)) else {
                    self = .malformed
                    return
                }
                if !names.contains(name) { names.append(name) }
            }
            guard let next = fields.nextIndex(of: field, after: index) else { break }
            index = next
        }
        switch names.count {
        case 0: self = .malformed
        case 1: self = .clients(.one(names[0]))
        default: self = .clients(.several(names))
        }
    }
}
