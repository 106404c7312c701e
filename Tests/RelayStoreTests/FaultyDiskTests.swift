import FaultyDisk
import Testing

@testable import RelayStore

/// A disk that fails under the store: one after the other, because SQLite has one of them.
@Suite(.serialized)
struct FaultyDiskTests {
    /// A store in a folder whose files fail when they are told to.
    private static func harness() throws -> DiskHarness {
        faulty_disk_register()
        return try DiskHarness(folder: "relay-faulty")
    }

    @Test func `a sync that fails leaves nothing of what was refused, and the store goes on`()
        throws
    {
        let harness = try Self.harness()
        #expect(harness.append("one", for: ["anna"]).text.hasPrefix("stored"))
        let failures = faulty_disk_failures()
        faulty_disk_fail_syncs(1)
        #expect(harness.append("two", for: ["anna"]).text.hasSuffix("storeFailed"))
        #expect(faulty_disk_failures() == failures + 1)
        harness.heard.waitForEvent { if case .recovered = $0 { true } else { false } }
        #expect(harness.append("three", for: ["anna"]).text.hasPrefix("stored"))
        #expect(try harness.received(by: harness.logIn("anna")) == ["one", "three"])
        _ = harness.append("four", for: ["anna"])
        try harness.reopen()
        #expect(try harness.received(by: harness.session("anna")) == ["four"])
    }

    @Test func `a reply whose sync fails is written again, once`() throws {
        let harness = try Self.harness()
        let anna = try harness.logIn("anna")
        #expect(harness.send("question", from: anna).text.hasPrefix("stored"))
        let send = harness.heard.nextSend()
        faulty_disk_fail_syncs(2)
        harness.consume(send, reply: StoreHarness.reply("answer", for: ["anna"]))
        harness.heard.waitForEvent { if case .recovered = $0 { true } else { false } }
        try harness.reopen()
        #expect(harness.consumed() == [])
        #expect(try harness.received(by: harness.session("anna")) == ["answer"])
    }

    @Test func `a login whose sync fails leaves the session before in its place`() throws {
        let harness = try Self.harness()
        _ = try harness.logIn("anna")
        faulty_disk_fail_syncs(1)
        #expect(throws: HarnessError.self) { try harness.logIn("anna", token: "another") }
        _ = try harness.session("anna")
        try harness.reopen()
        _ = try harness.session("anna")
    }

    @Test func `while a sync hangs deliveries go on, and no more wait than may`() throws {
        let harness = try Self.harness()
        let anna = try harness.logIn("anna")
        #expect(harness.append("one", for: ["anna"]).text.hasPrefix("stored"))
        faulty_disk_hold_syncs(1)
        defer { faulty_disk_hold_syncs(0) }
        let first = harness.beginToAppend("two", for: ["anna"])
        faulty_disk_await_held_sync()
        #expect(harness.received(by: anna) == ["one"])
        let others = (1..<9000).map { harness.beginToAppend("packet \($0)", for: ["bert"]) }
        for ticket in others[(WriteQueue.operationsMax - 1)...] {
            #expect(harness.heard.answer(to: ticket).text.hasSuffix("storeFailed"))
        }
        faulty_disk_hold_syncs(0)
        for ticket in [first] + others[..<(WriteQueue.operationsMax - 1)] {
            #expect(harness.heard.answer(to: ticket).text.hasPrefix("stored"))
        }
        #expect(harness.received(by: anna) == ["two"])
    }

    @Test func `a full disk refuses packets until there is room`() throws {
        let harness = try Self.harness()
        let anna = try harness.logIn("anna")
        _ = harness.append("one", for: ["anna"])
        faulty_disk_be_full(1)
        defer { faulty_disk_be_full(0) }
        let refused = harness.beginToAppend("refused", for: ["anna"])
        harness.heard.waitForEvent { if case .failed = $0 { true } else { false } }
        #expect(!harness.store.acceptsReplies)
        #expect(harness.append("two", for: ["anna"]).text.hasSuffix("storeFailed"))
        #expect(harness.received(by: anna) == ["one"])
        faulty_disk_be_full(0)
        #expect(harness.heard.answer(to: refused).text.hasSuffix("storeFailed"))
        harness.heard.waitForEvent { if case .roomAgain = $0 { true } else { false } }
        #expect(harness.append("three", for: ["anna"]).text.hasPrefix("stored"))
        try harness.reopen()
        #expect(try harness.received(by: harness.session("anna")) == ["three"])
    }
}
