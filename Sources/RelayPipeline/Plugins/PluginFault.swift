import RelayConfig

/// What is wrong with a plugin: a sentence for the operator, and what it is about.
package struct PluginFault: Error, Sendable, Equatable {
    /// What of the plugin's entry in relay.yaml is at fault.
    package enum Subject: Sendable, Equatable {
        /// The file that `library` names, or what is in it.
        case library
        /// The value at this path of `config`.
        case setting(path: String)
    }

    /// What is at fault.
    package let subject: Subject

    /// One sentence without a full stop.
    package let message: String

    /// A fault of the library.
    init(_ message: String) {
        self.subject = .library
        self.message = message
    }

    /// A fault of a value of `config`.
    init(settingAt path: String, _ message: String) {
        self.subject = .setting(path: path)
        self.message = message
    }

    /// The fault as a problem of the configuration.
    func diagnostic(of plugin: PluginConfiguration) -> Diagnostic {
        switch self.subject {
        case .library:
            Diagnostic(.error, at: plugin.libraryLocation, self.message)
        case .setting(let path):
            Diagnostic(
                .error,
                at: plugin.settings.location(of: path) ?? plugin.location,
                "plugin '\(plugin.name)': \(self.message)"
            )
        }
    }
}
