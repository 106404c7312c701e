package import RelayConfig

/// The id of a request: what `X-Request-Id` said (1 to 128 visible ASCII characters), or 128 random bits, which are
/// written as 32 hexadecimal digits.
package enum RequestID: Sendable, Hashable {
    /// Taken from the request.
    case given([UInt8])
    /// Made by relay, which costs no memory.
    case made(high: UInt64, low: UInt64)
}

/// Where a client is.
package enum ClientAddress: Sendable, Hashable {
    /// At an address.
    case ip(IPAddress)
    /// At the other end of a unix socket.
    case unix
}
