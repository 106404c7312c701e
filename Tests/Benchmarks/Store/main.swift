import Glibc
import RelayObservation
import RelayStore
import Synchronization

// How fast the store on disk is alone: 64 clients that each wait until their packet is on the disk,
// take it, and send the next one, with a backlog of packets of absent clients.
//
//     swift run -c release StoreBenchmark FOLDER [backlog [packets [bytes]]]

/// Answers each stored packet with the next one.
final class Producers: StoreEvents {
    private let store: PacketStore
    private let realm: RealmID
    private let sessions: [Session]
    private let left: Atomic<Int>
    private let underWay: Atomic<Int>
    let finished = WriterWake()

    init(_ store: PacketStore, _ realm: RealmID, sessions: [Session], packets: Int) {
        self.store = store
        self.realm = realm
        self.sessions = sessions
        self.left = Atomic(packets)
        self.underWay = Atomic(0)
    }

    func start(_ count: Int) {
        self.underWay.store(count, ordering: .sequentiallyConsistent)
        for index in 0..<count { self.sendNext(UInt64(index)) }
    }

    func committed(_ effects: [Effect], loop: UInt16?) {
        for effect in effects {
            guard case .stored(let ticket, _) = effect else { continue }
            if !self.sessions.isEmpty { self.take(Int(ticket.handle) % self.sessions.count) }
            self.sendNext(ticket.handle)
        }
    }

    private func take(_ index: Int) {
        var effects = Effects()
        let now = moment()
        self.store.poll(
            self.sessions[index],
            ticket: Ticket(loop: 1, handle: 0),
            mayHold: false,
            at: now,
            &effects
        )
        while let effect = effects.next() {
            guard case .deliver(let delivery) = effect else { continue }
            self.store.deliveryProven(
                delivery.client,
                delivery.packet.number,
                ticket: delivery.ticket,
                at: now,
                &effects
            )
        }
    }

    private func sendNext(_ producer: UInt64) {
        let number = self.left.wrappingSubtract(1, ordering: .relaxed).newValue
        guard number >= 0 else {
            let isLast = self.underWay.wrappingSubtract(1, ordering: .relaxed).newValue == 0
            if isLast { self.finished.signal() }
            return
        }
        let client = self.sessions.isEmpty ? "absent-\(number % 1000)" : "client-\(producer)"
        var effects = Effects()
        _ = self.store.append(
            Reply(recipients: .one(name(client)), contents: contents),
            in: self.realm,
            ticket: Ticket(loop: 0, handle: producer),
            at: moment(),
            &effects
        )
    }
}

/// Passes events on to those that are measured.
final class Events: StoreEvents {
    let producers = Mutex<Producers?>(nil)
    let logins = WriterWake()

    func committed(_ effects: [Effect], loop: UInt16?) {
        for effect in effects { if case .loggedIn = effect { self.logins.signal() } }
        self.producers.withLock { $0 }?.committed(effects, loop: loop)
    }
}

let arguments = CommandLine.arguments.dropFirst(2).compactMap { Int($0) }
let backlog = arguments.first ?? 300_000
let packets = arguments.dropFirst().first ?? 500_000
let bytes = max(40, arguments.dropFirst(2).first ?? 200)
let contents = PacketContents(bytes: Array(repeating: 0x61, count: bytes), headerCount: 40)

func name(_ text: String) -> ClientName {
    guard let name = ClientName(Array(text.utf8).span) else { preconditionFailure(text) }
    return name
}

func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

@Sendable func moment() -> StoreInstant {
    let now = UInt64(seconds(CLOCK_REALTIME) * 1e6)
    return StoreInstant(nanoseconds: now * 1000, unixMicroseconds: now)
}

func measure(_ label: String, _ packets: Int, _ body: () -> Void) {
    let (wall, processor) = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
    body()
    let elapsed = seconds(CLOCK_MONOTONIC) - wall
    let used = seconds(CLOCK_PROCESS_CPUTIME_ID) - processor
    print(
        "\(label): \(Int(Double(packets) / elapsed)) packets/s,",
        "\((used / Double(packets) * 1e8).rounded() / 100) us CPU each, \(elapsed) s"
    )
}

guard CommandLine.arguments.count > 1 else {
    print("usage: StoreBenchmark FOLDER [backlog [packets [bytes]]]")
    exit(2)
}
let disk = try DiskStore(DiskSettings(path: CommandLine.arguments[1]), clock: moment) { print($0) }
var limits = StoreLimits()
limits.outboxPacketsMax = 100_000_000
limits.outboxBytesMax = 1 << 40
let store = PacketStore(limits: limits, now: moment(), journal: disk)
var settings = RealmSettings()
settings.clientPacketsMax = 1_000_000
settings.clientBytesMax = 1 << 40
let began = seconds(CLOCK_MONOTONIC)
try disk.restore(store)
print(
    "start with \(store.statistics().waitingForClients.packets) packets:",
    seconds(CLOCK_MONOTONIC) - began,
    "s"
)
let realm = store.realm(named: "app", settings: settings)
let events = Events()
disk.start(store, events: events)

/// Has 64 producers send that many.
func produce(_ sessions: [Session], _ packets: Int) {
    let producers = Producers(store, realm, sessions: sessions, packets: packets)
    events.producers.withLock { $0 = producers }
    producers.start(64)
    producers.finished.wait()
}

if store.statistics().waitingForClients.packets < backlog {
    measure("backlog", backlog) { produce([], backlog) }
}
let sessions = (0..<64).compactMap { index -> Session? in
    let token = Array("token-\(index)".utf8)
    var effects = Effects()
    let login = Login(
        realm: realm,
        name: name("client-\(index)"),
        token: token,
        tokenTTL: .seconds(3600),
        isDebugServer: false
    )
    _ = store.logIn(login, ticket: Ticket(loop: 1, handle: 0), at: moment(), &effects)
    events.logins.wait()
    return store.session(forToken: token.span, in: realm, at: moment())
}
measure("64 producers, each packet taken", packets) { produce(sessions, packets) }
disk.stop()
