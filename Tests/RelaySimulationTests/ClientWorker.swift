import RelayEngine
import SimulatedSystem

/// Makes visits for a client, one after the other.
final class ClientWorker {
    private unowned let client: Client
    private let number: Int
    private var kept: [Int: ClientConnection] = [:]
    /// Whether it waits for nothing but its next visit.
    private(set) var isResting = true
    private var answersMissing = 0
    /// Hangs up on the visit under way, if that is to be left before its end.
    private(set) var hangUp: (() -> Void)?

    init(_ client: Client, number: Int) {
        self.client = client
        self.number = number
    }

    private var world: World { self.client.world }

    /// Makes the next visit in a while.
    func rest(_ duration: Duration) {
        self.isResting = true
        self.world.simulation.after(duration) { [weak self] in self?.begin() }
    }

    private func begin() {
        guard !self.client.isSettled, !self.world.isStopping else { return }
        self.isResting = false
        guard self.client.session != nil else {
            if self.client.loginsUnderWay > 0 { return self.rest(.milliseconds(100)) }
            return self.client.logIn { self.rest(.zero) }
        }
        self.make(self.client.kind.visit(worker: self.number, &self.client.generator))
    }

    private func make(_ visit: Visit) {
        let connection = self.connection(visit)
        self.shapeReading(of: connection, visit)
        self.answersMissing = visit.requests.count
        var isOver = false
        let finish = {
            guard !isOver else { return }
            isOver = true
            self.hangUp = nil
            connection.onAnswer = nil
            connection.onEnd = nil
            self.rest(visit.rest)
        }
        connection.onAnswer = { [unowned self] message in
            self.answersMissing -= 1
            guard self.answersMissing == 0 else { return }
            guard !message.isLast, visit.ending != .left else { return }
            connection.end(visit.ending)
            finish()
        }
        connection.onEnd = finish
        for request in visit.requests { self.client.send(request, on: connection) }
        if let delay = visit.asksAgain {
            self.world.simulation.after(delay) {
                if !isOver, connection.isUsable {
                    self.client.send(Visit.Request(), on: connection)
                }
            }
        }
        if visit.halfCloses { connection.halfClose() }
        if let leaving = visit.leaving {
            let leave = {
                guard !isOver else { return }
                connection.end(leaving.ending)
                finish()
            }
            self.hangUp = leave
            self.world.simulation.after(leaving.after, leave)
        }
        if let delay = visit.login {
            self.world.simulation.after(delay) {
                if !isOver, !self.client.isSettled { self.client.logIn() }
            }
        }
        if let delay = visit.logout {
            self.world.simulation.after(delay) {
                if !isOver, !self.client.isSettled { self.client.logOut() }
            }
        }
        self.world.expectAnswers(on: connection) { isOver }
    }

    private func connection(_ visit: Visit) -> ClientConnection {
        guard case .kept(let place) = visit.connection else {
            return self.client.connect(dribbles: visit.dribbles)
        }
        if let connection = self.kept[place], connection.isUsable { return connection }
        let connection = self.client.connect(dribbles: visit.dribbles)
        self.kept[place] = connection
        return connection
    }

    private func shapeReading(of connection: ClientConnection, _ visit: Visit) {
        let peer = connection.peer
        if visit.readsNothing || visit.stall != nil || visit.readsSlowly {
            connection.readsAtOnce = false
        }
        if visit.readsNothing { peer.stopReading() }
        peer.holdsAcknowledgements = visit.withholdsAcknowledgements
        if let stall = visit.stall {
            peer.stopReading()
            self.world.simulation.after(stall) { peer.startReading() }
        }
        peer.readBytesMax = visit.readsSlowly ? 50 : 65_536
        peer.readPause = visit.readsSlowly ? .milliseconds(5) : .zero
    }
}
