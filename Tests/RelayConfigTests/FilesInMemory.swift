import RelayConfig

/// Files that exist only in a test.
///
/// Unlike on a disk, a pattern is one path, or a directory and `*`.
struct FilesInMemory: ConfigurationFiles {
    /// The texts by path.
    var texts: [String: String]

    func contents(of path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        guard let text = self.texts[path] else {
            throw FileProblem(reason: "No such file or directory")
        }
        return Array(text.utf8.prefix(bytesMax + 1))
    }

    func matches(of pattern: String) -> [String] {
        guard pattern.hasSuffix("*") else { return self.texts[pattern] == nil ? [] : [pattern] }
        return self.texts.keys.filter { $0.hasPrefix(pattern.dropLast()) }.sorted()
    }
}

/// A file in which `pool` are further keys of its pool `app`.
func configuration(pool: String = "", top: String = "") -> String {
    """
    version: 1
    \(top)
    listeners:
      web:
        bind: 127.0.0.1:8080
        pipeline:
          - route: app
    pools:
      app:
        targets: [{ url: "http://127.0.0.1:9000" }]
        \(pool)

    """
}
