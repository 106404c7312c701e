package import Logging
package import RelayConfig

/// Finds, tries, loads and configures the plugins of a configuration.
///
/// Blocks: on a thread for files.
package struct PluginLoader: Sendable {
    /// The folder of plugins that were installed with relay.
    private let installed: String
    /// What tries a plugin in a process of its own first; nil: nothing does.
    private let trial: PluginTrial?
    /// Where the lines of plugins go.
    private let logger: Logger

    /// A loader; without `trial` a plugin that crashes while it is configured takes this process with it.
    package init(installed: String, trial: PluginTrial?, logger: Logger) {
        self.installed = installed
        self.trial = trial
        self.logger = logger
    }

    /// Tries the plugins of a configuration, without loading them into this process.
    package func check(_ loaded: LoadedConfiguration) -> LoadedConfiguration {
        guard let configuration = loaded.configuration else { return loaded }
        var found: [Diagnostic] = []
        for plugin in configuration.plugins {
            do throws(PluginFaults) {
                let image = try self.image(of: plugin, configuration)
                let isGuard = try self.trial?.run(plugin, image) ?? false
                found += configuration.skippedGuards(plugin, isGuard)
            } catch {
                found += error.faults.map { $0.diagnostic(of: plugin) }
            }
        }
        return loaded.adding(found)
    }

    /// Tries the plugins of a configuration, then loads and configures them; none if something is wrong with one of
    /// them.
    package func load(_ loaded: LoadedConfiguration) -> (LoadedConfiguration, PluginSet) {
        guard let configuration = loaded.configuration else { return (loaded, PluginSet()) }
        var found: [Diagnostic] = []
        var instances: [String: PluginInstance] = [:]
        for plugin in configuration.plugins {
            do throws(PluginFaults) {
                // The same bytes are tried and loaded, whatever becomes of the file meanwhile.
                let image = try self.image(of: plugin, configuration)
                _ = try self.trial?.run(plugin, image)
                let instance = try self.instance(of: plugin, image)
                instances[plugin.name] = instance
                found += configuration.skippedGuards(plugin, instance.isGuard)
            } catch {
                found += error.faults.map { $0.diagnostic(of: plugin) }
            }
        }
        let isWhole = found.allSatisfy { $0.severity != .error }
        return (loaded.adding(found), isWhole ? PluginSet(instances) : PluginSet())
    }

    private func image(
        of plugin: PluginConfiguration,
        _ configuration: Configuration
    ) throws(PluginFaults) -> PluginImage {
        do throws(PluginFault) {
            let path = try PluginFile.find(
                plugin,
                folders: configuration.pluginFolders,
                installed: self.installed
            )
            return try PluginFile.image(at: path)
        } catch {
            throw PluginFaults(faults: [error])
        }
    }

    private func instance(
        of plugin: PluginConfiguration,
        _ image: PluginImage
    ) throws(PluginFaults) -> PluginInstance {
        let library: PluginLibrary
        do throws(PluginFault) {
            library = try PluginLibrary.of(image)
        } catch {
            throw PluginFaults(faults: [error])
        }
        return try PluginInstance(plugin, library, logger: self.logger)
    }
}

extension Configuration {
    /// Uses of a plugin that guards which would let pass what it could not look at.
    fileprivate func skippedGuards(_ plugin: PluginConfiguration, _ isGuard: Bool) -> [Diagnostic] {
        guard isGuard else { return [] }
        return self.listeners.flatMap(\.pipeline).compactMap { stage in
            guard case .plugin(let use) = stage.kind, use.name == plugin.name, use.onError == .skip
            else { return nil }
            let message =
                "plugin '\(plugin.name)' guards what is behind it; remove 'on_error: skip'"
            return Diagnostic(.error, at: stage.location, message)
        }
    }
}
