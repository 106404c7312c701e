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
    package init(name: Span<UInt8>) { fatalError() }

    /// The name as relay writes it, for example `Content-Length`; empty for `other`.
    package var name: StaticString { fatalError() }

    /// Whether it is about one connection only and never passed on (RFC 9110 section 7.6.1).
    ///
    /// Framing fields among them: they are written anew for each hop. `Expect` is not.
    package var isHopByHop: Bool { fatalError() }

    /// Whether it is one of the packet protocol's own, which only relay writes.
    package var isPacketProtocol: Bool { fatalError() }

    /// Whether it is `X-Forwarded-For`, `-Proto` or `-Host` or `X-Real-IP`: set from the connection.
    package var isForwarding: Bool { fatalError() }
}
