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
    /// There are too many connections from the same place; reported by whoever counts them.
    case tooManyConnections

    /// The status of the answer: 400, 408, 413, 414, 429, 431, 501 or 505.
    package var status: UInt16 {
        switch self {
        case .timeout: 408
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .tooManyConnections: 429
        case .headTooLarge, .tooManyFields, .trailerTooLarge: 431
        case .unsupportedTransferEncoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// One sentence for the problem document.
    package var detail: StaticString {
        switch self {
        case .controlByte: "The head has a control byte or a line end that is not CR LF."
        case .malformedRequestLine:
            "The request line is not a method, a target and a version with one space between them."
        case .malformedMethod: "The method is not a token."
        case .malformedTarget: "The request target is malformed, or not of a form the method has."
        case .unsupportedVersion: "Only HTTP/1.0 and HTTP/1.1 are spoken here."
        case .malformedFieldName: "A header line has no name that is a token before its colon."
        case .foldedField: "A header line begins with white space."
        case .missingHost: "The Host field is missing."
        case .repeatedHost: "The Host field is given more than once."
        case .malformedHost: "The Host field is not a host with an optional port."
        case .malformedContentLength: "The Content-Length is not a number of bytes."
        case .repeatedContentLength: "The Content-Length is given more than once."
        case .conflictingFraming: "Both Transfer-Encoding and Content-Length are given."
        case .malformedTransferEncoding: "The Transfer-Encoding is not 'chunked'."
        case .unsupportedTransferEncoding: "No transfer coding but 'chunked' is supported."
        case .transferEncodingOnHTTP10: "Transfer-Encoding is not part of HTTP/1.0."
        case .malformedConnection: "The Connection field is not a short list of tokens."
        case .forbiddenConnectionOption:
            "The Connection field names a field that may not be dropped."
        case .malformedPath:
            "The path leaves the root, or has a malformed escape, an escaped NUL or a backslash."
        case .targetTooLong: "The request line is too long."
        case .headTooLarge: "The header fields are too large."
        case .tooManyFields: "There are too many header fields."
        case .malformedChunk: "A chunk of the body is malformed."
        case .malformedChunkExtension: "The chunk extensions are malformed or too long."
        case .malformedTrailer: "The trailer fields are malformed."
        case .trailerTooLarge: "The trailer fields are too large."
        case .bodyTooLarge: "The body is too large."
        case .truncatedBody: "The connection ended before the body did."
        case .timeout: "The request did not arrive in time."
        case .tooManyConnections: "There are too many connections from this address."
        }
    }

    /// Whether the connection must be closed because the next request's first byte is not known.
    ///
    /// A server that reads or skips the rest of a body of known length may keep one for others, too.
    package var closesConnection: Bool { self != .malformedPath }
}
