import Testing

/// Requests that are passed on to four targets of which at any time two are ill.
struct ProxyRetryTests {
    /// What is wrong with a target.
    private enum Illness: CaseIterable {
        case down, reset, close, hang, busy
        /// Breaks off within the body of its answer.
        case breaksOff
    }

    /// A target that does what its illness says; nil: answers with the path it was asked for.
    private static func reply(
        _ request: TestBackend.Received,
        _ illness: Illness?
    )
        -> TestBackend
        .Reply
    {
        switch illness {
        case nil, .down: .answer(200, body: request.message.startLine)
        case .reset: .reset
        case .close: .close
        case .hang: .hang
        case .busy: .answer(503, body: "busy")
        case .breaksOff: .raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbroken")
        }
    }

    /// Has clients send `method` requests while two targets after the other are ill, by one of `illnesses`; gives
    /// what each got, nil for an answer that was visibly broken, and how often each request arrived.
    private static func run(
        _ method: String,
        _ illnesses: [Illness]
    ) throws -> (answers: [Message?], arrivals: [Int]) {
        var answers: [Message?] = []
        var arrivals: [Int] = []
        try PacketSystem.run({ file in
            file.retry =
                "attempts: 4, on: [connect, reset, timeout, 503], per_try_timeout: 300ms, budget: 100%, "
                + "backoff: { initial: 10ms, max: 20ms }"
            let host = file.listenerAddress.host
            file.listeners = [
                "web:", "  bind: \"\(host):8081\"", "  pipeline: [{ route: web }]",
            ]
            file.pools = ["web:", "  retry: test", "  targets:"]
            file.pools += (0..<4).map { "    - url: \"http://\(host):\(9010 + $0)\"" }
        }) { system in
            let targets = try (0..<4).map { try TestBackend(system.host.at(UInt16(9010 + $0))) }
            defer { for target in targets { target.stop() } }
            let web = system.host.at(8081)
            for (round, illness) in illnesses.enumerated() {
                let ill = [round % 4, (round + 1 + round / 4) % 4]
                for (index, target) in targets.enumerated() {
                    let own = ill.contains(index) ? illness : nil
                    target.setScript { request, _ in Self.reply(request, own) }
                    if own == .down { target.stop() }
                }
                let workers = (0..<4).map { worker in
                    Worker { try Self.ask(method, "/\(round)/\(worker)/", at: web) }
                }
                for worker in workers { answers += try worker.result() }
                guard illness == .down else { continue }
                for index in ill {
                    try targets[index].start()
                    try Self.untilFound(targets[index], at: web)
                }
            }
            let lines = targets.flatMap(\.received).map(\.message.startLine)
                .filter { !$0.hasPrefix("GET /found") }
            arrivals = Dictionary(grouping: lines) { $0 }.values.map(\.count)
        }
        return (answers, arrivals)
    }

    /// Sends requests until relay knows that a target is back.
    private static func untilFound(_ target: TestBackend, at web: Address) throws {
        let before = target.received.count
        let deadline = Deadline.usual
        target.setScript { request, _ in Self.reply(request, nil) }
        while target.received.count == before {
            if deadline.isOver { throw Failure("a target that is back gets no request") }
            _ = try TestClient.exchange(.get("/found"), with: web)
        }
    }

    private static func ask(_ method: String, _ path: String, at web: Address) throws -> [Message?]
    {
        try (0..<8).map { number in
            var request = Request(method: method, path: "\(path)\(number)")
            if method == "POST" { request.body = Array("hello".utf8) }
            do {
                return try TestClient.exchange(request, with: web)
            } catch is StreamFailure {
                return nil
            }
        }
    }

    @Test func `with faults before the head of the response every GET succeeds`() throws {
        let (answers, _) = try Self.run("GET", [.down, .reset, .close, .hang, .busy])
        #expect(answers.count == 5 * 32)
        for (index, answer) in answers.enumerated() {
            #expect(answer?.status == 200, "\(index): \(answer?.text ?? "")")
        }
    }

    @Test func `with faults anywhere every GET succeeds or is visibly broken`() throws {
        let (answers, _) = try Self.run("GET", [.breaksOff, .reset, .breaksOff, .down])
        #expect(answers.count == 4 * 32)
        for answer in answers where answer != nil { #expect(answer?.status == 200) }
        #expect(answers.contains { $0 != nil })
    }

    @Test func `no POST is sent twice once a byte of it was sent`() throws {
        let (answers, arrivals) = try Self.run("POST", [.down, .reset, .close, .hang, .breaksOff])
        #expect(answers.count == 5 * 32)
        #expect(arrivals.allSatisfy { $0 == 1 })
        #expect(arrivals.count >= 4 * 32)
    }
}
