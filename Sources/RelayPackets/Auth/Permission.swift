import RelayHTTP

/// Permission codes, of which relay knows one.
enum Permission {
    /// Whether the `Permissions` fields of a head name the permission of debug servers; nil without
    /// such a field.
    ///
    /// Compared byte by byte: what a backend reads as another code must not give power here.
    static func isDebugging(in fields: borrowing FieldPositions, _ head: Span<UInt8>) -> Bool? {
        guard var index = fields.firstIndex(of: .permissions) else { return nil }
        while true {
            var members = ListMembers(fields[index].value)
            while let member = members.next(in: head) {
                if head.extracting(member).equals("Accept-Debug") { return true }
            }
            guard let next = fields.nextIndex(of: .permissions, after: index) else { return false }
            index = next
        }
    }
}
