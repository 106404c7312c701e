import Testing

/// Header filters with values of the request, for both products.
struct HeaderFilterTests {
    @Test func `packets carry what the listener's and the rule's filters write, both ways`() throws
    {
        try PacketSystem.run({ file in
            file.stages = [
                "- headers: { request: [{ pass: [\"X-*\", Accept] }, { set: { X-Who: \"{client_id} by {method}\" } }] }"
            ]
            file.route =
                "[{ pool: backend, headers: { request: [{ set: { X-Rule: \"{listener}\" } }], "
                + "response: [{ set: { X-Delivered: \"{client_id}\" } }] } }]"
        }) { system in
            let token = try system.logIn("alice")
            let client = try TestClient(system.address)
            let answer = try client.exchange(.packet(token, "hello"))
            #expect(answer.text == "hello")
            #expect(answer.field("X-Delivered") == "alice")
            let packet = try #require(try system.backend.waitForPackets(1).first?.message)
            #expect(packet.field("X-Who") == "alice by POST")
            #expect(packet.field("X-Rule") == "packets")
        }
    }

    @Test func `a field that belongs to the protocol is refused in a rule, too`() throws {
        let folder = try TemporaryFolder()
        var file = RelayFile(try LoopbackHost.unique())
        file.route = "[{ pool: backend, headers: { request: [{ set: { To: me } }] } }]"
        let path = try folder.write(file.text, to: "relay.yaml")
        let check = try RelayProgram.run(["check", "-c", path])
        #expect(check.exit == .code(78))
        #expect(check.errorText.contains("'To' belongs to the packet protocol"))
    }
}
