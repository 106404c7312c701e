package import RelayHTTP

/// The request whose head a pipeline is looking at: one object per loop, filled anew for each request.
///
/// Means something only inside of `Stage.requestReceived`; the bytes come beside it as a span, because
/// they stand in the loop's receive buffer. Nothing of it may be kept without a copy.
package final class Request {
    /// The head, by position in the bytes given beside.
    package var head = RequestHead()

    /// The path in its normal form: bytes of its own if normalising changed it.
    package internal(set) var rewrittenPath: [UInt8] = []
    /// Whether the path stands in `rewrittenPath`, not in the head's bytes.
    package internal(set) var isPathRewritten = false

    /// A request to be filled.
    package init() {}

    /// The same request, whose positions hold for a copy of the bytes.
    init(copying other: Request) {
        self.head = other.head
        self.rewrittenPath = other.rewrittenPath
        self.isPathRewritten = other.isPathRewritten
    }

    /// Normalises the path of `head`; nil, or why the request is refused.
    ///
    /// For carriers, once per request.
    package func normalizePath(_ bytes: Span<UInt8>, mergingSlashes: Bool) -> RequestFault? {
        if !self.rewrittenPath.isEmpty { self.rewrittenPath.removeAll(keepingCapacity: true) }
        self.isPathRewritten = false
        switch self.head.targetForm {
        case .authority:
            return nil
        case .asterisk:
            self.rewrittenPath.append(0x2A)
            self.isPathRewritten = true
            return nil
        case .origin, .absolute:
            let path = bytes.extracting(self.head.path)
            switch PathNormalization.normalize(
                path,
                mergingSlashes: mergingSlashes,
                into: &self.rewrittenPath
            ) {
            case .unchanged: return nil
            case .rewritten: self.isPathRewritten = true
            case .refused(let fault): return fault
            }
            return nil
        }
    }

    /// Gives it another path, in its normal form; nil, or why there is no such path.
    func replacePath(with path: Span<UInt8>, mergingSlashes: Bool) -> RequestFault? {
        var normal: [UInt8] = []
        swap(&normal, &self.rewrittenPath)
        normal.removeAll(keepingCapacity: true)
        switch PathNormalization.normalize(path, mergingSlashes: mergingSlashes, into: &normal) {
        case .unchanged: normal.append(path)
        case .rewritten: break
        case .refused(let fault): return fault
        }
        swap(&normal, &self.rewrittenPath)
        self.isPathRewritten = true
        return nil
    }

    /// Lends the path in its normal form, without query.
    ///
    /// `*` of OPTIONS is `*`.
    package func withPath<Result>(_ bytes: Span<UInt8>, _ read: (Span<UInt8>) -> Result) -> Result {
        if self.isPathRewritten {
            let path = self.rewrittenPath
            return read(path.span)
        }
        return read(bytes.extracting(self.head.path))
    }

    /// Whether a body is announced: chunked, or a length above 0.
    package var announcesBody: Bool { !self.head.framing.isEmpty }
}

@available(*, unavailable) extension Request: Sendable {}
