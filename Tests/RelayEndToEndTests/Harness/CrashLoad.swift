/// Clients and a backend's service that go on through crashes of relay, and what relay owes them.
///
/// A packet counts as sent only when its answer was read, as delivered only when its `Ack` was
/// answered. From any thread.
final class CrashLoad: Sendable {
    /// What a client knows of itself.
    private struct Client {
        let token: String
        /// The number of the last packet that it got, and the last one whose `Ack` was answered.
        var last = 0
        var acknowledged = 0
        /// The numbers of all texts that it got.
        var received: [String: Int] = [:]
        /// What it has to get.
        var owed: Set<String> = []
        /// The last pushed text that it got, and the last of its own that the backend got, by number.
        var lastPushed = 0
        var lastReached = 0
    }

    private struct State {
        var clients: [Client]
        /// Packets that were answered and have not reached the backend.
        var missing: Set<String> = []
        var reached: Set<String> = []
        /// All texts that somebody tried to send.
        var attempted: Set<String> = []
        var sent = 0
        var pushed = 0
        var delivered = 0
        var faults: [String] = []
    }

    /// How much was answered.
    struct Counts: Sendable {
        let sent: Int
        let pushed: Int
        let delivered: Int
    }

    private let state: Monitor<State>
    private let address: Address
    private let pushAddress: Address
    private let secret: String
    private let count: Int

    /// A load of logged in clients, who are called `client-0` and so on.
    init(tokens: [String], at address: Address, pushAt pushAddress: Address, secret: String) {
        self.state = Monitor(State(clients: tokens.map { Client(token: $0) }))
        self.count = tokens.count
        self.address = address
        self.pushAddress = pushAddress
        self.secret = secret
    }

    /// What is wrong, if anything is.
    var faults: [String] { self.state.update { $0.faults } }

    var counts: Counts {
        self.state.update { Counts(sent: $0.sent, pushed: $0.pushed, delivered: $0.delivered) }
    }

    /// Waits until so many more packets were answered.
    func waitForAnswers(_ count: Int) throws {
        let start = self.state.update { $0.sent + $0.pushed }
        let isDone = self.state.wait(until: .usual) { state in
            state.sent + state.pushed >= start + count ? true : nil
        }
        if isDone == nil { throw Failure("the load stands still: \(self.faults)") }
    }

    /// Begins: every client sends and asks, and somebody pushes, until relay is gone.
    func begin() -> [Worker<Void>] {
        (0..<self.count).map { index in Worker { self.converse(index) } }
            + [Worker { self.push() }]
    }

    // MARK: The backend

    /// A packet reached the backend, which gives it to another client.
    func reached(_ request: TestBackend.Received) {
        let text = request.message.text
        let parts = text.split(separator: "-").compactMap { Int($0) }
        self.state.update { state in
            guard parts.count == 2, state.reached.insert(text).inserted else { return }
            state.missing.remove(text)
            let (index, number) = (parts[0], parts[1])
            if number <= state.clients[index].lastReached {
                state.faults.append("\(text) reached the backend out of order")
            }
            state.clients[index].lastReached = number
            state.clients[(index + 1) % self.count].owed.insert(text)
        }
    }

    // MARK: Clients

    private func converse(_ index: Int) {
        guard let client = try? TestClient(self.address) else { return }
        while true {
            let text = self.state.update { state in
                let text = "\(index)-\(state.attempted.count + 1)"
                state.attempted.insert(text)
                return text
            }
            guard self.ask(index, text, wait: 0, on: client) != nil else { return }
            self.state.update { state in
                state.sent += 1
                if !state.reached.contains(text) { state.missing.insert(text) }
            }
        }
    }

    /// One request of a client; nil if it got no answer, otherwise whether that brought a packet.
    private func ask(_ index: Int, _ text: String, wait: Int, on client: TestClient) -> Bool? {
        let (token, last) = self.state.update { ($0.clients[index].token, $0.clients[index].last) }
        let request = Request.packet(token, text, wait: wait).with("Ack", "\(last)")
            .with("X-Deliver-To", "client-\((index + 1) % self.count)")
        guard let answer = try? client.exchange(request) else { return nil }
        return self.state.update { state in
            guard answer.status == 200 else {
                state.faults.append("client-\(index) got \(answer.startLine)")
                return nil
            }
            state.clients[index].acknowledged = last
            guard let number = answer.field("Packet-Id").flatMap(Int.init) else { return false }
            Self.received(answer.text, number, by: index, &state)
            return true
        }
    }

    private static func received(
        _ text: String,
        _ number: Int,
        by index: Int,
        _ state: inout State
    ) {
        let client = state.clients[index]
        if number <= client.acknowledged {
            state.faults.append("\(text) came again after its Ack was answered")
        } else if number < client.last {
            state.faults.append("\(text) came out of order")
        }
        if let known = client.received[text], known != number {
            state.faults.append("\(text) came twice, as \(known) and \(number)")
        }
        if !state.attempted.contains(text) { state.faults.append("\(text) came from nowhere") }
        state.clients[index].received[text] = number
        state.clients[index].owed.remove(text)
        state.clients[index].last = number
        if client.received[text] == nil { state.delivered += 1 }
        guard text.hasPrefix("push-"), let order = Int(text.dropFirst(5)), number > client.last
        else { return }
        if order < client.lastPushed { state.faults.append("\(text) came out of order") }
        state.clients[index].lastPushed = order
    }

    private func push() {
        guard let client = try? TestClient(self.pushAddress) else { return }
        while true {
            let number = self.state.update { state in
                let number = state.attempted.count + 1
                state.attempted.insert("push-\(number)")
                return number
            }
            let index = number % self.count
            let request = Request(path: "/packets", body: Array("push-\(number)".utf8))
                .with("Authorization", "Bearer \(self.secret)").with("To", "client-\(index)")
            guard let answer = try? client.exchange(request) else { return }
            self.state.update { state in
                guard answer.status == 202 else {
                    state.faults.append("a push got \(answer.startLine)")
                    return
                }
                state.pushed += 1
                if state.clients[index].received["push-\(number)"] == nil {
                    state.clients[index].owed.insert("push-\(number)")
                }
            }
        }
    }

    // MARK: After a crash

    /// Everything that was answered arrives; what does not is a fault.
    func catchUp(by deadline: Deadline = .usual) {
        let isComplete = self.state.wait(until: deadline) { state in
            state.missing.isEmpty || !state.faults.isEmpty ? true : nil
        }
        if isComplete == nil {
            self.state.update { $0.faults.append("never reached the backend: \($0.missing)") }
        }
        for index in 0..<self.count { self.empty(index, by: deadline) }
    }

    private func empty(_ index: Int, by deadline: Deadline) {
        guard let client = try? TestClient(self.address) else {
            self.state.update { $0.faults.append("relay does not accept") }
            return
        }
        while self.faults.isEmpty {
            guard let hasPacket = self.ask(index, "", wait: 0, on: client) else {
                self.state.update { $0.faults.append("client-\(index) gets no answer") }
                return
            }
            let owed = self.state.update { $0.clients[index].owed }
            if owed.isEmpty, !hasPacket { return }
            if deadline.isOver {
                self.state.update { $0.faults.append("client-\(index) never got \(owed)") }
            }
        }
    }
}
