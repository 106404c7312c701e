import RelayEngine

/// What a client does when the traffic is over.
extension Client {
    /// Polls on one connection until it is told to stop.
    func drainOutbox() {
        self.isDraining = true
        self.drainNext()
    }

    /// Stops behind the poll that is under way.
    func endDraining() { self.isDraining = false }

    private func drainNext() {
        self.pollSettled { [unowned self] message in
            if message?.status == 200, !self.isDraining { return }
            self.drainNext()
        }
    }

    /// Polls until its outbox is empty, which must hold exactly `count` packets.
    func countDown(from count: Int) {
        self.pollSettled { [unowned self] message in
            guard let message, message.status == 200 else {
                return self.world.oracle.broken("a settled poll failed")
            }
            let more = message.value(of: "more")
            if message.body.isEmpty != (count == 0) || more != "\(max(count - 1, 0))" {
                self.world.oracle.broken(
                    "\(self.name) has \(count) packets waiting and got More: \(more ?? "nothing")"
                )
            }
            if count > 0 { self.countDown(from: count - 1) }
        }
    }

    /// Polls on a healthy connection; nil: it broke.
    private func pollSettled(_ completion: @escaping (HTTPMessage?) -> Void) {
        guard !self.world.isStopping else { return }
        guard self.session != nil else {
            if self.loginsUnderWay == 0 { self.logIn { self.pollSettled(completion) } }
            return
        }
        let connection = self.settledConnection
        self.pollsSettled += 1
        var isOver = false
        let finish = { (message: HTTPMessage?) in
            guard !isOver else { return }
            isOver = true
            connection.onAnswer = nil
            connection.onEnd = nil
            self.pollsSettled -= 1
            completion(message)
        }
        connection.onAnswer = { finish($0) }
        connection.onEnd = { finish(nil) }
        self.send(Visit.Request(), on: connection)
    }
}
