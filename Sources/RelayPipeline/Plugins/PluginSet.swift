/// The plugins of a generation, configured.
package struct PluginSet: Sendable {
    /// The instances, by their names in relay.yaml.
    package let instances: [String: PluginInstance]

    /// These plugins, or none.
    package init(_ instances: [String: PluginInstance] = [:]) { self.instances = instances }
}
