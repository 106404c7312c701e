import Testing

/// The clients of relay-protocol(7), as they stand there.
struct ManualClientsTests {
    @Test(
        .enabled(if: InstalledProgram.path(of: ["python3"]) != nil, "there is no python3"),
        .enabled(if: InstalledProgram.path(of: ["node"]) != nil, "there is no node")
    )
    func `miss nothing and print nothing twice when relay is killed`() throws {
        let clients = try ManualScript("manual-clients").run()
        #expect(clients.exit == .code(0), "\(clients.errors)")
        for name in ["python3", "node"] {
            #expect(clients.output.contains("the client for \(name) got each line once"))
        }
        #expect(!clients.output.contains("skipped"))
    }
}
