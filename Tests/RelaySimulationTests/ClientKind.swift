import SimulatedSystem

/// How a client behaves.
enum ClientKind: String, CaseIterable {
    /// One connection, one poll after the other.
    case keepAlive
    /// Two connections in turn.
    case alternating
    /// A connection for each poll, closed by the client when it has the answer.
    case newConnections
    /// A connection for each poll, which relay closes: `Connection: close`.
    case oneShot
    /// Ends its stream behind the request and waits for what comes.
    case halfClosing
    /// Resets the connection when it has the answer.
    case resetting
    /// Several polls at once on a connection.
    case pipelining
    /// Asks without waiting.
    case impatient
    /// Several polls beside each other.
    case concurrent
    /// Sends packets on one connection and polls on another.
    case sending
    /// Hangs up while its poll is held.
    case hangingUp
    /// Dies before it reads the answer.
    case dying
    /// Acknowledges nothing, asks again before it has read the answer, and dies.
    case unacknowledging
    /// Reads late and slowly.
    case stalling
    /// Logs in again and again, also while a poll is held.
    case loggingIn
    /// Sends its requests in small pieces.
    case dribbling
    /// Logs out and in again, also while a poll is held.
    case loggingOut
    /// Sends packets again under their own names, those too that relay has.
    case repeating
    /// Sends packets to a debug server, or to whom it may not.
    case debugging
    /// Is a debug server, and sends packets to clients.
    case debugServer
    /// Acknowledges what it has read with every request, and otherwise does whatever loses answers.
    case acknowledging

    /// Whether its sessions are in acknowledged mode.
    var acknowledges: Bool { self == .acknowledging }

    /// Whether it sends a packet again whose request was not answered.
    var repeats: Bool { self == .acknowledging || self == .repeating }

    /// Whom the next packet is for; nobody if it is for a backend.
    func recipients(of client: Client, _ generator: inout SeededGenerator) -> [String] {
        let everybody = client.world.clients
        switch self {
        case .debugging where generator.chance(0.5):
            let servers = everybody.filter { $0.kind == .debugServer }
            if !servers.isEmpty, generator.chance(0.8) {
                return servers.prefix(1).map(\.name)
            }
            let count = generator.chance(0.3) ? 2 : 1
            return everybody.shuffled(using: &generator).prefix(count).map(\.name)
        case .debugServer where generator.chance(0.7):
            let count = Int.random(in: 1...3, using: &generator)
            return everybody.shuffled(using: &generator).prefix(count).map(\.name)
        default:
            return []
        }
    }

    /// Whether relay never has a reason to give it a packet twice, while no connection breaks.
    var isHealthy: Bool {
        switch self {
        case .resetting, .hangingUp, .dying, .unacknowledging, .stalling, .halfClosing,
            .acknowledging:
            false
        case .keepAlive, .alternating, .newConnections, .oneShot, .pipelining, .impatient,
            .concurrent, .sending, .loggingIn, .dribbling, .loggingOut, .repeating, .debugging,
            .debugServer:
            true
        }
    }

    /// How many requests it may have under way beside each other.
    func workers(_ generator: inout SeededGenerator) -> Int {
        switch self {
        case .concurrent: Int.random(in: 2...7, using: &generator)
        case .sending, .impatient: 2
        case .hangingUp: Int.random(in: 1...2, using: &generator)
        case .acknowledging: generator.chance(0.3) ? 2 : 1
        default: 1
        }
    }

    /// What worker `worker` does next.
    func visit(worker: Int, _ generator: inout SeededGenerator) -> Visit {
        var visit = Visit()
        visit.rest = generator.duration(
            in: .zero...(.milliseconds(generator.chance(0.5) ? 1500 : 100))
        )
        if generator.chance(0.5) { visit.requests[0].hasPacket = true }
        switch self {
        case .keepAlive:
            break
        case .alternating:
            visit.connection = .kept(Int.random(in: 0...1, using: &generator))
        case .newConnections:
            visit.connection = .fresh
            visit.ending = .close
        case .oneShot:
            visit.connection = .fresh
            visit.ending = .left
            visit.requests[0].asksToClose = true
        case .halfClosing:
            visit.connection = .fresh
            visit.halfCloses = true
            visit.ending = .left
        case .resetting:
            visit.connection = .fresh
            visit.ending = .reset
        case .pipelining:
            let count = Int.random(in: 2...5, using: &generator)
            for _ in 1..<count {
                visit.requests.append(Visit.Request(hasPacket: generator.chance(0.5)))
            }
        case .impatient:
            if worker == 0 { visit.requests[0].waitSeconds = 0 }
            visit.requests[0].hasPacket = worker == 0 && generator.chance(0.2)
        case .concurrent:
            if generator.chance(0.2) { visit.requests[0].waitSeconds = 1 }
        case .sending:
            visit.requests[0].hasPacket = worker == 1
            if worker == 1 { visit.requests[0].waitSeconds = generator.chance(0.7) ? 0 : nil }
        case .hangingUp:
            visit.connection = .fresh
            let isAbrupt = generator.chance(0.5)
            visit.leaving = Visit.Leaving(
                after: generator.duration(in: .milliseconds(1)...(.seconds(6))),
                ending: isAbrupt ? .reset : .close
            )
            if generator.chance(0.1) { visit.rest += .seconds(4) }
        case .dying:
            visit.connection = .fresh
            visit.readsNothing = generator.chance(0.7)
            if visit.readsNothing {
                visit.leaving = Visit.Leaving(
                    after: generator.duration(in: .milliseconds(100)...(.seconds(3))),
                    ending: generator.chance(0.5) ? .reset : .close
                )
                // Until relay has seen it: before that another poll may prove what the kernel has.
                visit.rest += .seconds(5)
            }
        case .unacknowledging:
            guard generator.chance(0.7) else { break }
            visit.connection = .fresh
            visit.withholdsAcknowledgements = true
            visit.readsNothing = true
            if generator.chance(0.7) {
                visit.asksAgain = generator.duration(in: .milliseconds(50)...(.seconds(2)))
            }
            visit.leaving = Visit.Leaving(
                after: generator.duration(in: .milliseconds(500)...(.seconds(3))),
                ending: generator.chance(0.5) ? .reset : .close
            )
        case .stalling:
            if generator.chance(0.5) {
                visit.stall = generator.duration(in: .milliseconds(10)...(.seconds(4)))
            }
            visit.readsSlowly = generator.chance(0.5)
            visit.connection = .kept(Int.random(in: 0...1, using: &generator))
        case .loggingIn:
            if generator.chance(0.4) {
                visit.login = generator.duration(in: .milliseconds(1)...(.seconds(2)))
            }
        case .dribbling:
            visit.dribbles = true
        case .loggingOut:
            if generator.chance(0.3) {
                visit.logout = generator.duration(in: .milliseconds(1)...(.seconds(2)))
            }
        case .debugging, .debugServer, .repeating:
            visit.requests[0].hasPacket = generator.chance(0.7)
            if generator.chance(0.5) { visit.requests[0].waitSeconds = 1 }
        case .acknowledging:
            Self.acknowledging(&visit, &generator)
        }
        return visit
    }

    /// Whatever a connection may go through: each packet must come until it was acknowledged.
    private static func acknowledging(_ visit: inout Visit, _ generator: inout SeededGenerator) {
        if generator.chance(0.1) { visit.requests[0].waitSeconds = 0 }
        guard generator.chance(0.6) else { return }
        visit.connection = .fresh
        switch Int.random(in: 0...4, using: &generator) {
        case 0:
            visit.ending = .close
        case 1:
            visit.ending = .reset
        case 2:
            visit.halfCloses = true
            visit.ending = .left
        case 3:
            visit.login = generator.duration(in: .milliseconds(1)...(.seconds(2)))
        default:
            // Its kernel may acknowledge what it never reads.
            visit.readsNothing = generator.chance(0.7)
            visit.leaving = Visit.Leaving(
                after: generator.duration(in: .milliseconds(1)...(.seconds(3))),
                ending: generator.chance(0.5) ? .reset : .close
            )
        }
    }
}

/// What a client does in one go on one connection: requests, and how it ends.
struct Visit {
    var connection = Place.kept(0)
    /// Sent at once; more than one are pipelined.
    var requests = [Request()]
    /// What becomes of the connection when all is answered.
    var ending = Ending.keep
    var halfCloses = false
    /// Whether it leaves before.
    var leaving: Leaving?
    /// Whether it reads nothing on this connection any more.
    var readsNothing = false
    /// Whether its kernel acknowledges nothing.
    var withholdsAcknowledgements = false
    /// When it sends one more request, whatever was answered by then.
    var asksAgain: Duration?
    /// How long it reads nothing.
    var stall: Duration?
    var readsSlowly = false
    /// Whether requests go out in small pieces.
    var dribbles = false
    /// When it logs in again.
    var login: Duration?
    /// When it logs out.
    var logout: Duration?
    /// How long it does nothing afterwards.
    var rest = Duration.zero

    struct Request {
        var hasPacket = false
        /// `Prefer: wait`.
        var waitSeconds: Int?
        var asksToClose = false
    }

    struct Leaving {
        var after: Duration
        var ending: Ending
    }

    enum Place {
        /// The connection of this number, while it stands.
        case kept(Int)
        /// A new one.
        case fresh
    }

    enum Ending {
        /// It stays.
        case keep
        /// The client closes it.
        case close
        /// The client resets it.
        case reset
        /// Relay ends it.
        case left
    }
}
