import ArgumentParser
import Logging
import RelayConfig
import RelayPipeline

/// `relay check`: says what is wrong with a configuration, without using it.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration, without binding, connecting or creating anything.",
        discussion: """
            Every error and warning goes to standard error, in the form FILE:LINE:COLUMN. \
            Plugins are loaded and configured in a process of their own. Exits with 78 if there is an error.
            """
    )

    @OptionGroup var file: ConfigurationFile

    @Flag(help: "Print the whole configuration, defaults filled in; it can be loaded again.")
    var print = false

    func run() throws {
        let read = Configuration.load(path: self.file.path, environment: Environment.current)
        let silent = Logger(label: "plugins") { _ in SwiftLogNoOpLogHandler() }
        let loaded = PluginLoader.ofThisProgram(silent).check(read)
        for diagnostic in loaded.diagnostics {
            StandardStream.error.report(diagnostic.description)
        }
        guard loaded.configuration != nil else {
            throw ExitCode(ExitStatus.configuration)
        }
        if self.print {
            try StandardStream.output.write(Array((loaded.printed ?? "").utf8))
        } else {
            StandardStream.error.report("\(self.file.path): good")
        }
    }
}

/// `-c FILE`, which several commands take.
struct ConfigurationFile: ParsableArguments {
    @Option(
        name: .customShort("c"),
        help: ArgumentHelp("The configuration.", valueName: "file")
    )
    var path = "relay.yaml"
}
