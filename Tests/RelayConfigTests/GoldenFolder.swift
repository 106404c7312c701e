import RelayConfig

/// A folder of configurations beside the tests, seen as if relay ran in it.
struct GoldenFolder: ConfigurationFiles {
    /// Its name under `Golden`.
    let name: String

    /// What the environment of these configurations holds.
    static let environment = [
        "BACKEND": "backend.example.com:9001", "EMPTY": "", "PORT": "8080",
        "SECRET": "hunter2hunter2", "SHORT_SECRET": "hunter2", "TEXT": "a: [b",
    ]

    /// The folder of all these folders.
    static let root: String = {
        let file = #filePath
        return (file.lastIndex(of: "/").map { String(file[...$0]) } ?? "") + "Golden"
    }()

    private var path: String { "\(Self.root)/\(self.name)" }

    /// The configurations in it, without `.yaml`; those in folders below are for including.
    var cases: [String] {
        self.matches(of: "*.yaml").map { String($0.dropLast(".yaml".count)) }
    }

    /// The text of a file, if there is one.
    func text(of file: String) -> String? {
        let bytes = try? self.contents(of: file, bytesMax: 1 << 20)
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads a configuration of this folder.
    func load(_ file: String) -> LoadedConfiguration {
        Configuration.load(path: file, environment: Self.environment, files: self)
    }

    func contents(of path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        try DiskFiles().contents(of: "\(self.path)/\(path)", bytesMax: bytesMax)
    }

    func matches(of pattern: String) -> [String] {
        DiskFiles().matches(of: "\(self.path)/\(pattern)").map {
            String($0.dropFirst(self.path.count + 1))
        }
    }
}

extension LoadedConfiguration {
    /// The diagnostics as `relay check` writes them.
    var report: String {
        self.diagnostics.map { "\($0)\n" }.joined()
    }
}
