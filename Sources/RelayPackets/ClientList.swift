import RelayHTTP
import RelayStore

/// A list of clients while a field is read: spaces and empty members do not count, nor does an id that
/// was named before.
struct ClientList {
    private var first: ClientName?
    private var others: [ClientName] = []

    /// All of them, once a walk over the others would take longer.
    private var known: Set<ClientName> = []

    /// From how many ids on a set is kept: a head has room for thousands.
    private static let fewMax = 16

    /// What it says, each client once; nil for nobody.
    var recipients: Recipients? {
        guard let first else { return nil }
        return self.others.isEmpty ? .one(first) : .several([first] + self.others)
    }

    /// Reads all fields of the name as one list.
    ///
    /// - Parameter name: what makes an id of a member; nil for what is none.
    /// - Returns: nil if a member is no id.
    static func read(
        _ field: KnownField,
        of fields: borrowing FieldPositions,
        in head: Span<UInt8>,
        name: (Span<UInt8>) -> ClientName? = { ClientName($0) }
    ) -> ClientList? {
        var list = ClientList()
        var next = fields.firstIndex(of: field)
        while let index = next {
            var members = ListMembers(fields[index].value)
            while let member = members.next(in: head) {
                guard let name = name(head.extracting(member)) else { return nil }
                list.insert(name)
            }
            next = fields.nextIndex(of: field, after: index)
        }
        return list
    }

    private mutating func insert(_ name: ClientName) {
        guard let first else {
            self.first = name
            return
        }
        if self.others.count < Self.fewMax {
            if name != first, !self.others.contains(name) { self.others.append(name) }
            return
        }
        if self.known.isEmpty { self.known = Set([first] + self.others) }
        if self.known.insert(name).inserted { self.others.append(name) }
    }
}

/// `End-Session` in a backend's answer: the clients whose sessions it ends.
enum SessionEnds {
    /// The ids that it names; what is no id has no session.
    static func clients(
        _ fields: borrowing FieldPositions,
        in head: Span<UInt8>
    ) -> [ClientName] {
        var clients: [ClientName] = []
        var next = fields.firstIndex(of: .endSession)
        while let index = next {
            var members = ListMembers(fields[index].value)
            while let member = members.next(in: head) {
                if let name = ClientName(head.extracting(member)) { clients.append(name) }
            }
            next = fields.nextIndex(of: .endSession, after: index)
        }
        return clients
    }
}
