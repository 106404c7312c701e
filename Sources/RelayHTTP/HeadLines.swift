/// What can be wrong with the lines of any head.
enum HeadFault: Equatable {
    case controlByte, malformedFieldName, foldedField, tooLarge, tooManyFields

    /// The same for a request; a line that does not fit is reported as `startLine` says.
    func requestFault(inStartLine: Bool) -> RequestFault {
        switch self {
        case .controlByte: .controlByte
        case .malformedFieldName: .malformedFieldName
        case .foldedField: .foldedField
        case .tooLarge: inStartLine ? .targetTooLong : .headTooLarge
        case .tooManyFields: .tooManyFields
        }
    }

    /// The same for a response.
    var responseFault: ResponseFault {
        switch self {
        case .controlByte: .controlByte
        case .malformedFieldName: .malformedFieldName
        case .foldedField: .foldedField
        case .tooLarge: .headTooLarge
        case .tooManyFields: .tooManyFields
        }
    }
}

/// Cuts a head into lines as its bytes come, looking at each byte once.
struct HeadLines: Sendable {
    /// What comes next.
    enum Line {
        /// A line without its line end; empty at the end of a head.
        case line(Range<Int>)
        /// The next line end has not come.
        case incomplete
        /// There is no next line.
        case failed(HeadFault)
    }

    /// Offset of the next line.
    var start = 0
    /// Offset up to which the next line was searched for its end.
    private var scanned = 0

    init(start: Int = 0) {
        self.start = start
        self.scanned = start
    }

    /// The next line of `input`, of which no more than `bytesMax` bytes may be the head.
    ///
    /// What lies beyond the limit is never looked at, so that a head too large is refused alike whether
    /// it comes whole or byte by byte.
    @inline(__always)
    mutating func next(in input: Span<UInt8>, bytesMax: Int) -> Line {
        let window = input.extracting(first: bytesMax)
        let end = Scanner.firstControl(in: window, from: self.scanned)
        self.scanned = end
        if end < window.count, window[end] != 0x0D { return .failed(.controlByte) }
        guard end + 1 < window.count else {
            return input.count >= bytesMax ? .failed(.tooLarge) : .incomplete
        }
        guard window[end + 1] == 0x0A else { return .failed(.controlByte) }
        let line = self.start..<end
        self.start = end + 2
        self.scanned = end + 2
        return .line(line)
    }
}
