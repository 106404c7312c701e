import Glibc
import Synchronization

/// A backend of the packet protocol whose answers a test writes, and which can die and come back.
///
/// Unlike a real one it takes a thread for each connection.
final class TestBackend: Sendable {
    /// What a script answers to a request.
    enum Reply: Sendable {
        /// A response, framed by Content-Length.
        case answer(Int, fields: [(name: String, value: String)] = [], body: String = "")
        /// These very bytes, and then the end of the connection.
        case raw(String)
        /// The end of the connection, without an answer.
        case close
        /// RST.
        case reset
        /// Nothing, until relay gives up.
        case hang
        /// The next of the packets that the test has pushed, as soon as there is one, or nothing
        /// after the time.
        case pushed(hold: Duration)
    }

    /// A packet that answers a fetch.
    struct Packet: Sendable {
        var recipient: String
        var body: String
        var fields: [(name: String, value: String)] = []

        var reply: Reply {
            .answer(200, fields: [("To", self.recipient)] + self.fields, body: self.body)
        }
    }

    /// A request as it came.
    struct Received: Sendable {
        /// The number of its connection.
        var connection: Int
        /// Its place among the requests of all backends.
        var order: Int
        var message: Message

        var type: String? { self.message.field("Type") }
        /// Whether it asks for packets, and brings none.
        var isFetch: Bool { self.type == "Packet" && self.message.body.isEmpty }
        /// Whether it brings a packet.
        var isPacket: Bool { self.type == "Packet" && !self.message.body.isEmpty }
    }

    typealias Script = @Sendable (Received, TestBackend) -> Reply

    private struct State {
        var script: Script
        var isRunning = false
        var received: [Received] = []
        var pushed: [Packet] = []
        var tokens = 0
        var connectionsMade = 0
        var connections: [Int: Descriptor] = [:]
        var threads = 0
    }

    let address: Address
    private let state: Monitor<State>
    private let listener = Monitor<ListeningSocket?>(nil)

    /// A backend that answers by `script`, running.
    init(_ address: Address, script: @escaping Script = TestBackend.demonstration) throws {
        self.address = address
        self.state = Monitor(State(script: script))
        try self.start()
    }

    deinit { self.stop() }

    /// What a backend does if a test says nothing: lets everybody in by the name in the body, gives
    /// packets back to their senders (or to `X-Deliver-To`, or with `X-Silent` to nobody), and
    /// answers fetches with what was pushed.
    static let demonstration: Script = { request, backend in
        if request.isFetch { return .pushed(hold: .zero) }
        guard request.isPacket else { return backend.admit(request) }
        return backend.echo(request)
    }

    /// The answer to a login: the body is the id.
    func admit(_ request: Received) -> Reply {
        let name = request.message.text
        let number = self.state.update { state in
            state.tokens += 1
            return state.tokens
        }
        let token = "token-of-\(name)-\(number)-from-\(self.address.port)"
        return .answer(200, fields: [("Client-Id", name)], body: token)
    }

    /// The packet itself as the answer to it.
    func echo(_ request: Received) -> Reply {
        let message = request.message
        if message.field("X-Silent") != nil { return .answer(200) }
        let recipient = message.field("X-Deliver-To") ?? message.field("From") ?? ""
        let fields = message.fields.filter {
            let name = $0.name.lowercased()
            return name.hasPrefix("x-") && name != "x-request-id"
        }
        return .answer(200, fields: [("To", recipient)] + fields, body: message.text)
    }

    /// Answers by another script from now on.
    func setScript(_ script: @escaping Script) { self.state.update { $0.script = script } }

    /// Gives a packet to the next fetch.
    func push(_ packet: Packet) { self.state.update { $0.pushed.append(packet) } }

    /// Pushes a packet of text.
    func push(_ text: String, to recipient: String) {
        self.push(Packet(recipient: recipient, body: text))
    }

    /// All requests so far.
    var received: [Received] { self.state.update { $0.received } }

    /// All packets so far.
    var packets: [Received] { self.received.filter(\.isPacket) }

    /// Waits until the requests are as `condition` says, and gives them.
    @discardableResult
    func waitForRequests(
        by deadline: Deadline = .usual,
        _ condition: ([Received]) -> Bool
    ) throws -> [Received] {
        let found = self.state.wait(until: deadline) { state -> [Received]? in
            condition(state.received) ? state.received : nil
        }
        guard let found else {
            let seen = self.received.map { "\($0.message.fields) \($0.message.text)" }
            throw Failure("the backend did not get what was waited for, but \(seen)")
        }
        return found
    }

    /// Waits for `count` packets.
    @discardableResult
    func waitForPackets(_ count: Int) throws -> [Received] {
        try self.waitForRequests { $0.count(where: \.isPacket) >= count }.filter(\.isPacket)
    }

    /// Listens at its address, again.
    func start() throws {
        let listener = try ListeningSocket(self.address)
        self.listener.update { $0 = listener }
        self.state.update {
            $0.isRunning = true
            $0.threads += 1
        }
        OwnThread.start { [weak self] in
            while let descriptor = listener.accept() {
                guard let self else { break }
                self.connectionAccepted(descriptor)
            }
            self?.state.update { $0.threads -= 1 }
        }
    }

    /// Ends as if it was killed: every connection breaks, and nobody listens any more.
    func stop() {
        let listener = self.listener.update { listener in
            defer { listener = nil }
            return listener
        }
        listener?.shutDown()
        self.state.update { state in
            state.isRunning = false
            for connection in state.connections.values {
                _ = shutdown(connection.value, Int32(SHUT_RDWR))
            }
        }
        _ = self.state.wait(until: .usual) { $0.threads == 0 ? true : nil }
        listener?.close()
    }

    /// The requests to all backends of this process.
    private static let requests = Atomic(0)

    private func connectionAccepted(_ descriptor: Descriptor) {
        let number = self.state.update { state -> Int? in
            guard state.isRunning else { return nil }
            state.connectionsMade += 1
            state.connections[state.connectionsMade] = descriptor
            state.threads += 1
            return state.connectionsMade
        }
        guard let number else { return }
        OwnThread.start { [self] in
            let stream = SocketStream(descriptor)
            while let message = try? stream.message(by: .after(.seconds(600))) {
                // A backend that was killed takes in nothing more, even if its kernel has it.
                let next = self.state.update { state -> (Received, Script)? in
                    guard state.isRunning else { return nil }
                    let order = Self.requests.add(1, ordering: .relaxed).newValue
                    let request = Received(connection: number, order: order, message: message)
                    state.received.append(request)
                    return (request, state.script)
                }
                guard let (request, script) = next,
                    self.perform(script(request, self), on: stream)
                else { break }
            }
            self.state.update { state in
                state.connections[number] = nil
                state.threads -= 1
                // Closed with the lock held: `stop` shuts down only what is open.
                descriptor.close()
            }
        }
    }

    /// Whether the connection goes on.
    private func perform(_ reply: Reply, on stream: SocketStream) -> Bool {
        switch reply {
        case .answer(let status, let fields, let body):
            var text = "HTTP/1.1 \(status) Status\r\n"
            for field in fields { text += "\(field.name): \(field.value)\r\n" }
            if status != 204 { text += "Content-Length: \(body.utf8.count)\r\n" }
            return (try? stream.write(Array("\(text)\r\n\(body)".utf8))) != nil
        case .raw(let text):
            try? stream.write(Array(text.utf8))
            return false
        case .close:
            return false
        case .reset:
            stream.reset()
            return false
        case .hang:
            _ = try? stream.rest(by: .after(.seconds(600)))
            return false
        case .pushed(let hold):
            return self.answerFetch(holding: hold, on: stream)
        }
    }

    private func answerFetch(holding hold: Duration, on stream: SocketStream) -> Bool {
        let found = self.state.wait(until: .after(hold)) { state -> [Packet]? in
            guard state.isRunning else { return [] }
            return state.pushed.isEmpty ? nil : [state.pushed.removeFirst()]
        }
        guard let packet = found?.first else { return self.perform(.answer(200), on: stream) }
        // A fetch has no second request behind it: what can be read is the connection's end.
        let isAlive = !stream.hasInput(by: .after(.zero))
        if isAlive, self.perform(packet.reply, on: stream) { return true }
        self.state.update { $0.pushed.insert(packet, at: 0) }
        return false
    }
}
