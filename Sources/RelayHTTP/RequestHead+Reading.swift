extension RequestHead {
    /// Reads `method SP target SP version` (RFC 9112 section 3); nil if it is well-formed.
    mutating func readRequestLine(_ line: Range<Int>, in bytes: Span<UInt8>) -> RequestFault? {
        let methodEnd = Scanner.first(0x20, in: bytes, line)
        guard methodEnd < line.upperBound else { return .malformedRequestLine }
        let methodName = line.lowerBound..<methodEnd
        self.methodName = ByteRange(methodName)
        self.method = Method(name: bytes.extracting(methodName))
        if self.method == .other, !bytes.extracting(methodName).isToken { return .malformedMethod }

        let targetEnd = Scanner.first(0x20, in: bytes, (methodEnd + 1)..<line.upperBound)
        guard targetEnd > methodEnd + 1, line.upperBound - targetEnd == 9 else {
            return .malformedRequestLine
        }
        switch HTTPVersion.read(at: targetEnd + 1, in: bytes) {
        case .version(let version): self.version = version
        case .unsupported: return .unsupportedVersion
        case .malformed: return .malformedRequestLine
        }
        return self.readTarget((methodEnd + 1)..<targetEnd, in: bytes) ? nil : .malformedTarget
    }

    /// Reads the target in one of its four forms (RFC 9112 section 3.2); false if it has none of them.
    private mutating func readTarget(_ target: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        self.target = ByteRange(target)
        self.path = .empty
        self.query = nil
        self.authority = nil
        if self.method == .connect {
            self.targetForm = .authority
            self.authority = Authority(self.target, in: bytes)
            return self.authority?.port != nil
        }
        if bytes[target.lowerBound] == 0x2F {
            self.targetForm = .origin
            return self.readPathAndQuery(target, in: bytes)
        }
        if target.count == 1, bytes[target.lowerBound] == 0x2A {
            self.targetForm = .asterisk
            return self.method == .options
        }
        self.targetForm = .absolute
        return self.readAbsolute(target, in: bytes)
    }

    /// Reads `http://authority[path][?query]`; no other scheme is served here.
    private mutating func readAbsolute(_ target: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        let text = bytes.extracting(target)
        let schemeCount: Int
        if text.extracting(first: 7).equalsIgnoringCase("http://") {
            schemeCount = 7
        } else if text.extracting(first: 8).equalsIgnoringCase("https://") {
            schemeCount = 8
        } else {
            return false
        }
        let start = target.lowerBound + schemeCount
        var end = start
        while end < target.upperBound, bytes[end] != 0x2F, bytes[end] != 0x3F { end += 1 }
        self.authority = Authority(ByteRange(start..<end), in: bytes)
        return self.authority != nil
            && self.readPathAndQuery(end..<target.upperBound, in: bytes)
    }

    private mutating func readPathAndQuery(_ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        var mark = range.upperBound
        for offset in range {
            let byte = bytes[offset]
            guard ByteClass.target.contains(byte) else { return false }
            if byte == 0x3F, mark == range.upperBound { mark = offset }
        }
        self.path = ByteRange(range.lowerBound..<mark)
        if mark < range.upperBound { self.query = ByteRange((mark + 1)..<range.upperBound) }
        return true
    }

    /// Reads what the fields say about host, connection and body; nil if they agree with RFC 9112.
    mutating func readFields(in bytes: Span<UInt8>) -> RequestFault? {
        if let fault = self.readHost(in: bytes) { return fault }
        let options = ConnectionOptions(marking: &self.fields, in: bytes)
        switch options.fault {
        case .malformed: return .malformedConnection
        case .forbidden: return .forbiddenConnectionOption
        case nil: break
        }
        if let fault = self.readFraming(in: bytes) { return fault }

        self.isKeepAlive = !options.close && (self.version == .http11 || options.keepAlive)
        self.upgrade = nil
        self.expectsContinue = false
        guard self.version == .http11 else { return nil }
        if options.upgrade { self.upgrade = self.fields.value(of: .upgrade) }
        if !self.framing.isEmpty, let expect = self.fields.value(of: .expect) {
            self.expectsContinue = bytes.extracting(expect).equalsIgnoringCase("100-continue")
        }
        return nil
    }

    /// Reads `Host` (RFC 9112 section 3.2), which counts only if the target has no authority.
    private mutating func readHost(in bytes: Span<UInt8>) -> RequestFault? {
        guard let value = self.fields.value(of: .host) else {
            return self.version == .http11 ? .missingHost : nil
        }
        if self.fields.isRepeated(.host) { return .repeatedHost }
        guard let authority = Authority(value, in: bytes) else { return .malformedHost }
        if self.authority == nil { self.authority = authority }
        return nil
    }

    /// Decides where the body ends (RFC 9112 section 6.3).
    private mutating func readFraming(in bytes: Span<UInt8>) -> RequestFault? {
        let length = ContentLength(self.fields, in: bytes)
        guard let coding = self.fields.value(of: .transferEncoding) else {
            switch length {
            case .absent: self.framing = .none
            case .bytes(let bytes): self.framing = .length(bytes)
            case .malformed: return .malformedContentLength
            case .repeated: return .repeatedContentLength
            }
            return nil
        }
        if self.fields.contains(.contentLength) { return .conflictingFraming }
        if self.version == .http10 { return .transferEncodingOnHTTP10 }
        if self.fields.isRepeated(.transferEncoding) || bytes.hasTab(around: coding) {
            return .malformedTransferEncoding
        }
        self.framing = .chunked
        if bytes.extracting(coding).equalsIgnoringCase("chunked") { return nil }
        return Self.hasOtherCodings(coding, in: bytes)
            ? .unsupportedTransferEncoding : .malformedTransferEncoding
    }

    /// Whether these are codings that RFC 9112 allows, though relay does not decode them.
    private static func hasOtherCodings(_ value: ByteRange, in bytes: Span<UInt8>) -> Bool {
        var members = ListMembers(value)
        var count = 0
        var isLast = false
        while let member = members.next(in: bytes) {
            if isLast || !bytes.extracting(member).isToken { return false }
            isLast = bytes.extracting(member).equalsIgnoringCase("chunked")
            count += 1
        }
        return isLast && count > 1
    }
}
