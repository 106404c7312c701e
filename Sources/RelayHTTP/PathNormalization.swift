/// What normalising a path found.
package enum PathNormalization: Equatable, Sendable {
    /// The path is normal as it is; nothing was written.
    case unchanged
    /// The normal form was appended to the output.
    case rewritten
    /// The path is refused; the output is as it was.
    case refused(RequestFault)

    /// Brings a path to the one form that is matched and sent on.
    ///
    /// Escapes of unreserved characters are decoded, other escapes become upper case, dot segments (also
    /// escaped ones) are resolved (RFC 3986 section 6.2.2), and empty segments are merged if
    /// `mergingSlashes`. `%2F` stays. Refused are paths that do not begin with `/`, leave the root, or
    /// have `%00`, a malformed escape, a backslash or a byte that must be escaped. An empty path (of
    /// `http://host`) becomes `/`.
    ///
    /// `path` has no query. Nothing is allocated unless the output must grow.
    package static func normalize(
        _ path: Span<UInt8>,
        mergingSlashes: Bool,
        into output: inout [UInt8]
    ) -> PathNormalization { fatalError() }
}
