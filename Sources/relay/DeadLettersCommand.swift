import ArgumentParser
import RelayHTTP

/// `relay dead-letters`: what could not be delivered, asked of the running relay.
struct DeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Look at packets that could not be delivered, and try them again or drop them.",
        discussion: "Asks the running relay at the admin address of the configuration.",
        subcommands: [
            ListDeadLettersCommand.self, ShowDeadLetterCommand.self,
            RetryDeadLettersCommand.self, DropDeadLettersCommand.self,
        ]
    )
}

/// Which dead letters are meant.
struct DeadLetterIDs: ParsableArguments {
    @Argument(help: "The ids, as 'list' says them.")
    var ids: [UInt64]

    /// Does something with each, in turn; goes on to the next if that fails, and throws then.
    func forEach(_ body: (UInt64) throws -> Void) throws {
        var hasFailed = false
        for id in self.ids {
            do {
                try body(id)
            } catch let refusal as ClientRefusal {
                StandardStream.error.report("\(id): \(refusal)")
                hasFailed = true
            }
        }
        if hasFailed { throw ExitCode(ExitStatus.failure) }
    }
}

/// `relay dead-letters list`.
struct ListDeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Print the dead letters, oldest first, one JSON object a line."
    )

    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let lines = try AdminClient(self.file).exchange(.get, "/dead-letters")
        try StandardStream.output.write(lines)
    }
}

/// `relay dead-letters show`.
struct ShowDeadLetterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print what is known of a dead letter, and its header fields."
    )

    @OptionGroup var file: ConfigurationFile

    @Flag(help: "Print the bytes of the body, and nothing else.")
    var body = false

    @Argument(help: "The id, as 'list' says it.")
    var id: UInt64

    func run() throws {
        let path = "/dead-letters/\(self.id)\(self.body ? "/body" : "")"
        try StandardStream.output.write(try AdminClient(self.file).exchange(.get, path))
    }
}

/// `relay dead-letters retry`.
struct RetryDeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Put packets at the end of their clients' queues, as new as any.",
        discussion: "Prints the number that each has now. A backend knows it by the same Packet-Id."
    )

    @OptionGroup var file: ConfigurationFile
    @OptionGroup var letters: DeadLetterIDs

    func run() throws {
        let client = try AdminClient(self.file)
        try self.letters.forEach {
            let line = try client.exchange(.post, "/dead-letters/\($0)/retry")
            try StandardStream.output.write(line)
        }
    }
}

/// `relay dead-letters drop`.
struct DropDeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Forget dead letters for good."
    )

    @OptionGroup var file: ConfigurationFile
    @OptionGroup var letters: DeadLetterIDs

    func run() throws {
        let client = try AdminClient(self.file)
        try self.letters.forEach { _ = try client.exchange(.post, "/dead-letters/\($0)/drop") }
    }
}
