import Testing

/// The tests' own tools: a fault in them must not look like one of relay's.
struct HarnessTests {
    @Test func `a client and a backend understand each other`() throws {
        let address = try LoopbackHost.unique().at(9001)
        let backend = try TestBackend(address)
        let client = try TestClient(address)
        let login = try client.exchange(Request(body: Array("alice".utf8)).with("Type", "Auth"))
        #expect(login.status == 200)
        #expect(login.field("client-id") == "alice")
        let packet = Request(body: Array("hello".utf8))
            .with("Type", "Packet").with("From", "alice").with("X-Topic", "tea")
        try client.sendByteByByte(packet)
        let answer = try client.response()
        #expect(answer.text == "hello")
        #expect(answer.field("To") == "alice")
        #expect(answer.extensionFields == ["x-topic: tea"])
        #expect(backend.packets.map(\.message.text) == ["hello"])
        backend.stop()
    }

    @Test func `a pushed packet answers the fetch that was held for it`() throws {
        let address = try LoopbackHost.unique().at(9001)
        let backend = try TestBackend(address) { _, _ in .pushed(hold: .seconds(20)) }
        let client = try TestClient(address)
        try client.send(Request().with("Type", "Packet"))
        try backend.waitForRequests { $0.contains { $0.isFetch } }
        backend.push("news", to: "alice")
        #expect(try client.response().text == "news")
        backend.stop()
    }

    @Test func `a stopped backend breaks its connections and comes back at its port`() throws {
        let address = try LoopbackHost.unique().at(9001)
        let backend = try TestBackend(address) { _, _ in .hang }
        let client = try TestClient(address)
        try client.send(Request())
        try backend.waitForRequests { $0.count == 1 }
        backend.stop()
        #expect(try client.stream.hasEnded())
        #expect(throws: StreamFailure.refused) { try TestClient(address) }
        backend.setScript { _, _ in .answer(204) }
        try backend.start()
        #expect(try TestClient.exchange(Request(), with: address).status == 204)
        backend.stop()
    }

    @Test func `reads chunked messages`() throws {
        let address = try LoopbackHost.unique().at(9001)
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        let backend = try TestBackend(address) { _, _ in .raw(text) }
        let client = try TestClient(address)
        #expect(try client.exchange(Request()).text == "abc")
        #expect(try client.stream.hasEnded())
        backend.stop()
    }

    @Test func `a reset is seen as a reset`() throws {
        let address = try LoopbackHost.unique().at(9001)
        let backend = try TestBackend(address) { _, _ in .reset }
        let client = try TestClient(address)
        #expect(throws: StreamFailure.reset) { try client.exchange(Request()) }
        backend.stop()
    }

    @Test func `keeps what a process writes and how it ends`() throws {
        let child = try ChildProcess(
            "/bin/sh",
            ["-c", "read line; echo $line $NAME; echo oops >&2; exit 7"],
            environment: ["NAME": "world"],
            input: "hello\n"
        )
        #expect(try child.waitForExit() == .code(7))
        #expect(child.outputText == "hello world\n")
        #expect(child.errorText == "oops\n")
    }

    @Test func `kills a process that does not end`() throws {
        let child = try ChildProcess("/bin/sh", ["-c", "read line; while :; do read line; done"])
        #expect(child.isRunning)
        #expect(throws: Failure.self) { try child.waitForExit(by: .after(.milliseconds(10))) }
        #expect(!child.isRunning)
    }

    @Test(arguments: ["{\"a\": [1, \"b\\n\"], \"c\": null}", " [] ", "\"\\u00e9\""])
    func `reads JSON`(text: String) { #expect(JSON(text) != nil) }

    @Test(arguments: ["{", "{\"a\":1,}", "[1 2]", "\"a", "{} x", "{\"a\":1,\"a\":2}", ""])
    func `refuses what is not JSON`(text: String) { #expect(JSON(text) == nil) }
}
