/// An entry of `plugins`: a shared library whose code stages of a pipeline may be.
package struct PluginConfiguration: Sendable, Equatable {
    /// Its key under `plugins`: what stages call it.
    package var name: String

    /// `library`: the file.
    ///
    /// Required. A name without `/` is looked for; a relative path has been put behind the folder of the file
    /// that names it.
    package var library: String

    /// `timeout`: how long the plugin may keep an exchange waiting.
    ///
    /// Default 10s; 10ms to 1h.
    package var timeout: Duration = .seconds(10)

    /// `config`: what only the plugin understands.
    ///
    /// Default: nothing.
    package var settings = PluginSettings()

    /// Where its name is written; nil if it was made by hand.
    ///
    /// Not compared.
    @Uncompared package var location: SourceLocation? = nil

    /// Where its library is named.
    ///
    /// Not compared.
    @Uncompared package var libraryLocation: SourceLocation? = nil

    /// A plugin with every default.
    package init(name: String, library: String) {
        self.name = name
        self.library = library
    }

    /// The folder of the file that it stands in, where its library may be; empty for the working directory.
    package var directory: String {
        self.location.map { Path.directory(of: $0.file) } ?? ""
    }
}

/// The stage `plugin`: the use of a plugin in a pipeline.
package struct PluginUse: Sendable, Equatable {
    /// What becomes of an exchange when the plugin fails.
    package enum OnError: String, CaseIterable, Sendable {
        /// It is answered with 500.
        case fail
        /// It goes on as if the plugin were not there.
        case skip
    }

    /// `plugin`: the name under `plugins`.
    package var name: String

    /// `on_error`: what becomes of an exchange when the plugin fails.
    ///
    /// Default fail.
    package var onError: OnError

    /// A use of the plugin with that name.
    package init(name: String, onError: OnError = .fail) {
        self.name = name
        self.onError = onError
    }
}

/// What stands under `config` of a plugin: a mapping, as JSON and value by value.
package struct PluginSettings: Sendable, Equatable {
    /// A value that is neither a mapping nor a list, or an empty one of these.
    package struct Value: Sendable, Equatable {
        /// What it is.
        package enum Kind: UInt32, Sendable {
            case null = 0
            case boolean, number, text, empty
        }

        /// Keys and positions on the way to it, joined by `/`; in keys `~` is `~0` and `/` is `~1`
        /// (RFC 6901, without the first `/`).
        package var path: String
        /// What it is.
        package var kind: Kind
        /// Its text; of a number as JSON writes it.
        package var text: String

        /// A value at a path.
        package init(path: String, kind: Kind, text: String) {
            self.path = path
            self.kind = kind
            self.text = text
        }
    }

    /// All of it as JSON (RFC 8259).
    package var json: [UInt8]

    /// The values in the order of the file.
    package var values: [Value]

    /// Where every value, mapping and list is written, by its path.
    private var locations: Places

    /// Places, which are not compared.
    private struct Places: Sendable, Equatable {
        var byPath: [String: SourceLocation] = [:]

        static func == (_: Places, _: Places) -> Bool { true }
    }

    /// Settings, which none is the default of.
    package init(
        json: [UInt8] = Array("{}".utf8),
        values: [Value] = [],
        locations: [String: SourceLocation] = [:]
    ) {
        self.json = json
        self.values = values
        self.locations = Places(byPath: locations)
    }

    /// Where the value at `path` is written, or else the nearest thing that is there and would hold it.
    ///
    /// Nil if nothing is written at all.
    package func location(of path: String) -> SourceLocation? {
        var path = path[...]
        while true {
            if let location = self.locations.byPath[String(path)] { return location }
            if path.isEmpty { return nil }
            path = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
        }
    }
}
