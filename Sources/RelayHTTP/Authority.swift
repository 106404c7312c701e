/// The host and port of a `Host` field or an absolute target, by position (RFC 3986 section 3.2).
package struct Authority: Equatable, Sendable {
    /// What kind of host it names.
    package enum Kind: UInt8, Sendable {
        /// A name, such as `example.com`.
        case name
        /// An IPv4 address in dotted decimals.
        case ipv4
        /// An IPv6 address in brackets.
        case ipv6
    }

    /// Host and port as they were written.
    package var whole: ByteRange
    /// The host without port, an IPv6 address without its brackets. Never empty.
    package var host: ByteRange
    /// The port, if one was written.
    package var port: UInt16?
    /// What kind of host it names.
    package var kind: Kind

    /// Reads `host[:port]`; nil unless all of `bytes` at `range` is one valid, non-empty authority.
    ///
    /// Refuses user information, future IP literals, zone identifiers, ports above 65535 and names with
    /// bytes other than unreserved, sub-delims and well-formed escapes.
    package init?(_ range: ByteRange, in bytes: Span<UInt8>) { fatalError() }
}
