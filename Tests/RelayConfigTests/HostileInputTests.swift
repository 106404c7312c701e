import RelayConfig
import Testing

/// Files that nobody writes by accident: they end in an error, and soon.
@Suite(.timeLimit(.minutes(2)))
struct HostileInputTests {
    @Test func `refuses an alias bomb`() {
        var text = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...60 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let loaded = Configuration.load(text: text)
        #expect(loaded.diagnostics.count == 1)
        #expect(loaded.diagnostics.first?.message.hasPrefix("more than 500000 values") == true)
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func `refuses deep nesting`(open: String) {
        let text = "version: 1\nworkers:\n  " + String(repeating: open, count: 100_000)
        let loaded = Configuration.load(text: text)
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.count == 1)
    }

    @Test func `allows nesting that is deep, and not too deep`() {
        let nested = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        let loaded = Configuration.load(text: configuration(top: "workers: \(nested)"))
        #expect(loaded.diagnostics.map(\.message) == ["'workers' is a number, not a list"])
    }

    @Test func `refuses a large file`() {
        let text = "version: 1\n#" + String(repeating: "x", count: 4 << 20)
        let loaded = Configuration.load(text: text)
        #expect(
            loaded.diagnostics.map(\.message) == ["the file is above 4MiB; split it by 'include'"]
        )
    }

    @Test func `refuses a long line`() {
        let line = "a: [" + String(repeating: "é, ", count: 30_000) + "]"
        let loaded = Configuration.load(text: "version: 1\n\(line)\n")
        #expect(loaded.diagnostics.map(\.message) == ["the line is above 64KiB; break it"])
        #expect(loaded.diagnostics.first?.location?.line == 2)
    }

    @Test(arguments: ["[", "{é: ", "*", "é, ", "[é], ", "${A}, ", "${A", "- "])
    func `reads long lines in no time`(piece: String) {
        let line = String(repeating: piece, count: (60 << 10) / piece.utf8.count)
        let text = "version: 1\n" + String(repeating: "a: [\(line)\n", count: 50)
        let loaded = Configuration.load(text: text)
        #expect(loaded.configuration == nil)
        #expect(!loaded.report.isEmpty)
        #expect(loaded.diagnostics.count <= 1100)
    }

    @Test func `stops counting problems one by one`() {
        var text = configuration()
        for number in 0..<5000 { text += "    unknown-\(number): { token: hunter2 }\n" }
        let loaded = Configuration.load(text: text)
        #expect(loaded.diagnostics.count == 1001)
        #expect(loaded.diagnostics.first?.message == "4000 more problems are not shown")
        let twice = Configuration.load(text: text + String(repeating: "version: 1\n", count: 5000))
        #expect(twice.diagnostics.count == 1001)
    }

    @Test func `refuses an endless row of includes`() {
        var texts = ["relay.yaml": configuration(top: "include: [0.yaml]")]
        for number in 0..<1000 { texts["\(number).yaml"] = "include: [\(number + 1).yaml]\n" }
        let files = FilesInMemory(texts: texts)
        let loaded = Configuration.load(path: "relay.yaml", environment: [:], files: files)
        #expect(loaded.diagnostics.map(\.message) == ["more than 256 files; join some"])
    }

    @Test func `reads a file with thousands of pools`() throws {
        var text = configuration()
        for number in 0..<5000 {
            text += "  pool-\(number): { targets: [{ url: \"http://127.0.0.1:\(number + 1)\" }] }\n"
        }
        let configuration = try #require(Configuration.load(text: text).configuration)
        #expect(configuration.pools.count == 5001)
    }

    @Test func `survives any bytes`() {
        let seed: UInt64 = 20_260_101
        var random = SplitMix(seed: seed)
        for round in 0..<2000 {
            let count = Int.random(in: 0...200, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            self.check(bytes, "seed \(seed), round \(round)")
        }
    }

    @Test func `survives any row of YAML's own signs`() {
        let seed: UInt64 = 20_260_102
        var random = SplitMix(seed: seed)
        for round in 0..<3000 {
            var text = Bool.random(using: &random) ? "version: 1\n" : ""
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                text += Self.pieces.randomElement(using: &random) ?? ""
            }
            self.check(Array(text.utf8), "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: GoldenFolder(name: "good").cases)
    func `survives any change of a good file`(name: String) throws {
        let text = try #require(GoldenFolder(name: "good").text(of: "\(name).yaml"))
        let seed: UInt64 = 20_260_103
        var random = SplitMix(seed: seed)
        for round in 0..<150 {
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                self.change(&bytes, using: &random)
            }
            self.check(bytes, "\(name), seed \(seed), round \(round)")
        }
    }

    /// What YAML, or relay, takes for more than letters.
    private static let pieces = [
        "\n", "\n  ", "\n    ", " ", "\t", ": ", "- ", ", ", "[", "]", "{", "}", "#", "&a ", "*a",
        "!",
        "!!str ", "|", ">", "%", "@", "`", "'", "\"", "\\", "? ", "---", "...", "<<", "~", "null",
        "${", "}", "${SECRET}", "$${", "version", "listeners", "pools", "pipeline", "route", "app",
        "url", "http://", "unix:", "[::1]:80", "*.example.com", "\u{85}", "\u{2028}", "é", "👩‍👩‍👧", "9",
        "99999999999999999999", "10s", "1KiB", "\r", "\r\n",
    ]

    /// Changes a byte or a piece, or moves lines.
    private func change(_ bytes: inout [UInt8], using random: inout SplitMix) {
        guard !bytes.isEmpty else { return }
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 1...12, using: &random))
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[start] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(start..<end)
        case 2: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 3:
            let piece = Self.pieces.randomElement(using: &random) ?? ""
            bytes.replaceSubrange(start..<end, with: piece.utf8)
        default:
            var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            let first = Int.random(in: 0..<lines.count, using: &random)
            lines.swapAt(first, Int.random(in: 0..<lines.count, using: &random))
            bytes = Array(lines.joined(separator: [0x0A]))
        }
    }

    /// What holds for every input: an error or a configuration, which prints and loads again, and
    /// nothing of the environment in any diagnostic.
    private func check(_ bytes: [UInt8], _ comment: Comment) {
        let environment = GoldenFolder.environment
        let files = GoldenFolder(name: "good")
        let loaded = Configuration.load(bytes: bytes, environment: environment, files: files)
        let errors = loaded.diagnostics.filter { $0.severity == .error }
        #expect((loaded.configuration == nil) == !errors.isEmpty, comment)
        #expect(!loaded.report.contains("hunter2hunter2"), comment)
        for diagnostic in loaded.diagnostics {
            #expect(diagnostic.location.map { $0.line > 0 && $0.column > 0 } ?? false, comment)
            #expect(!diagnostic.summary.contains("\n"), comment)
            #expect(!diagnostic.message.hasSuffix("."), comment)
        }
        guard let printed = loaded.printed else { return }
        let again = Configuration.load(text: printed, environment: environment, files: files)
        #expect(again.configuration == loaded.configuration, comment)
        #expect(again.printed == printed, comment)
    }
}
