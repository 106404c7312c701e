import Testing

/// The examples of relay-protocol(7), typed as they stand there.
struct ManualExamplesTests {
    @Test func `print what the page says`() throws {
        let examples = try ManualScript("manual-examples").run()
        #expect(examples.exit == .code(0), "\(examples.errors)")
        #expect(examples.output.contains("examples of relay-protocol(7)"))
    }
}
