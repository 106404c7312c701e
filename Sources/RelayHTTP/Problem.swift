/// The kind of a problem document (RFC 9457): what a client gets instead of what it asked for.
package struct Problem: Sendable {
    /// The status, repeated in the document.
    package let status: UInt16
    /// The last part of the type `urn:relay:problem:NAME`; empty: `about:blank`.
    package let name: StaticString
    /// What a person reads first; the status's phrase where the type is `about:blank`.
    package let title: StaticString

    /// A problem that its status alone describes.
    package init(status: UInt16) { fatalError() }

    /// A problem with a type of its own; `name` in lower case with hyphens.
    package init(status: UInt16, name: StaticString, title: StaticString) { fatalError() }

    /// The problem of a refused request.
    package init(_ fault: RequestFault) { fatalError() }

    /// The packet may or may not have been stored: only a repeat with the same `Packet-Id` is safe.
    package static var storeFailed: Problem { fatalError() }

    /// Number of bytes of the document with this detail.
    package func documentByteCount(detail: String) -> Int { fatalError() }
}

extension [UInt8] {
    /// Appends the document `{"type":…,"title":…,"status":…,"detail":…}`, the detail escaped.
    package mutating func appendProblemDocument(_ problem: Problem, detail: String) { fatalError() }

    /// Appends a whole response with a problem document.
    ///
    /// `extraFields` are complete field lines (`Retry-After: 1\r\n`). `omitsBody` leaves the document out
    /// and its length in, as HEAD wants it.
    package mutating func appendProblemResponse(
        _ problem: Problem,
        detail: String,
        date: HTTPDate,
        isKeepAlive: Bool,
        extraFields: Span<UInt8> = Span(),
        omitsBody: Bool = false
    ) { fatalError() }

    /// Appends the answer to a refused request, which always closes the connection if it must.
    package mutating func appendResponse(
        to fault: RequestFault,
        date: HTTPDate,
        isKeepAlive: Bool = false
    ) { fatalError() }
}
