/// What the `Connection` fields of a head say (RFC 9110 section 7.6.1).
struct ConnectionOptions {
    /// What can be wrong with them.
    enum Fault {
        /// Not a list of tokens, or one of more than `ConnectionOptions.optionsMax` names.
        case malformed
        /// Names a field that may not be dropped.
        case forbidden
    }

    /// The options that name fields are searched among all fields, so there must be an end to them.
    static let optionsMax = 32

    /// `close` is among them.
    var close = false
    /// `keep-alive` is among them.
    var keepAlive = false
    /// `upgrade` is among them.
    var upgrade = false
    /// What is wrong, if anything.
    var fault: Fault?

    /// Reads the options and marks the fields that they name in `fields`.
    init(marking fields: inout FieldPositions, in head: Span<UInt8>) {
        var names = 0
        var next = fields.firstIndex(of: .connection)
        while let index = next {
            var members = ListMembers(fields[index].value)
            while let member = members.next(in: head) {
                let option = head.extracting(member)
                if option.equalsIgnoringCase("close") {
                    self.close = true
                } else if option.equalsIgnoringCase("keep-alive") {
                    self.keepAlive = true
                } else if option.equalsIgnoringCase("upgrade") {
                    self.upgrade = true
                } else {
                    names += 1
                    guard option.isToken, names <= Self.optionsMax else {
                        self.fault = .malformed
                        return
                    }
                    if Self.isForbidden(option) { self.fault = .forbidden }
                    fields.markHopByHop(named: option, in: head)
                }
            }
            next = fields.nextIndex(of: .connection, after: index)
        }
    }

    /// Whether dropping this field would change who asks for what.
    private static func isForbidden(_ option: Span<UInt8>) -> Bool {
        switch KnownField(name: option) {
        case .host, .contentLength, .authorization, .cookie: true
        default: option.extracting(first: 12).equalsIgnoringCase("X-Forwarded-")
        }
    }
}
