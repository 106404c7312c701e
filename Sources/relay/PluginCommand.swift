import ArgumentParser
import RelayPipeline

/// `relay plugin`: what plugin authors need.
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Plugins.",
        shouldDisplay: false,
        subcommands: [PluginTryCommand.self]
    )
}

/// `relay plugin try`: what relay starts to try a plugin; for nobody else.
struct PluginTryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "try", shouldDisplay: false)

    @Argument var name: String

    func run() throws {
        // What the plugin prints must not stand between what it is asked for.
        let output = StandardStream.claimOutput() ?? .output
        try output.write(PluginTrial.runInChild(name: self.name))
    }
}
