import Testing

@testable import RelayStore

struct NumberTests {
    @Test func `a number is known once it or a larger one was given`() throws {
        let harness = StoreHarness()
        let first = harness.now.unixMicroseconds
        #expect(harness.store.hasGiven(0))
        #expect(!harness.store.hasGiven(first))

        let session = try harness.login("anna")
        _ = harness.send("hello", from: session, ticket: 1)
        #expect(harness.store.hasGiven(first))
        #expect(!harness.store.hasGiven(first + 1))

        _ = harness.send("again", from: session, ticket: 2)
        #expect(harness.store.hasGiven(first + 1))
        #expect(!harness.store.hasGiven(.max))
    }
}
