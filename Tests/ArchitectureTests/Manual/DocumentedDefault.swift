/// What a comment in RelayConfig says of a key's default and bounds.
struct DocumentedDefault: Equatable {
    /// The key, without the sections it stands in: `hold`.
    let key: String

    /// The sentence, without quotes of code: `Default 10s; 0s to 1h`.
    let sentence: String

    /// The defaults that the documentation comments of a Swift file name.
    ///
    /// Such a comment begins with the key, ``/// `hold`: how long a poll waits.``, and has a
    /// sentence that begins with `Default`.
    static func all(in file: SourceFile) -> [DocumentedDefault] {
        var defaults: [DocumentedDefault] = []
        var comment = ""
        for line in file.text.lines {
            let line = line.drop { $0 == " " }
            if line.hasPrefix("///") {
                comment += line.dropFirst(3)
            } else {
                if let documented = DocumentedDefault(comment) { defaults.append(documented) }
                comment = ""
            }
        }
        return defaults
    }

    /// Makes one of known parts.
    init(key: String, sentence: String) {
        self.key = key
        self.sentence = sentence
    }

    /// Reads a comment; nil if it is not about a key, or names no default.
    private init?(_ comment: String) {
        let parts = comment.split(separator: "`", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == " ", parts[2].hasPrefix(":") else { return nil }
        guard let start = parts[2].firstRange(of: " Default") else { return nil }
        let rest = parts[2][start.lowerBound...].dropFirst()
        let end = rest.firstRange(of: ". ")?.lowerBound ?? rest.endIndex
        var sentence = rest[..<end].replacing("`", with: "")
        if sentence.hasSuffix(".") { sentence.removeLast() }
        self.key = String(parts[1].split(separator: ".").last ?? "")
        self.sentence = String(sentence)
    }
}
