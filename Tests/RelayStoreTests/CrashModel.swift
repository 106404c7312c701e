@testable import RelayStore

/// What a store owes to those whom it has answered, and what it may have of the others.
struct CrashModel {
    /// A packet for one client, or for the backend.
    struct Copy {
        let text: String
        /// The beginning of it.
        var label: Substring { self.text.prefix { $0 != " " } }
        /// Whom it is for, or of whom it is.
        let name: String
        let direction: Direction
        /// The operation that stores it, in the order in which they began.
        let order: Int
        /// How many operations had begun when it was answered.
        var answeredAt: Int?
        var number: PacketNumber?
        var state = State.begun
    }

    enum State {
        /// It may be stored or not: nobody was answered.
        case begun
        /// It is there.
        case kept
        /// It has ended, and that may be stored or not.
        case leaving
        /// It is not there.
        case gone
    }

    /// Something that is never refused: it ends a packet, and others begin with it.
    struct Change {
        let order: Int
        var removes: Int?
        var adds: [Int] = []
        /// The packet that ends becomes a dead letter.
        var isDeath = false
        /// Whether it does happen: what a session acknowledges that has ended meanwhile does not.
        var isCertain = true
    }

    /// A session that begins or, without a token, ends.
    struct SessionChange {
        let ticket: UInt64
        let token: String?
    }

    private(set) var copies: [Copy] = []
    private(set) var changes: [Change] = []
    private(set) var deadLetters: Set<PacketNumber> = []
    /// The tokens whose logins were answered, and what may come after them.
    var tokens: [String: String] = [:]
    var sessionChanges: [String: [SessionChange]] = [:]
    private var order = 0
    private var byText: [String: Int] = [:]

    /// The first thing that was not as it should be.
    private(set) var fault: String?

    private static func label(_ text: String) -> String { "'\(text.prefix { $0 != " " })'" }

    /// What has happened, for who has to understand a fault.
    private(set) var trace: [String] = []

    mutating func note(_ text: String) { self.trace.append(text) }

    mutating func broken(_ text: String) {
        self.fault = self.fault ?? "\(text)\n\(self.trace.suffix(60).joined(separator: "\n"))"
    }

    /// A new operation begins.
    mutating func begin() -> Int {
        self.order += 1
        self.note("begins \(self.order)")
        return self.order
    }

    // MARK: Packets

    mutating func add(_ text: String, for names: [String], _ direction: Direction) -> [Int] {
        names.map { name in
            self.byText["\(name) \(text)"] = self.copies.count
            self.copies.append(
                Copy(text: text, name: name, direction: direction, order: self.order)
            )
            return self.copies.count - 1
        }
    }

    func find(_ text: String, of name: String) -> Int? { self.byText["\(name) \(text)"] }

    /// The operation that stores these is answered: they are there, and what began before them is done.
    mutating func stored(_ indices: [Int], firstNumber: PacketNumber) {
        self.note("stored \(indices.map { self.copies[$0].order }) as \(firstNumber)")
        for (offset, index) in indices.enumerated() {
            if self.copies[index].state == .begun { self.copies[index].state = .kept }
            self.copies[index].answeredAt = self.order
            self.copies[index].number = firstNumber + UInt64(offset)
        }
        if let first = indices.first { self.durable(upTo: self.copies[first].order) }
    }

    /// They are refused because they could not be written, or for another reason, and then they may have
    /// been written and are removed again.
    mutating func refused(_ indices: [Int], couldBeWritten: Bool) {
        self.note("refused \(indices.map { self.copies[$0].order })")
        for index in indices { self.copies[index].state = couldBeWritten ? .leaving : .gone }
    }

    /// A packet was handed out.
    mutating func seen(_ text: String, of name: String, _ number: PacketNumber) {
        guard let index = self.find(text, of: name) else {
            self.broken("\(Self.label(text)) of \(name) came from nowhere")
            return
        }
        if let change = self.changes.first(where: { $0.adds.contains(index) }) {
            self.durable(upTo: change.order)
        }
        if self.copies[index].state == .begun || self.copies[index].state == .gone {
            self.broken(
                "\(Self.label(text)) of \(name) is handed out, but \(self.copies[index].state)"
            )
        }
        if let known = self.copies[index].number, known != number {
            self.broken("\(Self.label(text)) of \(name) is \(number), was \(known)")
        }
        self.copies[index].number = number
    }

    // MARK: Changes

    /// Something happens that is never refused.
    mutating func change(
        removing index: Int?,
        adding: [Int] = [],
        isDeath: Bool = false,
        isCertain: Bool = true
    ) {
        if let index { self.copies[index].state = .leaving }
        self.note(
            "change \(self.order) removes \(index.map { self.copies[$0].label } ?? "-")"
                + " adds \(adding.map { self.copies[$0].label })"
        )
        self.changes.append(
            Change(
                order: self.order,
                removes: index,
                adds: adding,
                isDeath: isDeath,
                isCertain: isCertain
            )
        )
    }

    /// A change that was not certain has happened.
    mutating func ended(_ index: Int) {
        self.changes.removeAll { $0.removes == index && !$0.isCertain }
        if self.copies[index].state == .leaving { self.copies[index].state = .gone }
    }

    /// What began up to this operation is stored.
    mutating func durable(upTo order: Int) {
        while let change = self.changes.first, change.order <= order {
            self.changes.removeFirst()
            self.happened(change)
        }
    }

    private mutating func happened(_ change: Change) {
        guard change.isCertain else { return }
        if let index = change.removes {
            self.copies[index].state = .gone
            if change.isDeath, let number = self.copies[index].number {
                self.deadLetters.insert(number)
            }
        }
        for index in change.adds where self.copies[index].state == .begun {
            self.copies[index].state = .kept
            self.copies[index].answeredAt = self.order
        }
    }

    // MARK: After a crash

    /// What a store has when it is opened.
    struct Found {
        /// By client, in order.
        var outboxes: [String: [(text: String, number: PacketNumber)]] = [:]
        var inboxes: [String: [(text: String, number: PacketNumber)]] = [:]
        var deadLetters: Set<PacketNumber> = []
        var tokens: [String: [String]] = [:]
    }

    /// Compares, and takes over what was found.
    mutating func compare(_ found: Found) {
        self.note("is opened")
        var present: [Int: PacketNumber] = [:]
        for (name, packets) in found.outboxes { self.locate(packets, .toClient, name, &present) }
        for (name, packets) in found.inboxes { self.locate(packets, .toBackend, name, &present) }
        self.compareChanges(present, found.deadLetters)
        for index in self.copies.indices where self.copies[index].direction != .toBackend {
            self.compareGroup(index, present)
        }
        for index in self.copies.indices { self.settle(index, present[index]) }
        let missing = self.deadLetters.subtracting(found.deadLetters)
        if !missing.isEmpty { self.broken("dead letters are lost: \(missing)") }
        let others = found.deadLetters.subtracting(self.deadLetters)
        if !others.isEmpty { self.broken("dead letters from nowhere: \(others)") }
        self.compareSessions(found.tokens)
    }

    /// Which copies these are; each is there once, and in order.
    private mutating func locate(
        _ packets: [(text: String, number: PacketNumber)],
        _ direction: Direction,
        _ name: String,
        _ present: inout [Int: PacketNumber]
    ) {
        var indices: [Int] = []
        var last: PacketNumber = 0
        for packet in packets {
            guard let index = self.find(packet.text, of: name),
                self.copies[index].direction == direction
            else {
                self.broken("\(Self.label(packet.text)) of \(name) is there and was never sent")
                continue
            }
            if present.updateValue(packet.number, forKey: index) != nil {
                self.broken("\(Self.label(packet.text)) of \(name) is there twice")
            }
            if packet.number <= last {
                self.broken("\(Self.label(packet.text)) of \(name) out of order")
            }
            last = packet.number
            if let early = indices.first(where: { self.isAfter($0, index) }) {
                let text = self.copies[early].label
                self.broken(
                    "\(name) has '\(text)' before \(Self.label(packet.text)), which was sent first"
                )
            }
            indices.append(index)
        }
    }

    /// Whether one was sent after another one was answered.
    private func isAfter(_ one: Int, _ other: Int) -> Bool {
        guard let answeredAt = self.copies[other].answeredAt else { return false }
        return answeredAt < self.copies[one].order
    }

    /// Changes happen whole, and each after those that began before it.
    private mutating func compareChanges(
        _ present: [Int: PacketNumber],
        _ dead: Set<PacketNumber>
    ) {
        let orders = present.keys.filter { self.copies[$0].state == .begun }
            .map { self.copies[$0].order }
        var mayHappen = true
        for change in self.changes where change.isCertain {
            let hasHappened: Bool
            if let index = change.removes {
                hasHappened = present[index] == nil
                let number = self.copies[index].number
                if change.isDeath, number.map(dead.contains) != hasHappened {
                    self.broken(
                        "'\(self.copies[index].label)' is a dead letter and not, or neither"
                    )
                }
            } else {
                hasHappened = change.adds.contains { present[$0] != nil }
            }
            for index in change.adds where (present[index] != nil) != hasHappened {
                self.broken("'\(self.copies[index].label)' is there without its cause, or lost")
            }
            if hasHappened, !mayHappen { self.broken("change \(change.order) came too early") }
            if !hasHappened, orders.contains(where: { $0 > change.order }) {
                self.broken("change \(change.order) is lost, and a later one is not")
            }
            mayHappen = hasHappened
            if hasHappened { self.happened(change) }
            if !hasHappened, let index = change.removes { self.copies[index].state = .kept }
            if !hasHappened { for index in change.adds { self.copies[index].state = .gone } }
        }
        self.changes = []
    }

    /// A packet for several recipients is there for all of them or for none.
    private mutating func compareGroup(_ index: Int, _ present: [Int: PacketNumber]) {
        guard index > 0, self.copies[index].order == self.copies[index - 1].order,
            self.copies[index].state == .begun, self.copies[index - 1].state == .begun
        else { return }
        if (present[index] == nil) != (present[index - 1] == nil) {
            self.broken("'\(self.copies[index].label)' is there for some")
        }
    }

    private mutating func settle(_ index: Int, _ number: PacketNumber?) {
        let copy = self.copies[index]
        let what = "'\(copy.label)' of \(copy.name)"
        switch copy.state {
        case .kept where number == nil: self.broken("\(what) is lost")
        case .gone where number != nil: self.broken("\(what) is there again")
        default: break
        }
        if let number, let known = copy.number, known != number {
            self.broken("\(what) is \(number), was \(known)")
        }
        self.copies[index].state = number == nil ? .gone : .kept
        if let number {
            self.copies[index].number = number
            self.copies[index].answeredAt = copy.answeredAt ?? self.order
        }
    }

    private mutating func compareSessions(_ found: [String: [String]]) {
        for name in Set(self.tokens.keys).union(self.sessionChanges.keys) {
            let alive = found[name] ?? []
            let changes = self.sessionChanges[name] ?? []
            let allowed = [self.tokens[name]] + changes.map(\.token)
            if alive.count > 1 { self.broken("\(name) has two sessions") }
            if !allowed.contains(alive.first) {
                self.broken("\(name) has the session \(alive), not one of \(allowed)")
            }
            self.tokens[name] = alive.first
        }
        self.sessionChanges = [:]
    }
}
