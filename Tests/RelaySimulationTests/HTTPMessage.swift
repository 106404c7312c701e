import RelayEngine

/// A request or a response as a script at the other end sees it.
struct HTTPMessage {
    /// The request line or the status line.
    var start = ""
    /// The fields in order, names in lower case.
    var fields: [(name: String, value: String)] = []
    /// The body without its framing.
    var body: [UInt8] = []

    /// The only value of a field; nil if there is none or more than one.
    func value(of name: String) -> String? {
        let values = self.fields.filter { $0.name == name }
        return values.count == 1 ? values[0].value : nil
    }

    /// How often the field is there.
    func count(of name: String) -> Int { self.fields.count { $0.name == name } }

    /// The status of a response; 0 if there is none.
    var status: Int {
        let parts = self.start.split(separator: " ")
        return parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    }

    /// Whether the sender ends the connection behind it.
    var isLast: Bool { self.value(of: "connection") == "close" }
}

/// Takes messages out of the bytes of a connection; simple, and not the parser under test.
struct HTTPMessageReader {
    /// Whether responses are read: a body without framing goes on to the end of the connection then.
    let readsResponses: Bool
    private var bytes: [UInt8] = []
    private var scanned = 0
    private var message = HTTPMessage()
    private var state = State.head
    /// How many bytes belonged to messages that were complete.
    private(set) var bytesOfMessages = 0
    private var bytesAppended = 0
    /// What cannot be HTTP.
    private(set) var fault: String?

    private enum State {
        case head
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case untilEnd
    }

    init(readsResponses: Bool) { self.readsResponses = readsResponses }

    /// Whether nothing of a message is here.
    var isAtStart: Bool {
        if case .head = self.state { self.bytes.isEmpty } else { false }
    }

    mutating func append(_ bytes: [UInt8]) {
        self.bytes += bytes
        self.bytesAppended += bytes.count
    }

    /// The next complete message.
    mutating func next() -> HTTPMessage? {
        while self.fault == nil {
            switch self.state {
            case .head:
                guard let head = self.takeThrough("\r\n\r\n") else { return nil }
                self.begin(head)
            case .body(let left):
                guard self.bytes.count >= left else { return nil }
                self.message.body += self.take(left)
                return self.complete()
            case .chunkSize:
                guard let line = self.takeThrough("\r\n") else { return nil }
                // The end of the line is one character.
                guard let size = Int(line.dropLast(), radix: 16) else {
                    self.fault = "chunk size '\(line)'"
                    return nil
                }
                self.state = .chunk(left: size)
            case .chunk(let left):
                guard self.bytes.count >= left + 2 else { return nil }
                self.message.body += self.take(left)
                _ = self.take(2)
                if left == 0 { return self.complete() }
                self.state = .chunkSize
            case .untilEnd:
                self.message.body += self.take(self.bytes.count)
                return nil
            }
        }
        return nil
    }

    /// The connection has ended: the message that this completes.
    mutating func ended() -> HTTPMessage? {
        guard case .untilEnd = self.state else { return nil }
        return self.complete()
    }

    private mutating func begin(_ head: String) {
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        self.message = HTTPMessage()
        self.message.start = lines.first.map(String.init) ?? ""
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else {
                self.fault = "field line '\(line)'"
                return
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            self.message.fields.append((line[..<colon].lowercased(), String(value)))
        }
        if self.message.value(of: "transfer-encoding") == "chunked" {
            self.state = .chunkSize
        } else if let length = self.message.value(of: "content-length").flatMap({ Int($0) }) {
            self.state = .body(left: length)
        } else {
            self.state = self.readsResponses ? .untilEnd : .body(left: 0)
        }
    }

    private mutating func complete() -> HTTPMessage {
        self.state = .head
        self.bytesOfMessages = self.bytesAppended - self.bytes.count
        return self.message
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let taken = self.bytes[..<count]
        self.bytes.removeFirst(count)
        self.scanned = 0
        return taken
    }

    private mutating func takeThrough(_ mark: StaticString) -> String? {
        let length = mark.utf8CodeUnitCount
        var index = max(self.scanned, length - 1)
        while index < self.bytes.count {
            if self.bytes[index] == 0x0a, self.bytes[index - 1] == 0x0d,
                length == 2 || self.bytes[index - 2] == 0x0a && self.bytes[index - 3] == 0x0d
            {
                return String(decoding: self.take(index + 1), as: UTF8.self)
            }
            index += 1
        }
        self.scanned = self.bytes.count
        return nil
    }
}
