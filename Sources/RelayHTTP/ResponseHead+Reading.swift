extension ResponseHead {
    /// Reads `version SP status [SP reason]` (RFC 9112 section 4); nil if it is well-formed.
    ///
    /// The space before an empty reason is required by the grammar and left out by many; it decides nothing.
    mutating func readStatusLine(_ line: Range<Int>, in bytes: Span<UInt8>) -> ResponseFault? {
        guard line.count >= 12, bytes[line.lowerBound + 8] == 0x20 else {
            return .malformedStatusLine
        }
        switch HTTPVersion.read(at: line.lowerBound, in: bytes) {
        case .version(let version): self.version = version
        case .unsupported: return .unsupportedVersion
        case .malformed: return .malformedStatusLine
        }
        var status: UInt16 = 0
        for offset in (line.lowerBound + 9)..<(line.lowerBound + 12) {
            guard bytes[offset].isDigit else { return .malformedStatusLine }
            status = status * 10 + UInt16(bytes[offset] - 0x30)
        }
        guard status >= 100 else { return .malformedStatusLine }
        self.status = status
        self.reason = .empty
        if line.count > 12 {
            guard bytes[line.lowerBound + 12] == 0x20 else { return .malformedStatusLine }
            self.reason = ByteRange((line.lowerBound + 13)..<line.upperBound)
        }
        return nil
    }

    /// Reads what the fields say about connection and body; nil if they agree with RFC 9112.
    mutating func readFields(
        answering method: Method,
        in bytes: Span<UInt8>
    ) -> ResponseFault? {
        let options = ConnectionOptions(marking: &self.fields, in: bytes)
        // Naming a field that must not be dropped harms only the answer of the origin that says so.
        if options.fault == .malformed { return .malformedConnection }
        self.isKeepAlive = !options.close && (self.version == .http11 || options.keepAlive)

        var isChunked = false
        self.announcedLength = nil
        if let coding = self.fields.value(of: .transferEncoding) {
            if self.fields.contains(.contentLength) { return .conflictingFraming }
            guard self.version == .http11, !self.fields.isRepeated(.transferEncoding),
                !bytes.hasTab(around: coding),
                bytes.extracting(coding).equalsIgnoringCase("chunked")
            else { return .malformedTransferEncoding }
            isChunked = true
        }
        switch ContentLength(self.fields, in: bytes) {
        case .absent: break
        case .bytes(let bytes): self.announcedLength = bytes
        case .malformed: return .malformedContentLength
        case .repeated: return .repeatedContentLength
        }
        return self.readFraming(answering: method, isChunked: isChunked)
    }

    /// Decides where the body ends (RFC 9112 section 6.3).
    private mutating func readFraming(
        answering method: Method,
        isChunked: Bool
    ) -> ResponseFault? {
        let announcesBody = isChunked || (self.announcedLength ?? 0) > 0
        if self.status < 200 {
            if isChunked { return .malformedTransferEncoding }
            if announcesBody { return .bodyOnInterim }
        }
        guard method.responseHasBody(status: self.status) else {
            self.framing = .none
            // An origin that announces a body of a 204 may well send one: trust nothing behind it.
            if self.status == 204, announcesBody { self.isKeepAlive = false }
            return nil
        }
        if isChunked {
            self.framing = .chunked
        } else if let length = self.announcedLength {
            self.framing = .length(length)
        } else {
            self.framing = .untilClose
            self.isKeepAlive = false
        }
        return nil
    }
}
