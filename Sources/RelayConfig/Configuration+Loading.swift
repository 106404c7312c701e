/// What came of reading a configuration.
package struct LoadedConfiguration: Sendable {
    /// The configuration; nil if there is an error.
    package let configuration: Configuration?

    /// Everything that is wrong, and what is likely not meant, by place.
    package let diagnostics: [Diagnostic]

    /// The files that were read, the main one first.
    package let files: [String]

    private let root: Node?
    private let directory: String
    private let presentation: Presentation

    fileprivate init(
        _ configuration: Configuration?,
        _ diagnostics: [Diagnostic],
        files: [String],
        root: Node?,
        directory: String,
        presentation: Presentation
    ) {
        self.configuration = configuration
        self.diagnostics = diagnostics
        self.files = files
        self.root = root
        self.directory = directory
        self.presentation = presentation
    }

    /// The same with what was found out about it afterwards, with the lines that it is about.
    ///
    /// With an error among it there is no configuration any more.
    package func adding(_ found: [Diagnostic]) -> LoadedConfiguration {
        let hasError = found.contains { $0.severity == .error }
        return LoadedConfiguration(
            hasError ? nil : self.configuration,
            self.presentation.present(self.diagnostics + found),
            files: self.files,
            root: self.root,
            directory: self.directory,
            presentation: self.presentation
        )
    }

    /// The whole configuration as one file, with the defaults filled in; nil if there is an error.
    ///
    /// It means the same as the files that were read if it stands where the main one does. What
    /// refers to the environment still does, so a secret is shown only if the file itself holds it.
    package var printed: String? {
        guard let configuration else { return nil }
        let printing = Printing(directory: self.directory)
        let lines = Configuration.section.print(configuration, self.root, printing).lines
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Configuration {
    /// Reads a configuration from its file and those that it includes.
    ///
    /// - Parameters:
    ///   - path: the main file.
    ///   - environment: what `${NAME}` stands for.
    ///   - files: where files come from.
    package static func load(
        path: String,
        environment: [String: String],
        files: some ConfigurationFiles = DiskFiles()
    ) -> LoadedConfiguration {
        var loader = Loader(environment: environment, files: files)
        loader.load(path: path)
        return self.read(loader, path: path)
    }

    /// Reads a configuration from a text that stands in for the file `path`.
    package static func load(
        text: String,
        path: String = "relay.yaml",
        environment: [String: String] = [:],
        files: some ConfigurationFiles = DiskFiles()
    ) -> LoadedConfiguration {
        self.load(bytes: Array(text.utf8), path: path, environment: environment, files: files)
    }

    /// Reads a configuration from bytes, which need not be text, that stand in for the file `path`.
    package static func load(
        bytes: [UInt8],
        path: String = "relay.yaml",
        environment: [String: String] = [:],
        files: some ConfigurationFiles = DiskFiles()
    ) -> LoadedConfiguration {
        var loader = Loader(environment: environment, files: files)
        loader.load(bytes: bytes, named: path)
        return self.read(loader, path: path)
    }

    /// Reads the tree, and gathers everything that is wrong.
    private static func read(_ loader: Loader, path: String) -> LoadedConfiguration {
        var reading = Reading()
        var configuration = Configuration(listeners: [], pools: [])
        if let root = loader.root {
            reading.isIncomplete = loader.isIncomplete
            Self.section.read(root, as: "", into: &configuration, &reading)
        }
        var problems = loader.problems + reading.problems
        if reading.problemsOmitted > 0 {
            let message = "\(reading.problemsOmitted) more problems are not shown"
            problems.append(Diagnostic(.error, at: nil, message))
        }
        let errors = problems.filter { $0.severity == .error }
        let isUsable = loader.root != nil && errors.isEmpty
        let presentation = Presentation(
            sources: loader.sources,
            unreadable: loader.unreadable,
            secrets: loader.secrets + reading.secrets
        )
        return LoadedConfiguration(
            isUsable ? configuration : nil,
            // A warning beside an error may come of the error.
            presentation.present(errors.isEmpty ? problems : errors),
            files: loader.sources.map(\.file),
            root: loader.root,
            directory: Path.directory(of: path),
            presentation: presentation
        )
    }
}
