import ArgumentParser
import Glibc
import Logging
import RelayApp
import RelayConfig
import RelayEngine
import RelayObservation
import RelayPipeline

/// `relay run`, and `relay` alone: serves until it is told to stop.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run in the foreground.",
        discussion: """
            SIGHUP reads the configuration again; SIGTERM and SIGINT finish what is under way and stop, \
            a second one stops at once.
            """
    )

    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let environment = Environment.current
        let path = self.file.path
        let read = Configuration.load(path: path, environment: environment)
        let configuration = try Self.reported(read)
        let ring = LogRing(sink: .descriptor(STDERR_FILENO))
        let output = LogOutput(
            ring: ring,
            level: configuration.log.loggerLevel,
            format: configuration.log.logFormat
        )
        let plugins = PluginLoader.ofThisProgram(output.logger(label: "plugins"))
        let (loaded, initial) = plugins.load(read)
        // What was said of the file itself is said already.
        if loaded.configuration == nil { _ = try Self.reported(loaded) }
        let status = Self.serve(configuration, initial, output, plugins) {
            Configuration.load(path: path, environment: environment)
        }
        ring.flush(timeout: .seconds(1))
        throw ExitCode(status)
    }

    /// Says what is wrong with a configuration; throws if that makes it unusable.
    private static func reported(_ loaded: LoadedConfiguration) throws -> Configuration {
        for diagnostic in loaded.diagnostics {
            StandardStream.error.report(diagnostic.description)
        }
        guard let configuration = loaded.configuration else {
            throw ExitCode(ExitStatus.configuration)
        }
        return configuration
    }

    /// Runs relay on this thread and its own; gives the exit code.
    private static func serve(
        _ configuration: Configuration,
        _ initial: PluginSet,
        _ output: LogOutput,
        _ plugins: PluginLoader,
        load: @escaping @Sendable () -> LoadedConfiguration
    ) -> Int32 {
        let logger = output.logger(label: "relay")
        let workers = configuration.workers ?? ProcessLimits.processorCount
        ProcessLimits.tuneAllocator(arenas: workers + 1)
        let filesMax = ProcessLimits.raiseOpenFilesLimit()
        do {
            let relay = try RelayProcess(
                configuration,
                system: LinuxSystemCalls(),
                workers: workers,
                filesMax: filesMax,
                memoryMax: MachineMemory.bytesMax(),
                log: output,
                plugins: initial,
                load: load,
                loadPlugins: { plugins.load($0) }
            )
            let signals = try SignalSource(
                [SIGHUP, SIGTERM, SIGINT],
                loop: relay.control
            ) { signal in
                if signal == SIGHUP { relay.reload { _ in } } else { relay.stop() }
            }
            try relay.start()
            try relay.run()
            // Signals came as events until here.
            withExtendedLifetime(signals) {}
            return 0
        } catch {
            logger.critical("cannot start", metadata: ["reason": "\(error)"])
            return ExitStatus.failure
        }
    }
}
