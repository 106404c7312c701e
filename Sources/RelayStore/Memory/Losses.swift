/// The packets that a client has lost, and of how many of them it was told.
///
/// Losses are counted on and on, so that an answer can say up to which of them it told:
///
///     base      told          total
///      |---------|-------------|
///       it knows   outstanding
struct Losses: Sendable {
    /// All losses, and what was there before.
    private(set) var total: UInt64

    /// Up to which of them the client is known to have been told.
    private var told: UInt64

    /// When the last packet was lost.
    private(set) var lastAt: UInt64 = 0

    /// The last packet that was delivered, and what its answer told.
    private var carrier: (number: PacketNumber, upTo: UInt64)?

    /// No losses; `base` is not below the total of any losses of this client before.
    init(base: UInt64) {
        self.total = base
        self.told = base
    }

    /// What the next answer has to say.
    var notice: LossNotice? {
        self.total == self.told
            ? nil : LossNotice(count: self.total - self.told, upTo: self.total)
    }

    /// A packet is lost.
    mutating func add(at now: StoreInstant) {
        self.total += 1
        self.lastAt = now.nanoseconds
    }

    /// So many were lost before.
    mutating func restore(_ count: UInt64, at now: StoreInstant) {
        // Whatever a file says, there is room to count on.
        self.total += min(count, UInt64(UInt32.max))
        self.lastAt = now.nanoseconds
    }

    /// The answer with this packet tells of all losses.
    mutating func carried(by number: PacketNumber) {
        self.carrier = (number, self.total)
    }

    /// The client has everything up to this packet, and what the answer with it told.
    ///
    /// - Returns: of how many losses it is known only now to have been told.
    mutating func packetArrived(upTo number: PacketNumber) -> UInt64 {
        guard let carrier, carrier.number <= number else { return 0 }
        self.carrier = nil
        return self.told(upTo: carrier.upTo)
    }

    /// The client was told of losses up to this one.
    ///
    /// - Returns: of how many it is known only now.
    mutating func told(upTo mark: UInt64) -> UInt64 {
        let before = self.told
        self.told = max(before, min(mark, self.total))
        return self.told - before
    }
}

extension Shard {
    /// A packet for the client is lost.
    mutating func countLoss(_ slot: UInt32, at now: StoreInstant) {
        let extras = self.extras(of: slot)
        self.extras[extras].losses.add(at: now)
    }

    /// What the next answer to the client has to say of losses.
    func lossNotice(_ slot: UInt32) -> LossNotice? {
        let extras = self.clients[slot].extras
        return extras == ClientExtras.none ? nil : self.extras[extras].losses.notice
    }

    /// The answer with this packet says what there is to say of losses.
    ///
    /// Of a packet that needs to be acknowledged the first answer counts: which of them the client
    /// acknowledges is not known, and a loss that it is told of twice does less harm than one that it
    /// is not told of.
    mutating func lossesCarried(_ slot: UInt32, by packet: borrowing Packet, isPlain: Bool) {
        let extras = self.clients[slot].extras
        guard extras != ClientExtras.none, isPlain || !packet.isRedelivered else { return }
        self.extras[extras].losses.carried(by: packet.number)
    }

    /// The client has everything up to this packet.
    mutating func packetsArrived(
        _ slot: UInt32,
        upTo number: PacketNumber,
        _ effects: inout Effects
    ) {
        let extras = self.clients[slot].extras
        guard extras != ClientExtras.none else { return }
        let count = self.extras[extras].losses.packetArrived(upTo: number)
        self.lossesTold(slot, count, &effects)
    }

    /// An answer without a packet has arrived that told of losses up to this one.
    mutating func lossesTold(
        _ client: ClientHandle,
        upTo mark: UInt64,
        _ effects: inout Effects
    ) {
        guard let slot = self.slot(of: client), self.clients[slot].extras != ClientExtras.none
        else { return }
        let count = self.extras[self.clients[slot].extras].losses.told(upTo: mark)
        self.lossesTold(slot, count, &effects)
    }

    func lossesTold(_ slot: UInt32, _ count: UInt64, _ effects: inout Effects) {
        guard count > 0 else { return }
        let client = self.clients[slot]
        effects.happened.append(.lossesTold(client.name, in: client.realm, count: count))
    }
}
