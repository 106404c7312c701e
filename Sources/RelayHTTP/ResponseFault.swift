/// Why a response of an upstream is refused; the connection is of no further use.
package enum ResponseFault: UInt8, Error, Sendable, CaseIterable {
    /// A CR without LF, an LF without CR, a NUL or another control byte.
    case controlByte
    /// Not `HTTP/1.x status reason`.
    case malformedStatusLine
    /// The version is not HTTP/1.0 or HTTP/1.1.
    case unsupportedVersion
    /// A field line without colon, an empty name, or a name that is not a token.
    case malformedFieldName
    /// A field line that begins with white space: obsolete line folding.
    case foldedField
    /// `Content-Length` is not one number that fits.
    case malformedContentLength
    /// More than one `Content-Length`, even if they agree.
    case repeatedContentLength
    /// `Transfer-Encoding` together with `Content-Length`.
    case conflictingFraming
    /// `Transfer-Encoding` other than exactly `chunked`, on HTTP/1.0, or on a 1xx.
    case malformedTransferEncoding
    /// `Connection` is not a list of tokens.
    case malformedConnection
    /// A 1xx that announces a body.
    case bodyOnInterim
    /// The head is larger than its limit.
    case headTooLarge
    /// The head has more fields than its limit.
    case tooManyFields
    /// A chunk size that is not a hexadecimal number that fits, or is not followed by a line end.
    case malformedChunk
    /// Chunk extensions that are malformed or above 16 KiB in one body.
    case malformedChunkExtension
    /// Trailer fields that are malformed or above 16 KiB.
    case malformedTrailer
    /// The body is larger than its limit.
    case bodyTooLarge
    /// The connection ended before the body did.
    case truncatedBody

    /// What is wrong, for the log.
    package var detail: StaticString {
        switch self {
        case .controlByte: "control byte or bare line end in the response head"
        case .malformedStatusLine: "malformed status line"
        case .unsupportedVersion: "unsupported HTTP version"
        case .malformedFieldName: "malformed header name"
        case .foldedField: "folded header line"
        case .malformedContentLength: "malformed Content-Length"
        case .repeatedContentLength: "repeated Content-Length"
        case .conflictingFraming: "both Transfer-Encoding and Content-Length"
        case .malformedTransferEncoding: "Transfer-Encoding is not 'chunked'"
        case .malformedConnection: "malformed Connection header"
        case .bodyOnInterim: "interim response with a body"
        case .headTooLarge: "response head too large"
        case .tooManyFields: "too many response headers"
        case .malformedChunk: "malformed chunk"
        case .malformedChunkExtension: "malformed or too long chunk extensions"
        case .malformedTrailer: "malformed or too long trailers"
        case .bodyTooLarge: "response body too large"
        case .truncatedBody: "connection ended before the response body did"
        }
    }
}
