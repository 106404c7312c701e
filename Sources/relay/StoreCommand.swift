import ArgumentParser
import RelayStore

/// `relay store`: looks at a store on disk, without a running relay.
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Look at a store on disk, without changing it.",
        subcommands: [CheckStoreCommand.self, StoreStatisticsCommand.self]
    )
}

/// Which store is meant.
struct StorePath: ParsableArguments {
    @Argument(help: ArgumentHelp("The folder that store.disk.path names.", valueName: "folder"))
    var path: String

    /// The store, opened for reading.
    func opened() throws -> StoreFile {
        do {
            return try StoreFile(folder: self.path)
        } catch {
            throw StoreProblem(description: "\(self.path): \(error)")
        }
    }
}

/// A store that cannot be used as the command asks.
struct StoreProblem: Error, CustomStringConvertible {
    let description: String
}

/// `relay store check`: reads everything, and copies what reads if that is asked for.
struct CheckStoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read the whole store and say what is wrong with it.",
        discussion: """
            Every problem is a line on standard output; exits with 1 if there is one. With --salvage \
            everything that can be read is copied into a new store, and the exit code says only whether \
            that was done.
            """
    )

    @OptionGroup var store: StorePath

    @Option(
        help: ArgumentHelp(
            "Copy what reads into a new store in this folder.",
            valueName: "folder"
        )
    )
    var salvage: String?

    func run() throws {
        let file = try self.store.opened()
        let problems = file.problems()
        for problem in problems { try StandardStream.output.write(line: problem) }
        guard let folder = self.salvage else {
            if !problems.isEmpty { throw ExitCode(ExitStatus.failure) }
            StandardStream.error.report("\(self.store.path): good")
            return
        }
        for table in try file.salvage(into: folder) {
            var line = "\(table.table): \(table.rows) rows copied"
            if table.damagedRows > 0 { line += ", \(table.damagedRows) damaged ones left" }
            if let problem = table.problem { line += "; not all could be read: \(problem)" }
            StandardStream.error.report(line)
        }
    }
}

/// `relay store stats`: how much of everything there is.
struct StoreStatisticsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Say how much is in the store, one 'name value' a line."
    )

    @OptionGroup var store: StorePath

    func run() throws {
        for figure in try self.store.opened().statistics() {
            try StandardStream.output.write(line: "\(figure.name) \(figure.value)")
        }
    }
}
