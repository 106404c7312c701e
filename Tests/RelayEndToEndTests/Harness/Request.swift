/// A request that a test writes.
struct Request: Sendable {
    var method = "POST"
    var path = "/"
    var version = "HTTP/1.1"
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []

    /// The request on the wire.
    ///
    /// `Host` and `Content-Length` are added unless they are given.
    func bytes(to address: Address) -> [UInt8] {
        var text = "\(self.method) \(self.path) \(self.version)\r\n"
        let names = self.fields.map { $0.name.lowercased() }
        if !names.contains("host") { text += "Host: \(address)\r\n" }
        for field in self.fields { text += "\(field.name): \(field.value)\r\n" }
        if !names.contains("content-length"), !names.contains("transfer-encoding"),
            self.method == "POST" || !self.body.isEmpty
        {
            text += "Content-Length: \(self.body.count)\r\n"
        }
        return Array((text + "\r\n").utf8) + self.body
    }

    /// The same request with one field more.
    func with(_ name: String, _ value: String) -> Request {
        var request = self
        request.fields.append((name, value))
        return request
    }

    /// A request without a body.
    static func get(_ path: String) -> Request { Request(method: "GET", path: path) }

    /// A login with the body `name`.
    static func login(
        _ name: String,
        at path: String = "/auth",
        permissions: String? = nil
    ) -> Request {
        let request = Request(path: path, body: Array(name.utf8))
        return permissions.map { request.with("Permissions", $0) } ?? request
    }

    /// A question for a packet; `wait` becomes `Prefer: wait=N`.
    static func poll(_ token: String, wait: Int? = nil) -> Request {
        .packet(token, "", wait: wait)
    }

    /// A packet, and a question for one.
    static func packet(
        _ token: String,
        _ text: String,
        to recipient: String? = nil,
        wait: Int? = nil
    ) -> Request {
        var request = Request(body: Array(text.utf8)).with("Authorization", "Bearer \(token)")
        if let recipient { request = request.with("To", recipient) }
        if let wait { request = request.with("Prefer", "wait=\(wait)") }
        return request
    }
}
