/// Header fields that relay writes itself, after all filters.
struct ReservedFields: Sendable {
    /// Their names in lower case.
    let names: Set<String>

    /// Whose they are, as messages say it.
    let owner: String

    /// Framing and hop-by-hop fields (RFC 9110, 7.6.1; RFC 9112, 6): nowhere may a filter write
    /// them.
    static let framing = ReservedFields(
        names: [
            "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer",
            "transfer-encoding", "upgrade",
        ],
        owner: "belongs to the connection"
    )

    /// The fields of the packet protocol, and those that prove who a client is: no filter may write
    /// them on a listener that takes packets.
    static let protocolFields = ReservedFields(
        names: [
            "type", "from", "to", "debug", "permissions", "client-id", "packet-id", "ack",
            "attempt", "more", "lost", "redelivered", "duplicate", "stored", "end-session",
            "authorization", "cookie",
        ],
        owner: "belongs to the packet protocol"
    )

    /// Whether a name is one of them, or an alias that a backend may take for one of them.
    func contains(_ name: String) -> Bool {
        let name = name.lowercased().replacing("_", with: "-").replacing(".", with: "-")
        return self.names.contains(name)
    }

    /// Reports every rule of a filter that writes such a field, or passes it by its name.
    func check(filter: Node, _ reading: inout Reading) {
        for list in ["request", "response"] {
            for rule in filter[list]?.items ?? [] {
                self.check(rule: rule, &reading)
            }
        }
    }

    private func check(rule: Node, _ reading: inout Reading) {
        for action in rule.entries {
            switch action.name {
            case "set", "add":
                for field in action.value.entries {
                    self.check(field.name, at: field.location, action.name, &reading)
                }
            case "rename":
                for field in action.value.entries {
                    let name = field.value.scalar?.text ?? ""
                    self.check(name, at: field.value.location, action.name, &reading)
                }
            case "pass":
                for name in action.value.items {
                    self.check(name.scalar?.text ?? "", at: name.location, action.name, &reading)
                }
            default:
                break
            }
        }
    }

    private func check(
        _ name: String,
        at location: SourceLocation,
        _ action: String,
        _ reading: inout Reading
    ) {
        guard self.contains(name) else { return }
        reading.error(
            at: location,
            "\(quoted(name)) \(self.owner), so '\(action)' cannot name it; remove it"
        )
    }
}
