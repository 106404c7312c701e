/// Encoding of messages: everything is appended, and every head ends with `appendEndOfHead`.
///
/// Only bytes that were validated may be given: names that are tokens, values without CR, LF and NUL. Debug
/// builds check it.
extension [UInt8] {
    /// Appends `METHOD target HTTP/1.1` for a method that relay itself uses; not `.other`.
    package mutating func appendRequestLine(_ method: Method, target: Span<UInt8>) {
        assert(method != .other && target.count > 0 && target.isTargetText)
        let name = method.name
        self.append(addingCapacity: name.utf8CodeUnitCount + target.count + 12) { output in
            output.append(name)
            output.append(0x20)
            output.append(copying: target)
            output.append(" HTTP/1.1\r\n")
        }
    }

    /// Appends the request line of a request that is passed on: its method with another path and query.
    ///
    /// `prefix` is put before the path; a `/` at its end is not doubled.
    package mutating func appendRequestLine(
        methodName: Span<UInt8>,
        prefix: Span<UInt8>,
        path: Span<UInt8>,
        query: Span<UInt8>?
    ) {
        assert(methodName.isToken && prefix.isTargetText && path.isTargetText)
        self.append(methodName)
        self.append(0x20)
        let doubles =
            prefix.count > 0 && prefix[prefix.count - 1] == 0x2F
            && path.count > 0 && path[0] == 0x2F
        self.append(doubles ? prefix.extracting(droppingLast: 1) : prefix)
        self.append(path)
        if let query {
            assert(query.isTargetText)
            self.append(0x3F)
            self.append(query)
        }
        self.append(" HTTP/1.1\r\n")
    }

    /// Appends `HTTP/1.1 status phrase` with the standard phrase.
    package mutating func appendStatusLine(_ status: UInt16) {
        if status == 200 {
            self.append("HTTP/1.1 200 OK\r\n")
            return
        }
        self.append("HTTP/1.1 ")
        self.append(decimal: UInt64(status))
        self.append(0x20)
        self.append(StatusPhrase.of(status))
        self.append("\r\n")
    }

    /// Appends `HTTP/1.1 status reason` with a reason phrase that was received.
    package mutating func appendStatusLine(_ status: UInt16, reason: Span<UInt8>) {
        assert(Scanner.firstControl(in: reason, from: 0) == reason.count)
        self.append("HTTP/1.1 ")
        self.append(decimal: UInt64(status))
        self.append(0x20)
        self.append(reason)
        self.append("\r\n")
    }

    /// Appends one field line.
    package mutating func appendField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        assert(name.isToken && value.isFieldValue)
        self.append(addingCapacity: name.count + value.count + 4) { output in
            output.append(copying: name)
            output.append(0x3A)
            output.append(0x20)
            output.append(copying: value)
            output.append(0x0D)
            output.append(0x0A)
        }
    }

    /// Appends one field line.
    package mutating func appendField(_ name: KnownField, _ value: Span<UInt8>) {
        assert(name != .other)
        name.name.withSpan { self.appendField($0, value) }
    }

    /// Appends one field line.
    package mutating func appendField(_ name: KnownField, _ value: StaticString) {
        value.withSpan { self.appendField(name, $0) }
    }

    /// Appends one field line with a number, such as `More: 3`.
    package mutating func appendField(_ name: KnownField, _ value: UInt64) {
        assert(name != .other)
        let text = name.name
        self.append(addingCapacity: text.utf8CodeUnitCount + 24) { output in
            output.append(text)
            output.append(": ")
            output.append(decimal: value)
            output.append("\r\n")
        }
    }

    /// Appends one field line as it was received in `head`.
    package mutating func appendField(_ field: FieldPosition, of head: Span<UInt8>) {
        let nameEnd = field.name.range.upperBound
        let value = field.value.range
        // Nearly every line is written as relay would write it, and is copied whole.
        if value.lowerBound == nameEnd + 2, head[nameEnd + 1] == 0x20,
            head[value.upperBound] == 0x0D
        {
            self.append(head.extracting(field.name.range.lowerBound..<(value.upperBound + 2)))
        } else {
            self.appendField(head.extracting(field.name), head.extracting(field.value))
        }
    }

    /// Appends the framing field for a body framed so: none for `.none` and `.untilClose`.
    package mutating func appendFraming(_ framing: BodyFraming) {
        switch framing {
        case .none, .untilClose: break
        case .length(let bytes): self.appendField(.contentLength, bytes)
        case .chunked: self.append("Transfer-Encoding: chunked\r\n")
        }
    }

    /// Appends `Date`.
    package mutating func appendDate(_ date: HTTPDate) {
        self.append(addingCapacity: date.bytes.count + 8) { output in
            output.append("Date: ")
            output.append(copying: date.bytes)
            output.append("\r\n")
        }
    }

    /// Appends the status line and `Date`, with which every final response begins.
    package mutating func appendStart(_ status: UInt16, _ date: HTTPDate) {
        guard status == 200 else {
            self.appendStatusLine(status)
            self.appendDate(date)
            return
        }
        // Nearly every one, so in one piece.
        self.append(addingCapacity: date.bytes.count + 25) { output in
            output.append("HTTP/1.1 200 OK\r\nDate: ")
            output.append(copying: date.bytes)
            output.append("\r\n")
        }
    }

    /// Appends the empty line that ends a head.
    package mutating func appendEndOfHead() {
        self.append("\r\n")
    }

    /// Appends a whole chunk; nothing if `payload` is empty, because that would end the body.
    package mutating func appendChunk(_ payload: Span<UInt8>) {
        guard payload.count > 0 else { return }
        self.appendChunkStart(count: payload.count)
        self.append(payload)
        self.appendChunkEnd()
    }

    /// Appends the line before the `count` bytes of a chunk, which follow and then `appendChunkEnd`.
    package mutating func appendChunkStart(count: Int) {
        assert(count > 0)
        self.append(hexadecimal: UInt64(count))
        self.append("\r\n")
    }

    /// Appends the line end behind a chunk's bytes.
    package mutating func appendChunkEnd() {
        self.append("\r\n")
    }

    /// Appends the chunk that ends a body, without trailers.
    package mutating func appendLastChunk() {
        self.append("0\r\n\r\n")
    }
}

extension Span where Element == UInt8 {
    /// Whether all bytes may stand in a request target.
    var isTargetText: Bool {
        for index in self.indices where !ByteClass.target.contains(self[index]) { return false }
        return true
    }
}
