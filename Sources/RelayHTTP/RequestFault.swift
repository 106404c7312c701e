/// Why a request is refused.
package enum RequestFault: UInt8, Error, Sendable, CaseIterable {
    /// A CR without LF, an LF without CR, a NUL or another control byte.
    case controlByte
    /// Not `method target version`, separated by one space each.
    case malformedRequestLine
    /// The method is not a token.
    case malformedMethod
    /// The target has a byte that must be escaped, or a form that this method does not have.
    case malformedTarget
    /// The version is not HTTP/1.0 or HTTP/1.1.
    case unsupportedVersion
    /// A field line without colon, an empty name, or a name that is not a token (space before colon).
    case malformedFieldName
    /// A field line that begins with white space: obsolete line folding.
    case foldedField
    /// HTTP/1.1 without `Host`.
    case missingHost
    /// More than one `Host`.
    case repeatedHost
    /// A `Host` that is not `host[:port]`.
    case malformedHost
    /// `Content-Length` is not one number that fits.
    case malformedContentLength
    /// More than one `Content-Length`, even if they agree.
    case repeatedContentLength
    /// `Transfer-Encoding` together with `Content-Length`.
    case conflictingFraming
    /// `Transfer-Encoding` that does not end in exactly one `chunked`, or is malformed.
    case malformedTransferEncoding
    /// A transfer coding other than `chunked`.
    case unsupportedTransferEncoding
    /// `Transfer-Encoding` on HTTP/1.0.
    case transferEncodingOnHTTP10
    /// `Connection` is not a list of tokens.
    case malformedConnection
    /// `Connection` names a field that may not be dropped.
    case forbiddenConnectionOption
    /// The path leaves the root, or has `%00`, a malformed escape or a backslash.
    case malformedPath
    /// The request line is longer than the head may be.
    case targetTooLong
    /// The head is larger than its limit.
    case headTooLarge
    /// The head has more fields than its limit.
    case tooManyFields
    /// A chunk size that is not a hexadecimal number that fits, or is not followed by a line end.
    case malformedChunk
    /// Chunk extensions that are malformed or above 16 KiB in one body.
    case malformedChunkExtension
    /// Trailer fields that are malformed.
    case malformedTrailer
    /// Trailer fields above 16 KiB.
    case trailerTooLarge
    /// The body is larger than its limit.
    case bodyTooLarge
    /// The connection ended before the body did.
    case truncatedBody
    /// The request did not arrive in time; reported by whoever keeps the time.
    case timeout

    /// The status of the answer: 400, 408, 413, 414, 431, 501 or 505.
    package var status: UInt16 { fatalError() }

    /// One sentence for the problem document.
    package var detail: StaticString { fatalError() }

    /// Whether the connection must be closed because the next request's first byte is not known.
    package var closesConnection: Bool { fatalError() }
}
