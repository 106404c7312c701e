import RelayEngine
import SimulatedSystem

/// Pushes packets to clients from outside of everything, one after the other.
final class Pusher {
    /// Pushes whose packets have a key, which may be sent again.
    private var keyed: [(push: Push, gift: Gift)] = []
    /// What is to be pushed as soon as it can be.
    private var wanted: [[String]] = []
    private var isUnderWay = false
    private var isSettled = false
    private var connection: ClientConnection?
    private unowned let world: World
    private var generator: SeededGenerator

    init(_ world: World, generator: SeededGenerator) {
        self.world = world
        self.generator = generator
    }

    /// Whether nothing is under way or wanted.
    var isIdle: Bool { !self.isUnderWay && self.wanted.isEmpty }

    /// Begins to push of its own accord.
    func begin() {
        let pause = self.generator.duration(in: .zero...(.milliseconds(1500)))
        self.world.simulation.after(pause) { [unowned self] in
            guard !self.isSettled, !self.world.isStopping else { return }
            if !self.isUnderWay { self.pushAnything() }
            self.begin()
        }
    }

    /// From now on it pushes what it is told to only.
    func settle() { self.isSettled = true }

    /// Pushes a packet for each of these lists of clients.
    func push(to lists: [[String]]) {
        self.wanted += lists
        self.pushWanted()
    }

    private func pushWanted() {
        guard !self.isUnderWay, !self.wanted.isEmpty, !self.world.isStopping else { return }
        let (push, gift) = self.make(to: self.wanted.removeFirst(), isKeyed: false)
        self.send(push, gift) { [unowned self] in self.pushWanted() }
    }

    private func pushAnything() {
        if self.generator.chance(0.3),
            let (push, gift) = self.keyed.randomElement(using: &self.generator)
        {
            return self.send(push, gift)
        }
        let count = self.generator.chance(0.4) ? Int.random(in: 2...3, using: &self.generator) : 1
        let names = self.world.clientNames.shuffled(using: &self.generator).prefix(count)
        let (push, gift) = self.make(to: Array(names), isKeyed: self.generator.chance(0.5))
        self.send(push, gift)
    }

    private func make(to recipients: [String], isKeyed: Bool) -> (Push, Gift) {
        let gift = self.world.oracle.gift(to: recipients)
        let push = Push(
            recipients: gift.copies.map(\.recipient),
            key: isKeyed ? "push-\(gift.number)" : nil
        )
        gift.push = push
        if isKeyed { self.keyed.append((push, gift)) }
        return (push, gift)
    }

    private func send(_ push: Push, _ gift: Gift, _ completion: @escaping () -> Void = {}) {
        let connection = self.usableConnection()
        self.isUnderWay = true
        push.attempts += 1
        let isStranger = !self.isSettled && self.generator.chance(0.05)
        var lines = ["POST /packets HTTP/1.1", "Host: relay", "X-Reply: \(gift.number)"]
        lines.append("Authorization: Bearer \(Scenario.pushSecret)\(isStranger ? "?" : "")")
        // Nobody is named twice.
        lines.append(
            "To: \((push.recipients + push.recipients.prefix(1)).joined(separator: " , "))"
        )
        if let key = push.key { lines.append("Packet-Id: \(key)") }
        lines.append("Content-Length: \(gift.contents.count)")
        var isOver = false
        let finish = { [unowned self] in
            guard !isOver else { return }
            isOver = true
            connection.onAnswer = nil
            connection.onEnd = nil
            self.isUnderWay = false
            completion()
        }
        connection.onAnswer = { [unowned self] message in
            self.world.oracle.pushAnswered(push, gift, message, isStranger: isStranger)
            finish()
        }
        connection.onEnd = finish
        let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        connection.send(head + gift.contents, as: nil, label: gift.label)
        if !self.isSettled, self.generator.chance(0.1) {
            // Nobody knows then whether it is stored.
            let delay = self.generator.duration(in: .zero...(.milliseconds(1)))
            self.world.simulation.after(delay) { if !isOver { connection.end(.reset) } }
        }
        self.world.simulation.after(.seconds(20)) { [unowned self] in
            guard !isOver else { return }
            if !self.world.scenario.isFaulty {
                self.world.oracle.broken("a push is never answered")
            }
            connection.end(.reset)
        }
    }

    private func usableConnection() -> ClientConnection {
        if let connection = self.connection, connection.isUsable { return connection }
        let connection = ClientConnection(
            self.world,
            number: self.world.nextConnection(),
            to: Scenario.pushListener
        )
        self.connection = connection
        return connection
    }
}

/// What holds for pushes (DESIGN 2.5).
extension Oracle {
    /// A push was answered.
    func pushAnswered(_ push: Push, _ gift: Gift, _ message: HTTPMessage, isStranger: Bool) {
        if isStranger {
            if message.status != 401 {
                self.broken("a push without the secret was answered with '\(message.start)'")
            }
            return
        }
        switch message.status {
        case 202: self.pushed(push, gift, message)
        case 503 where self.scenario.outboxPacketsMax != nil:
            if push.numbers != nil { self.broken("there is no room for \(gift.label), a repeat") }
        default: self.broken("a push was answered with '\(message.start)'")
        }
    }

    private func pushed(_ push: Push, _ gift: Gift, _ message: HTTPMessage) {
        let numbers = (message.value(of: "packet-id") ?? "").split(separator: ",").compactMap {
            UInt64($0.filter { $0 != " " })
        }
        guard numbers.count == push.recipients.count else {
            return self.broken("the push of \(gift.label) got \(numbers.count) numbers")
        }
        let isDuplicate = message.value(of: "duplicate") == "true"
        if let before = push.numbers {
            if before != numbers || !isDuplicate {
                self.broken("\(gift.label) was pushed again and got other numbers")
            }
            return
        }
        if isDuplicate, push.attempts == 1 {
            self.broken("\(gift.label) was pushed once and is a duplicate")
        }
        push.numbers = numbers
        for (copy, number) in zip(gift.copies, numbers) {
            if let before = copy.packetID, before != number {
                self.broken("reply \(gift.number) came as \(before) and was pushed as \(number)")
            }
            // A number of 0 is a dead letter's; nobody is a stranger for so long.
            if number == 0 { self.broken("\(gift.label) became a dead letter at once") }
            copy.packetID = number
        }
    }
}
