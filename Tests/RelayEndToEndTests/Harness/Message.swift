/// An HTTP/1.1 message as it came over the wire.
///
/// Read by code of its own, so that the tests do not share a fault with relay. It reads what relay
/// and the tests write, and is no judge of malformed messages.
struct Message: Sendable {
    var startLine: String
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []

    /// The status of a response; 0 of a request.
    var status: Int {
        let words = self.startLine.split(separator: " ")
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }

    /// The body as text.
    var text: String { String(decoding: self.body, as: UTF8.self) }

    /// The first field of a name, compared without regard to case.
    func field(_ name: String) -> String? { self.values(of: name).first }

    /// All fields of a name.
    func values(of name: String) -> [String] {
        self.fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The fields whose names begin with `X-`, but for those of relay's own, as `name: value`.
    var extensionFields: Set<String> {
        let own = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"]
        return Set(
            self.fields.lazy
                .map { (name: $0.name.lowercased(), value: $0.value) }
                .filter { $0.name.hasPrefix("x-") && $0.name != "x-request-id" }
                .filter { !own.contains($0.name) }
                .map { "\($0.name): \($0.value)" }
        )
    }
}

extension SocketStream {
    /// Reads a line, without its end.
    func line(by deadline: Deadline) throws -> String {
        var bytes: [UInt8] = []
        while true {
            let byte = try self.byte(by: deadline)
            if byte == 0x0A { break }
            bytes.append(byte)
        }
        if bytes.last == 0x0D { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads a message whole, also one of status 1xx.
    func message(by deadline: Deadline = .usual) throws -> Message {
        var message = Message(startLine: try self.line(by: deadline))
        while true {
            let line = try self.line(by: deadline)
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":") else {
                throw StreamFailure.malformed(line)
            }
            let value = line[line.index(after: colon)...]
                .drop { $0 == " " }
            message.fields.append((String(line[..<colon]), String(value)))
        }
        if message.field("Transfer-Encoding") != nil {
            message.body = try self.chunks(by: deadline)
        } else if let length = message.field("Content-Length") {
            guard let count = Int(length) else { throw StreamFailure.malformed(length) }
            message.body = try self.bytes(count, by: deadline)
        } else if message.startLine.hasPrefix("HTTP/"), message.status >= 200,
            message.status != 204, message.status != 304
        {
            message.body = try self.rest(by: deadline)
        }
        return message
    }

    private func chunks(by deadline: Deadline) throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try self.line(by: deadline)
            guard let count = Int(line.prefix { $0 != ";" }, radix: 16) else {
                throw StreamFailure.malformed(line)
            }
            if count == 0 { break }
            body += try self.bytes(count, by: deadline)
            _ = try self.line(by: deadline)
        }
        while try !self.line(by: deadline).isEmpty {}
        return body
    }
}
