import ArgumentParser

/// `relay client`: a reference client of the packet protocol.
struct ClientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client",
        abstract: "Be a client of the packet protocol: log in, send packets, ask for them.",
        subcommands: [
            AuthCommand.self, RegisterCommand.self, SendCommand.self, PollCommand.self,
            TailCommand.self,
        ]
    )
}

/// `relay client auth`: logs in and prints the token.
struct AuthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auth",
        abstract: "Log in, and print the token."
    )
    @OptionGroup var login: LoginOptions

    func run() throws { try self.login.run(at: "/auth") }
}

/// `relay client register`: registers and prints the token.
struct RegisterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register, and print the token."
    )
    @OptionGroup var login: LoginOptions

    func run() throws { try self.login.run(at: "/register") }
}

/// What `auth` and `register` take.
struct LoginOptions: ParsableArguments {
    @OptionGroup var relay: RelayAddress

    @Option(help: "Permissions to ask for, separated by commas.")
    var permissions: String?

    @OptionGroup var content: BodyOption

    /// Logs in at `path` and prints the token.
    func run(at path: String) throws {
        let session = try ClientSession(self.relay)
        let token = try session.logIn(
            at: path,
            permissions: self.permissions,
            body: try self.content.bytes()
        )
        try StandardStream.output.write(line: token)
    }
}

/// `relay client send`: sends a packet and prints the one that comes back, if any.
struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a packet, and print the packet that the answer brings, if any."
    )
    @OptionGroup var relay: RelayAddress
    @OptionGroup var session: TokenOption

    @Option(help: "Send the packet to this client rather than to the backend (debug servers).")
    var to: String?

    @Option(
        name: .customShort("H"),
        help: "A header of the packet, as 'X-Name: value'; may be given several times."
    )
    var headers: [String] = []

    @Option(help: "The packet's own id, by which relay knows a repeat. Default: a random one.")
    var id: String?

    @Option(help: "How often to try again while relay does not answer or has no room.")
    var retries: UInt8 = 5

    @OptionGroup var content: BodyOption

    @OptionGroup var hold: HoldOption

    func run() throws {
        var fields = try self.hold.fields()
        // With its id a repeat is harmless: relay stores the packet once.
        try fields.append("Packet-Id", self.id ?? Self.randomID())
        if let to = self.to { try fields.append("To", to) }
        for header in self.headers { try fields.append(header) }
        let body = try self.content.bytes()
        guard !body.isEmpty else {
            throw ValidationError("a packet has a body; give one with --body")
        }
        let client = try ClientSession(self.relay, token: try self.session.required())
        try client.take(
            fields,
            body: body,
            wait: self.hold.longest,
            retries: Int(self.retries)
        )
    }

    /// An id that no other packet has: 128 bits of chance.
    private static func randomID() -> String {
        let high = String(UInt64.random(in: 0 ... .max), radix: 16)
        return high + String(UInt64.random(in: 0 ... .max), radix: 16)
    }
}

/// `relay client poll`: asks for a packet and prints it.
struct PollCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poll",
        abstract: "Ask for a packet, and print it."
    )
    @OptionGroup var relay: RelayAddress
    @OptionGroup var session: TokenOption

    @OptionGroup var hold: HoldOption

    func run() throws {
        let fields = try self.hold.fields()
        let client = try ClientSession(self.relay, token: try self.session.required())
        try client.take(fields, body: [], wait: self.hold.longest, retries: 0)
    }
}
