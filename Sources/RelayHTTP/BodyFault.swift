/// Why a body is refused.
package enum BodyFault: UInt8, Error, Sendable, CaseIterable {
    /// A chunk size that is not a hexadecimal number that fits, or is not followed by a line end.
    case malformedChunk
    /// Chunk extensions that are malformed or above 16 KiB in one body.
    case malformedChunkExtension
    /// Trailer fields that are malformed.
    case malformedTrailer
    /// Trailer fields above 16 KiB.
    case trailerTooLarge
    /// More payload than allowed.
    case tooLarge
    /// The connection ended before the body did.
    case truncated

    /// The fault of the request with such a body.
    package var requestFault: RequestFault {
        switch self {
        case .malformedChunk: .malformedChunk
        case .malformedChunkExtension: .malformedChunkExtension
        case .malformedTrailer: .malformedTrailer
        case .trailerTooLarge: .trailerTooLarge
        case .tooLarge: .bodyTooLarge
        case .truncated: .truncatedBody
        }
    }

    /// The fault of the response with such a body.
    package var responseFault: ResponseFault {
        switch self {
        case .malformedChunk: .malformedChunk
        case .malformedChunkExtension: .malformedChunkExtension
        case .malformedTrailer, .trailerTooLarge: .malformedTrailer
        case .tooLarge: .bodyTooLarge
        case .truncated: .truncatedBody
        }
    }
}
