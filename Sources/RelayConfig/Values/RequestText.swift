/// A text that may hold values of the request: `{scheme}://{host}`.
package struct RequestText: Sendable, Hashable {
    /// A piece of it.
    package enum Part: Sendable, Hashable {
        /// These characters.
        case literal(String)
        /// What the request says.
        case value(RequestValue)
    }

    /// The pieces, one behind the other; literal ones are not empty, and no two of them follow each other.
    package let parts: [Part]

    /// A text of these pieces.
    package init(parts: [Part]) { self.parts = parts }

    /// A text without values.
    package init(_ text: String) {
        self.parts = text.isEmpty ? [] : [.literal(text)]
    }

    /// The text, if no value is in it.
    package var literal: String? {
        switch self.parts.first {
        case nil: ""
        case .literal(let text) where self.parts.count == 1: text
        default: nil
        }
    }
}

/// A value of a request.
package enum RequestValue: Sendable, Hashable {
    /// `{scheme}`: `http`.
    case scheme
    /// `{host}`: the host that was asked for, without port.
    case host
    /// `{path}`: the path in its normal form.
    case path
    /// `{query}`: the query without its `?`.
    case query
    /// `{method}`: the method.
    case method
    /// `{client_ip}`: the address of the client; empty for one on a unix socket.
    case clientIP
    /// `{client_id}`: the id of the session's client; empty for requests without a session.
    case clientID
    /// `{request_id}`: what `X-Request-Id` says.
    case requestID
    /// `{listener}`: the name of the listener.
    case listener
    /// `{header.NAME}`: the first field of this name, in lower case.
    case header(String)

    /// All that have a name of their own.
    static let named: [(name: String, value: RequestValue)] = [
        ("scheme", .scheme), ("host", .host), ("path", .path), ("query", .query),
        ("method", .method), ("client_ip", .clientIP), ("client_id", .clientID),
        ("request_id", .requestID), ("listener", .listener),
    ]

    /// The value with this name between the braces; nil if there is none.
    init?(name: String) {
        if let found = Self.named.first(where: { $0.name == name }) {
            self = found.value
        } else if name.hasPrefix("header."), name.dropFirst(7).description.isToken {
            self = .header(name.dropFirst(7).lowercased())
        } else {
            return nil
        }
    }

    /// The name.
    var name: String {
        if case .header(let field) = self { return "header.\(field)" }
        return Self.named.first { $0.value == self }?.name ?? ""
    }
}
