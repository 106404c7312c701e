/// The fields whose meaning relay knows, found while the head is parsed.
///
/// There are fewer than 64, so that a set of them is one machine word.
package enum KnownField: UInt8, Sendable, CaseIterable {
    /// A field that relay passes on or drops without knowing it.
    case other

    // Framing, connection and hop-by-hop fields.
    case host, contentLength, transferEncoding, connection, expect, upgrade, te, trailer
    case keepAlive, proxyConnection, proxyAuthenticate, proxyAuthorization, proxyAuthenticationInfo

    // Fields of exchanges.
    case authorization, cookie, setCookie, date, server, contentType, contentEncoding, location
    case retryAfter, prefer, preferenceApplied, wwwAuthenticate, allow, cacheControl, via, origin
    case secFetchSite, vary

    // The packet protocol.
    case type, from, to, debug, permissions, clientID, packetID, ack, attempt, more, lost
    case redelivered, duplicate, stored, endSession

    // What proxies tell about the connection and the exchange.
    case forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xRealIP, xRequestID, traceparent

    // Responses of an origin that only the proxy in front of it may see, and the admin's own.
    case xSendfile, relayAdmin

    /// Recognises a field by its name, in any case.
    package init(name: Span<UInt8>) {
        self = name.isToken ? KnownFieldTable.field(at: 0..<name.count, in: name) : .other
    }

    /// The name as relay writes it, for example `Content-Length`; empty for `other`.
    package var name: StaticString {
        switch self {
        case .other: ""
        case .host: "Host"
        case .contentLength: "Content-Length"
        case .transferEncoding: "Transfer-Encoding"
        case .connection: "Connection"
        case .expect: "Expect"
        case .upgrade: "Upgrade"
        case .te: "TE"
        case .trailer: "Trailer"
        case .keepAlive: "Keep-Alive"
        case .proxyConnection: "Proxy-Connection"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .proxyAuthorization: "Proxy-Authorization"
        case .proxyAuthenticationInfo: "Proxy-Authentication-Info"
        case .authorization: "Authorization"
        case .cookie: "Cookie"
        case .setCookie: "Set-Cookie"
        case .date: "Date"
        case .server: "Server"
        case .contentType: "Content-Type"
        case .contentEncoding: "Content-Encoding"
        case .location: "Location"
        case .retryAfter: "Retry-After"
        case .prefer: "Prefer"
        case .preferenceApplied: "Preference-Applied"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .allow: "Allow"
        case .cacheControl: "Cache-Control"
        case .via: "Via"
        case .origin: "Origin"
        case .secFetchSite: "Sec-Fetch-Site"
        case .vary: "Vary"
        case .type: "Type"
        case .from: "From"
        case .to: "To"
        case .debug: "Debug"
        case .permissions: "Permissions"
        case .clientID: "Client-Id"
        case .packetID: "Packet-Id"
        case .ack: "Ack"
        case .attempt: "Attempt"
        case .more: "More"
        case .lost: "Lost"
        case .redelivered: "Redelivered"
        case .duplicate: "Duplicate"
        case .stored: "Stored"
        case .endSession: "End-Session"
        case .forwarded: "Forwarded"
        case .xForwardedFor: "X-Forwarded-For"
        case .xForwardedProto: "X-Forwarded-Proto"
        case .xForwardedHost: "X-Forwarded-Host"
        case .xRealIP: "X-Real-IP"
        case .xRequestID: "X-Request-Id"
        case .traceparent: "traceparent"
        case .xSendfile: "X-Sendfile"
        case .relayAdmin: "Relay-Admin"
        }
    }

    /// Whether it is about one connection only and never passed on (RFC 9110 section 7.6.1).
    ///
    /// Framing fields among them: they are written anew for each hop. `Expect` is not, a proxy passes it
    /// on (RFC 9110 section 10.1.1).
    package var isHopByHop: Bool {
        switch self {
        case .contentLength, .transferEncoding, .connection, .upgrade, .te, .trailer, .keepAlive,
            .proxyConnection, .proxyAuthenticate, .proxyAuthorization, .proxyAuthenticationInfo:
            true
        default:
            false
        }
    }

    /// Whether it is one of the packet protocol's own, which only relay writes.
    package var isPacketProtocol: Bool {
        switch self {
        case .type, .from, .to, .debug, .permissions, .clientID, .packetID, .ack, .attempt, .more,
            .lost, .redelivered, .duplicate, .stored, .endSession:
            true
        default:
            false
        }
    }

    /// Whether it is `X-Forwarded-For`, `-Proto` or `-Host` or `X-Real-IP`: set from the connection.
    package var isForwarding: Bool {
        switch self {
        case .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIP: true
        default: false
        }
    }
}
