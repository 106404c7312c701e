import Logging
package import RelayEngine
import RelayObservation
import RelayPipeline
import RelayStore

/// The packet relay on one event loop: performs what follows from operations of the store.
///
/// Lives outside of generations, so that held polls, lanes and deliveries survive a reload; `install`
/// gives it the pools of a new one.
///
/// `@unchecked Sendable`: what other threads may do is post a message to `loop`, a constant. Everything
/// else is done on the loop, which assertions check at the doors.
package final class PacketLoop: @unchecked Sendable {
    /// The event loop.
    package let loop: EventLoop

    /// The exchanges that the store and other loops may answer to.
    let exchanges = ExchangeTable()

    /// The store of the process.
    let store: PacketStore

    let counters: PacketCounters
    let logger: Logger

    /// The number of the loop in tickets.
    let index: UInt16

    /// How many loops share the upkeep.
    let loopCount: Int

    /// Who knows the other loops; set once, before the first turn.
    weak var relay: PacketRelay?

    /// What is still to be performed here.
    var effects = Effects()

    /// The pools that packets may be sent to, of the newest generation.
    var pools: [PoolID: PacketPool] = [:]

    /// The lanes that this loop owns.
    var lanes: [LaneHandle: LaneSender] = [:]

    /// The fetches of this loop's targets, by their pool.
    var fetchers: [PoolID: [Fetcher]] = [:]

    /// The fetches of pools in `mode: client` whose fetches are this loop's.
    var clientFetches: [PoolID: ClientFetches] = [:]

    /// All pools in that mode, of whichever loop: they are told of the polls that this loop holds.
    var clientFetchPools: Set<ClientFetchPool> = []

    /// What is to be said to targets of the packets that they gave with a key.
    var storedKeys: [FetchTarget: StoredKeys] = [:]

    /// How many fetches are under way, those of replaced pools among them.
    var fetchesUnderWay = 0

    /// The polls that are held, in no order; each knows its place.
    var heldPolls: [PacketExchange] = []

    /// What failed last about the packet that is being given back to the store, for its dead letter's line.
    var lastFailure: (packet: PacketNumber, reason: String)?

    /// Lines that backends can bring about without end.
    var unknownClientLine = RareLine()
    var invalidSenderLine = RareLine()
    var invalidKeyLine = RareLine()

    /// Jitter.
    var generator: LoopRandom

    var upkeep = Upkeep()
    var draining: Draining?

    private var isPerforming = false

    /// What other loops are to perform, by their index.
    private var effectsElsewhere: [[Effect]]
    private var hasEffectsElsewhere = false

    /// Where the fields of an answer are written, if nobody else is writing them.
    private var spareFields: [UInt8] = []

    init(
        loop: EventLoop,
        store: PacketStore,
        loopCount: Int,
        counters: PacketCounters,
        logger: Logger
    ) {
        self.loop = loop
        self.store = store
        self.index = UInt16(truncatingIfNeeded: loop.index)
        self.loopCount = loopCount
        self.counters = counters
        self.logger = logger
        self.generator = LoopRandom(loop.system)
        self.effectsElsewhere = Array(repeating: [], count: loopCount)
    }

    /// The time, as of the beginning of this turn, on both clocks.
    var now: StoreInstant {
        StoreInstant(
            nanoseconds: UInt64(clamping: self.loop.now.nanoseconds),
            unixMicroseconds: UInt64(clamping: self.loop.wallClock.microseconds)
        )
    }

    /// How many requests to backends are under way: packets and fetches.
    package var requestsUnderWay: Int {
        self.lanes.values.count { $0.isUnderWay } + self.fetchesUnderWay
    }

    /// Lends an empty array for field lines, whose storage is used again.
    func withFields<Result>(_ body: (inout [UInt8]) -> Result) -> Result {
        // Taken out, because answering may end an exchange and have another one answered.
        var fields: [UInt8] = []
        swap(&fields, &self.spareFields)
        fields.removeAll(keepingCapacity: true)
        defer { swap(&fields, &self.spareFields) }
        return body(&fields)
    }

    // MARK: Performing

    /// Calls an operation of the store and performs what follows from it.
    ///
    /// Inside of another one it only adds to what is to be performed.
    @inline(__always)
    func operate(_ operation: (PacketStore, StoreInstant, inout Effects) -> Void) {
        operation(self.store, self.now, &self.effects)
        if !self.isPerforming { self.performAll() }
    }

    /// Performs what another loop or a commit has sent here.
    func perform(_ batch: [Effect]) {
        self.loop.assertOnLoop()
        let wasPerforming = self.isPerforming
        self.isPerforming = true
        for effect in batch { self.perform(effect, isFromHere: false) }
        self.isPerforming = wasPerforming
        if !wasPerforming { self.performAll() }
    }

    private func performAll() {
        self.isPerforming = true
        while let effect = self.effects.next() {
            if let loop = effect.loop, loop != self.index {
                self.effectsElsewhere[Int(loop)].append(effect)
                self.hasEffectsElsewhere = true
            } else {
                self.perform(effect, isFromHere: true)
            }
        }
        self.isPerforming = false
        if self.hasEffectsElsewhere { self.postElsewhere() }
    }

    /// One message per loop, however many effects it carries.
    private func postElsewhere() {
        self.hasEffectsElsewhere = false
        for index in self.effectsElsewhere.indices where !self.effectsElsewhere[index].isEmpty {
            self.relay?.post(self.effectsElsewhere[index], to: index)
            self.effectsElsewhere[index] = []
        }
    }

    private func perform(_ effect: consuming Effect, isFromHere: Bool) {
        switch consume effect {
        case .deliver(let delivery):
            self.deliver(delivery)
        case .send(let send):
            self.send(send)
        case .stored(let ticket, _):
            self.packetExchange(ticket)?.handler.stored()
        case .duplicate(let ticket):
            self.packetExchange(ticket)?.handler.duplicate()
        case .held(let ticket, let client):
            self.held(ticket, client)
        case .acknowledged(_, let packets):
            self.counters.delivered.add(UInt64(packets), loop: Int(self.index))
        case .answerEmpty(let ticket, let more, let losses):
            if let (exchange, handler) = self.packetExchange(ticket) {
                handler.answerEmpty(exchange, more: more, losses)
            }
        case .checkProof(let ticket, _, let number):
            if let (exchange, handler) = self.packetExchange(ticket), handler.isDelivering(number) {
                exchange.proveDelivery()
            }
        case .laneIdle(_, let lane):
            self.laneIdle(lane)
        case .loggedIn(let ticket):
            self.exchange(ticket, of: LoginExchange.self)?.handler.loggedIn()
        case .loggedOut(let ticket):
            if let (exchange, handler) = self.exchange(ticket, of: LogoutExchange.self) {
                handler.loggedOut(exchange)
            }
        case .pushed(let ticket, let numbers, let isDuplicate):
            if let (exchange, handler) = self.exchange(ticket, of: PushExchange.self) {
                handler.pushed(exchange, numbers, isDuplicate: isDuplicate)
            }
        case .refused(let ticket, let refusal):
            self.refused(ticket, refusal)
        case .fetched(let origin, let isStored):
            self.fetched(origin, isStored: isStored)
        case .died(let letter):
            self.died(letter)
        case .retried(let id, let number):
            self.relay?.retried(id, number)
        case .dropped(let realm, let client, let number):
            self.dropped(realm, client, number)
        case .repliesAccepted:
            self.repliesAccepted()
            if isFromHere { self.tellOthers(.repliesAccepted) }
        }
    }

    private func tellOthers(_ effect: Effect) {
        for index in self.effectsElsewhere.indices where index != Int(self.index) {
            self.effectsElsewhere[index].append(effect)
            self.hasEffectsElsewhere = true
        }
    }

    /// Gives a packet to the poll that it was leased to; a poll that is gone gives it back.
    private func deliver(_ delivery: Delivery) {
        if let (exchange, handler) = self.packetExchange(delivery.ticket),
            handler.deliver(delivery, on: exchange)
        {
            return
        }
        self.operate { store, now, effects in
            store.deliveryReturned(
                delivery.client,
                delivery.packet.number,
                ticket: delivery.ticket,
                at: now,
                &effects
            )
        }
    }

    /// A poll is held; one whose exchange has gone since it was asked is not.
    private func held(_ ticket: Ticket, _ client: ClientHandle) {
        if let handler = self.packetExchange(ticket)?.handler {
            handler.held()
        } else {
            _ = self.store.pollEnded(client, ticket: ticket)
        }
    }

    private func refused(_ ticket: Ticket, _ refusal: Refusal) {
        guard let exchange = self.exchanges[ExchangeHandle(rawValue: ticket.handle)] else {
            // The packet of a fetch belongs to no exchange; that of a client that has gone was refused
            // to nobody.
            if ticket.handle == ExchangeHandle.none.rawValue {
                self.counters.lost.add(loop: Int(self.index))
                self.logger.error("packet of a fetch could not be stored")
            }
            return
        }
        switch exchange.handler {
        case let handler as PacketExchange: handler.refused(exchange, refusal)
        case let handler as LoginExchange: handler.refused(refusal)
        case let handler as LogoutExchange: handler.refused(exchange, refusal)
        case let handler as PushExchange: handler.refused(exchange, refusal)
        default: break
        }
    }

    private func packetExchange(
        _ ticket: Ticket
    ) -> (exchange: Exchange, handler: PacketExchange)? {
        guard let exchange = self.exchanges[ExchangeHandle(rawValue: ticket.handle)],
            let handler = exchange.handler as? PacketExchange
        else { return nil }
        return (exchange, handler)
    }

    private func exchange<Handler>(
        _ ticket: Ticket,
        of kind: Handler.Type
    ) -> (exchange: Exchange, handler: Handler)? {
        guard let exchange = self.exchanges[ExchangeHandle(rawValue: ticket.handle)],
            let handler = exchange.handler as? Handler
        else { return nil }
        return (exchange, handler)
    }
}
