import Testing

/// What plugin authors are given: the header, and the tutorial of relay-plugin(3).
struct PluginAuthorTests {
    private static let header = "\(Repository.root)/Sources/CRelayPlugin/include/relay_plugin.h"

    @Test(arguments: [["-std=c99", "-x", "c"], ["-std=c++17", "-x", "c++"]])
    func `the header compiles without a warning`(language: [String]) throws {
        let strict = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
        let compiler = try ChildProcess("/usr/bin/cc", strict + language + [Self.header])
        #expect(try compiler.waitForExit() == .code(0), "\(compiler.errorText)")
    }

    @Test func `the tutorial works to the letter`() throws {
        let page = try Repository.text(of: "man/relay-plugin.3")
        let blocks = page.split(separator: ".Bd -literal -offset indent\n").dropFirst().compactMap {
            $0.firstRange(of: ".Ed").map { [text = $0] end in
                String(text[..<end.lowerBound]).replacing("\\(dq", with: "\"")
            }
        }
        try #require(blocks.count == 3)
        let folder = try TemporaryFolder()
        try folder.write(blocks[0], to: "hello.c")
        try folder.write(blocks[2], to: "relay.yaml")
        // Where relay is installed, the compiler finds the header by itself.
        let include = "C_INCLUDE_PATH='\(Repository.root)/Sources/CRelayPlugin/include'"
        let script = "cd '\(folder.path)' && \(include) \(blocks[1])"
        let compiler = try ChildProcess("/bin/sh", ["-c", script])
        #expect(try compiler.waitForExit() == .code(0), "\(compiler.errorText)")
        let check = try RelayProgram.run(["check", "-c", "\(folder.path)/relay.yaml"])
        #expect(check.exit == .code(0), "\(check.errorText)")
    }
}
