/// Requests by chance: valid ones, and ones that were damaged.
struct GeneratedMessage {
    static let fieldNames = [
        "Accept", "X-One", "x-two", "X", "Packet-Id", "Ack", "Authorization", "Cookie", "Type",
        "TO",
        "User-Agent", "Prefer", "Content-Type", "Via", "!#$%&'*+-.^_`|~09", "Keep-Alive", "TE",
        "A-Name-That-Is-Much-Longer-Than-Any-That-Is-Known", "Date", "Forwarded",
    ]
    static let fieldValues = [
        "", "a", "a b\tc", "\"quoted, text\"", "1234567890", "caf\u{E9}", "close", "keep-alive",
        "text/html;q=0.8, */*", "Bearer abc.def", "0123456789abcdef0123456789abcdef",
    ]
    static let targets = [
        "/", "/a", "/a/b/c?d=e&f=%20", "/%7Euser/./../x", "http://h.example:81/p?q", "https://h",
        "/a[]?{}|^`", "//x//",
    ]
    static let hosts = [
        "a", "example.com", "h.example:8080", "127.0.0.1:1", "[::1]", "[fe80::1]:80",
    ]

    /// Pieces of text that damage a message in interesting ways.
    static let damage = [
        "\r", "\n", "\r\n", "\u{0}", " ", "\t", ":", ",", "\u{7F}", "\u{80}", "0", "-", "[", "%",
        "#",
        "Host: b\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "\r\n\r\n",
        "Connection: Host\r\n", " x: folded\r\n", "HTTP/1.0", "chunked", "@", "::", "65536",
    ]

    /// A valid request and the body that it carries.
    static func request(using generator: inout SeededGenerator) -> (message: [UInt8], body: [UInt8])
    {
        let method = generator.pick([
            "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "M-SEARCH",
        ])
        let isHTTP10 = generator.oneIn(6)
        var lines = ["Host: \(generator.pick(Self.hosts))"]
        for _ in 0..<generator.below(8) {
            let space = generator.pick(["", " ", "  ", "\t", " \t "])
            let tail = generator.pick(["", " ", "\t"])
            lines.append(
                "\(generator.pick(Self.fieldNames)):\(space)\(generator.pick(Self.fieldValues))\(tail)"
            )
        }
        if generator.oneIn(3) {
            let option = generator.pick(["close", "keep-alive", "X-One, close", "TE", ""])
            lines.append("Connection: \(option)")
        }
        var body: [UInt8] = []
        var encoded: [UInt8] = []
        if generator.oneIn(2) {
            for _ in 0..<generator.below(60) {
                body.append(UInt8.random(in: 0...255, using: &generator))
            }
            if isHTTP10 || generator.oneIn(2) {
                lines.append("Content-Length: \(body.count)")
                encoded = body
            } else {
                lines.append("Transfer-Encoding: chunked")
                encoded = Self.chunked(body, using: &generator)
            }
        }
        lines.shuffle(using: &generator)
        let line = "\(method) \(generator.pick(Self.targets)) HTTP/1.\(isHTTP10 ? 0 : 1)\r\n"
        let head =
            (generator.oneIn(10) ? "\r\n" : "") + line
            + lines.map { $0 + "\r\n" }.joined() + "\r\n"
        return (bytes(head) + encoded, body)
    }

    /// `body` in chunks with extensions and trailers now and then.
    static func chunked(_ body: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var encoded: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let count = 1 + generator.below(rest.count)
            let digits = String(count, radix: 16, uppercase: generator.oneIn(2))
            let zeros = String(repeating: "0", count: generator.below(3))
            let marks = generator.pick(["", "", "", ";a", ";a=b", ";a=\"b c\\\"d\"", ";a;b=c"])
            encoded += bytes("\(zeros)\(digits)\(marks)\r\n") + rest.prefix(count) + [13, 10]
            rest = rest.dropFirst(count)
        }
        let trailer = generator.pick(["", "", "X: y\r\n", "A:\r\nB: c d\r\n"])
        return encoded + bytes("0\r\n\(trailer)\r\n")
    }

    /// Damages a message in one to three places.
    static func damaged(_ message: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var message = message
        for _ in 0...generator.below(3) {
            let place = generator.below(message.count + 1)
            switch generator.below(4) {
            case 0:
                message.insert(contentsOf: bytes(generator.pick(Self.damage)), at: place)
            case 1 where place < message.count:
                message[place] = UInt8.random(in: 0...255, using: &generator)
            case 2 where place < message.count:
                message.removeSubrange(
                    place..<min(message.count, place + 1 + generator.below(4))
                )
            default:
                let end = min(message.count, place + generator.below(30))
                let target = generator.below(message.count + 1)
                message.insert(contentsOf: message[place..<end], at: target)
            }
        }
        return message
    }
}
