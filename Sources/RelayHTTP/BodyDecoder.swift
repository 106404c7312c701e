/// Finds the payload in the bytes of a body, piece by piece, without copying.
///
/// The result does not depend on how the input is cut. Trailers are checked and dropped.
/// A value of a few words that belongs to an exchange; it owns no memory.
package struct BodyDecoder: Sendable {
    /// What the next bytes of the input are. Ranges are offsets into the input of that call.
    package enum Step: Equatable, Sendable {
        /// `range` is payload; continue `consumed` bytes into the input. Never empty.
        case payload(Range<Int>, consumed: Int)
        /// All `consumed` bytes of the input were taken, none of the last ones payload; more must come.
        case needsInput(consumed: Int)
        /// The body ended `consumed` bytes into the input; what follows is the next message's.
        case end(consumed: Int)
        /// The body is malformed or too large; the connection must be closed.
        case failed(BodyFault)
    }

    /// Bytes of chunk extensions accepted in one body.
    package static let extensionBytesMax = 16 << 10
    /// Bytes of trailer fields accepted.
    package static let trailerBytesMax = 16 << 10

    /// Makes a decoder for a body framed so, of at most `bytesMax` bytes of payload.
    package init(_ framing: BodyFraming, bytesMax: UInt64 = .max) { fatalError() }

    /// Looks at the next bytes of the body; call again with the rest until it needs input or ends.
    ///
    /// After `.end`, returns `.end(consumed: 0)` again. A `.length(0)` or `.none` body ends on the
    /// first call, which may be with empty input.
    package mutating func decode(_ input: Span<UInt8>) -> Step { fatalError() }

    /// Tells that the connection ended: nil if the body is complete by that, else `.truncated`.
    package mutating func inputEnded() -> BodyFault? { fatalError() }

    /// Whether the whole body was seen.
    package var isComplete: Bool { fatalError() }

    /// Bytes of payload that are still announced, if that is known.
    package var payloadBytesLeft: UInt64? { fatalError() }
}

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
    package var requestFault: RequestFault { fatalError() }

    /// The fault of the response with such a body.
    package var responseFault: ResponseFault { fatalError() }
}
