import ArgumentParser
import RelayApp
import RelayEngine

/// The command `relay`: one file per subcommand.
struct Relay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "An HTTP packet relay and reverse proxy that one YAML file describes.",
        discussion: """
            Without a subcommand relay runs, with relay.yaml of the working directory.

            The sections of relay.yaml: version, workers, shutdown, memory, log, admin, store, \
            listeners (with a pipeline of auth, headers, plugin, buffer, push and route), pools, \
            retry_policies, header_filters, plugins, plugins_path, include.

            The manual: relay(1) the command, relay.yaml(5) the configuration, relay-protocol(7) what \
            clients and backends send, relay-plugin(3) stages of your own, relay-architecture(7) how it \
            is built.
            """,
        version: RelayVersion.text,
        subcommands: [
            RunCommand.self, CheckCommand.self, DeadLettersCommand.self, StoreCommand.self,
            PluginCommand.self, ClientCommand.self, BackendCommand.self,
        ],
        defaultSubcommand: RunCommand.self
    )
}

@main
enum Main {
    static func main() {
        ProcessLimits.keepStandardStreams()
        ProcessLimits.ignoreHarmlessSignals()
        Relay.main()
    }
}
