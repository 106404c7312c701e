import ArgumentParser

/// `relay client tail`: asks for packets again and again and prints each.
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
        if let login = self.login {
            client = try ClientSession(self.relay)
            client.token = try client.logIn(
                at: "/auth",
                permissions: nil,
                body: try BodyOption.read(login)
            )
        } else {
            client = try ClientSession(self.relay, token: try self.session.required())
        }
        var failures = 0
        while true {
            do {
                try client.exchange(FieldLines(), body: [])?.print(endingLine: true)
                failures = 0
            } catch let failure as NoAnswer {
                // relay may be restarting: what waits there stays there.
                if failures == 0 {
                    StandardStream.error.write(line: "\(failure); trying again")
                }
                client.pause(.milliseconds(100 << min(failures, 6)))
                failures += 1
            }
        }
    }
}
