/// A client on one connection, which does what a test says and nothing else.
final class TestClient {
    let address: Address
    let stream: SocketStream

    /// Connects to `address`.
    init(_ address: Address, receiveBuffer: Int32? = nil) throws {
        self.address = address
        self.stream = try SocketStream(connectingTo: address, receiveBuffer: receiveBuffer)
    }

    /// Sends a request, in one piece.
    func send(_ request: Request) throws {
        try self.stream.write(request.bytes(to: self.address))
    }

    /// Sends text as it is.
    func send(text: String) throws { try self.stream.write(Array(text.utf8)) }

    /// Sends a request a byte at a time.
    func sendByteByByte(_ request: Request) throws {
        for byte in request.bytes(to: self.address) { try self.stream.write([byte]) }
    }

    /// Reads the next response, passing over those of status 1xx.
    func response(by deadline: Deadline = .usual) throws -> Message {
        while true {
            let message = try self.stream.message(by: deadline)
            if message.status >= 200 { return message }
        }
    }

    /// Sends a request and reads its response.
    func exchange(_ request: Request) throws -> Message {
        try self.send(request)
        return try self.response()
    }

    /// One request on a connection of its own.
    static func exchange(_ request: Request, with address: Address) throws -> Message {
        let client = try TestClient(address)
        defer { client.stream.close() }
        return try client.exchange(request)
    }
}
