import ArgumentParser

/// `relay client tail`: asks for packets again and again, prints each, and acknowledges it with the next request.
struct TailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Ask for packets again and again, and print each, until interrupted."
    )
    @OptionGroup var relay: RelayAddress
    @OptionGroup var session: TokenOption

    @Option(help: "Log in first with this body (or @FILE, or -), and use the token.")
    var login: String?

    func validate() throws {
        if self.login != nil, self.session.token != nil {
            throw ValidationError("--login and --token exclude each other")
        }
    }

    func run() throws {
        let client: ClientSession
        if self.login == nil {
            client = try ClientSession(self.relay, token: try self.session.required())
        } else {
            client = try ClientSession(self.relay)
        }
        let login = try self.login.map { try BodyOption.read($0) }
        if let login { try self.logIn(client, login) }
        var failures = 0
        // What has been printed; what comes again below it, because its answer was lost, is not printed twice.
        var acknowledged: UInt64 = 0
        while true {
            do {
                var fields = FieldLines()
                try fields.append("Ack", "\(acknowledged)")
                let packet = try client.exchange(fields, body: [])
                if let packet, let number = packet.number, number > acknowledged {
                    try packet.printLine()
                    acknowledged = number
                }
                failures = 0
                continue
            } catch let problem as NoAnswer {
                // relay may be restarting: what waits there stays there.
                if failures == 0 { StandardStream.error.report("\(problem); trying again") }
            } catch let refusal as ClientRefusal {
                // The session is over, perhaps because relay was restarted.
                guard refusal.status == 401, let login else { throw refusal }
                StandardStream.error.report("\(refusal); logging in again")
                try self.logInAgain(client, login)
            }
            // Half of the pause is chance, so that not all clients come back at once.
            let longest = 100 << min(failures, 6)
            client.pause(.milliseconds(Int.random(in: longest / 2...longest)))
            failures += 1
        }
    }

    /// Logs in after the session has ended; that the backend cannot be asked at the moment is no reason to give up.
    private func logInAgain(_ client: ClientSession, _ body: [UInt8]) throws {
        do {
            try self.logIn(client, body)
        } catch let refusal as ClientRefusal where [401, 403].contains(refusal.status) {
            throw refusal
        } catch {
            StandardStream.error.report("\(error)")
        }
    }

    private func logIn(_ client: ClientSession, _ body: [UInt8]) throws {
        client.token = try client.logIn(at: "/auth", permissions: nil, body: body)
    }
}
