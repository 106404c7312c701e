/// Finds the payload in the bytes of a body, piece by piece, without copying.
///
/// The result does not depend on how the input is cut. Trailers are checked and dropped.
/// A value of a few words that belongs to an exchange; it owns no memory.
package struct BodyDecoder: Sendable {
    /// What the next bytes of the input are.
    ///
    /// Ranges are offsets into the input of that call.
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
    package static let extensionBytesMax: UInt16 = 16 << 10
    /// Bytes of trailer fields accepted.
    package static let trailerBytesMax: UInt16 = 16 << 10

    /// Where in the body the next byte is.
    private enum State: Equatable, Sendable {
        /// Counted bytes to the end of the body.
        case length
        /// Bytes to the end of the connection.
        case untilClose
        /// Before the first digit of a chunk's size.
        case sizeStart
        /// Behind a digit of a chunk's size.
        case size
        /// In the extensions of a chunk.
        case chunkExtension(ChunkExtension)
        /// Behind the CR that ends the line of a chunk's size.
        case sizeLineFeed
        /// Counted bytes to the end of a chunk.
        case chunk
        /// Behind the last byte of a chunk.
        case chunkReturn
        /// Behind the CR behind a chunk.
        case chunkLineFeed
        /// At the beginning of a line of the trailer.
        case trailerStart
        /// In the name of a trailer field.
        case trailerName
        /// In the value of a trailer field.
        case trailerValue
        /// Behind the CR of a trailer field.
        case trailerLineFeed
        /// Behind the CR of the empty line that ends the body.
        case lastLineFeed
        /// The body is complete.
        case complete
        /// The body is refused.
        case failed(BodyFault)
    }

    /// Where in `;name[=value]` the next byte is (RFC 9112 section 7.1.1, without its bad white space).
    private enum ChunkExtension: Equatable, Sendable {
        case nameStart, name, valueStart, token, quoted, quotedPair, quotedEnd
    }

    // In an order and in types that waste no room: every held request has a decoder.

    /// Bytes left of the body or of the chunk, or the size of the chunk read so far.
    private var bytesLeft: UInt64 = 0
    /// Payload that may still come before the body is too large.
    private var bytesAllowed: UInt64
    private var extensionBytes: UInt16 = 0
    private var trailerBytes: UInt16 = 0
    private var sizeDigits: UInt8 = 0
    private var state: State

    /// Makes a decoder for a body framed so, of at most `bytesMax` bytes of payload.
    package init(_ framing: BodyFraming, bytesMax: UInt64 = .max) {
        self.bytesAllowed = bytesMax
        switch framing {
        case .none, .length(0):
            self.state = .complete
        case .length(let bytes):
            self.bytesLeft = bytes
            self.state = bytes > bytesMax ? .failed(.tooLarge) : .length
        case .chunked:
            self.state = .sizeStart
        case .untilClose:
            self.state = .untilClose
        }
    }

    /// Whether the whole body was seen.
    package var isComplete: Bool { self.state == .complete }

    /// Bytes of payload that are still announced, if that is known.
    package var payloadBytesLeft: UInt64? {
        switch self.state {
        case .length: self.bytesLeft
        case .complete: 0
        default: nil
        }
    }

    /// Looks at the next bytes of the body; call again with the rest until it needs input or ends.
    ///
    /// The rest may be empty: the end of a counted body is told by the call behind its last payload, or
    /// by `isComplete`. After `.end` it returns `.end(consumed: 0)` again, after `.failed` the same fault.
    package mutating func decode(_ input: Span<UInt8>) -> Step {
        var offset = 0
        while true {
            switch self.state {
            case .complete:
                return .end(consumed: offset)
            case .failed(let fault):
                return .failed(fault)
            case .length, .chunk, .untilClose:
                return self.takePayload(of: input, from: offset)
            default:
                guard offset < input.count else { return .needsInput(consumed: offset) }
                self.state = self.next(input[offset])
                offset += 1
            }
        }
    }

    /// Tells that the connection ended: nil if the body is complete by that, else what is wrong.
    package mutating func inputEnded() -> BodyFault? {
        switch self.state {
        case .untilClose, .complete:
            self.state = .complete
            return nil
        case .failed(let fault):
            return fault
        default:
            self.state = .failed(.truncated)
            return .truncated
        }
    }

    private mutating func takePayload(of input: Span<UInt8>, from offset: Int) -> Step {
        let available = input.count - offset
        guard available > 0 else { return .needsInput(consumed: offset) }
        if self.state == .untilClose {
            guard UInt64(available) <= self.bytesAllowed else {
                self.state = .failed(.tooLarge)
                return .failed(.tooLarge)
            }
            self.bytesAllowed -= UInt64(available)
            return .payload(offset..<input.count, consumed: input.count)
        }
        let count = Int(clamping: min(self.bytesLeft, UInt64(available)))
        self.bytesLeft -= UInt64(count)
        if self.bytesLeft == 0 { self.state = self.state == .chunk ? .chunkReturn : .complete }
        return .payload(offset..<(offset + count), consumed: offset + count)
    }

    /// The state behind one byte of framing.
    private mutating func next(_ byte: UInt8) -> State {
        switch self.state {
        case .sizeStart, .size:
            self.nextInSize(byte)
        case .chunkExtension(let place):
            self.nextInExtension(byte, place)
        case .sizeLineFeed:
            byte == 0x0A ? self.chunkBegins() : .failed(.malformedChunk)
        case .chunkReturn:
            byte == 0x0D ? .chunkLineFeed : .failed(.malformedChunk)
        case .chunkLineFeed:
            byte == 0x0A ? .sizeStart : .failed(.malformedChunk)
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            self.nextInTrailer(byte)
        case .length, .chunk, .untilClose, .complete, .failed:
            self.state
        }
    }

    /// Reads a size of 1 to 16 hexadecimal digits, so that it cannot overflow.
    private mutating func nextInSize(_ byte: UInt8) -> State {
        if let digit = byte.hexadecimalValue {
            if self.state == .sizeStart {
                self.bytesLeft = 0
                self.sizeDigits = 0
            }
            guard self.sizeDigits < 16 else { return .failed(.malformedChunk) }
            self.sizeDigits += 1
            self.bytesLeft = self.bytesLeft << 4 | UInt64(digit)
            return .size
        }
        guard self.state == .size else { return .failed(.malformedChunk) }
        switch byte {
        case 0x0D: return .sizeLineFeed
        case 0x3B: return self.countedExtension(.nameStart)
        default: return .failed(.malformedChunk)
        }
    }

    private mutating func chunkBegins() -> State {
        guard self.bytesLeft > 0 else { return .trailerStart }
        guard self.bytesLeft <= UInt64(Int64.max) else { return .failed(.malformedChunk) }
        guard self.bytesLeft <= self.bytesAllowed else { return .failed(.tooLarge) }
        self.bytesAllowed -= self.bytesLeft
        return .chunk
    }

    private mutating func countedExtension(_ place: ChunkExtension) -> State {
        self.extensionBytes += 1
        guard self.extensionBytes <= Self.extensionBytesMax else {
            return .failed(.malformedChunkExtension)
        }
        return .chunkExtension(place)
    }

    private mutating func nextInExtension(_ byte: UInt8, _ place: ChunkExtension) -> State {
        let isToken = ByteClass.token.contains(byte)
        switch (place, byte) {
        case (.name, 0x0D), (.token, 0x0D), (.quotedEnd, 0x0D):
            return .sizeLineFeed
        case (.name, 0x3B), (.token, 0x3B), (.quotedEnd, 0x3B):
            return self.countedExtension(.nameStart)
        case (.name, 0x3D):
            return self.countedExtension(.valueStart)
        case (.nameStart, _) where isToken, (.name, _) where isToken:
            return self.countedExtension(.name)
        case (.valueStart, 0x22):
            return self.countedExtension(.quoted)
        case (.valueStart, _) where isToken, (.token, _) where isToken:
            return self.countedExtension(.token)
        case (.quoted, 0x22):
            return self.countedExtension(.quotedEnd)
        case (.quoted, 0x5C):
            return self.countedExtension(.quotedPair)
        case (.quoted, _) where !byte.isForbiddenControl,
            (.quotedPair, _) where !byte.isForbiddenControl:
            return self.countedExtension(.quoted)
        default:
            return .failed(.malformedChunkExtension)
        }
    }

    /// Checks trailer fields as the fields of a head are checked.
    private mutating func nextInTrailer(_ byte: UInt8) -> State {
        self.trailerBytes += 1
        guard self.trailerBytes <= Self.trailerBytesMax else { return .failed(.trailerTooLarge) }
        switch self.state {
        case .trailerStart where byte == 0x0D:
            return .lastLineFeed
        case .trailerName where byte == 0x3A:
            return .trailerValue
        case .trailerStart, .trailerName:
            return ByteClass.token.contains(byte) ? .trailerName : .failed(.malformedTrailer)
        case .trailerValue where byte == 0x0D:
            return .trailerLineFeed
        case .trailerValue:
            return byte.isForbiddenControl ? .failed(.malformedTrailer) : .trailerValue
        case .trailerLineFeed:
            return byte == 0x0A ? .trailerStart : .failed(.malformedTrailer)
        default:
            return byte == 0x0A ? .complete : .failed(.malformedTrailer)
        }
    }
}
