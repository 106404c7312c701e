import Glibc
import Testing

@testable import RelayStore

/// What a store on disk keeps, and what it says when it cannot.
struct DiskStoreTests {
    @Test func `packets, their order and sessions survive, and what is gone stays gone`() throws {
        let harness = try DiskHarness()
        let anna = try harness.logIn("anna")
        let bert = try harness.logIn("bert")
        for text in ["one", "two", "three"] {
            #expect(harness.append(text, for: ["anna", "cleo"]).isStored)
            #expect(harness.send(text, from: bert).isStored)
        }
        let first = harness.heard.nextSend()
        harness.consume(first, reply: StoreHarness.reply("answer", for: ["bert"]))
        #expect(harness.heard.nextSend().packet.contents.text == "two")
        #expect(harness.received(by: bert) == ["answer"])

        try harness.reopen()
        #expect(harness.store.statistics().sessions == 2)
        #expect(try harness.received(by: harness.session("anna")) == ["one", "two", "three"])
        #expect(try harness.received(by: harness.session("bert")) == [])
        #expect(harness.consumed() == ["two", "three"])
        #expect(anna.name == StoreHarness.name("anna"))

        try harness.reopen()
        #expect(try harness.received(by: harness.session("anna")) == [])
        #expect(harness.consumed() == [])
        let cleo = try harness.logIn("cleo")
        #expect(harness.received(by: cleo) == ["one", "two", "three"])
    }

    @Test func `numbers go on above all that were given`() throws {
        let harness = try DiskHarness()
        _ = harness.append("one", for: ["anna"])
        let anna = try harness.logIn("anna")
        #expect(harness.received(by: anna) == ["one"])
        let before = harness.store.numbers.newest
        try harness.reopen()
        #expect(harness.store.hasGiven(before))
        guard case .stored(_, let number) = harness.append("two", for: ["anna"]) else {
            Issue.record("it was not stored")
            return
        }
        #expect(number > before)
    }

    @Test func `a new login replaces the token for good`() throws {
        let harness = try DiskHarness()
        _ = try harness.logIn("anna")
        #expect(throws: HarnessError.self) { try harness.logIn("anna", token: "another") }
        try harness.reopen()
        #expect(throws: HarnessError.self) { try harness.session("anna") }
        #expect(throws: HarnessError.self) { try harness.logIn("bert", token: "another") }
    }

    @Test func `counted attempts and dead letters survive`() throws {
        let harness = try DiskHarness()
        let anna = try harness.logIn("anna")
        _ = harness.send("one", from: anna)
        _ = harness.send("two", from: anna)
        let send = harness.heard.nextSend()
        harness.reject(send)
        harness.fail(harness.heard.nextSend())

        try harness.reopen()
        let letters = harness.store.keptDeadLetters()
        #expect(letters.map(\.reason) == [.rejected(status: 410)])
        #expect(letters.map(\.number) == [send.packet.number])
        harness.adoptLanes()
        let again = harness.heard.nextSend()
        #expect(again.packet.contents.text == "two")
        #expect(again.packet.attempts == 1)
    }

    @Test func `packets that are not in memory are read, in order`() throws {
        let harness = try DiskHarness { $0.cacheBytes = 0 }
        let texts = (0..<50).map { "packet \($0)" }
        for text in texts { _ = harness.append(text, for: ["anna"]) }
        let anna = try harness.logIn("anna")
        #expect(harness.received(by: anna) == texts)
    }

    @Test func `what was acknowledged stays gone, and the mode stays`() throws {
        let harness = try DiskHarness()
        _ = try harness.logIn("anna")
        for text in ["one", "two", "three"] { _ = harness.append(text, for: ["anna"]) }
        let first = try harness.poll("anna", acknowledging: 0)
        #expect(first.text.contains("'one'"))
        guard case .deliver(let delivery) = first else { return }
        #expect(
            try harness.poll("anna", acknowledging: delivery.packet.number).text
                .contains("'two'")
        )
        try harness.reopen()
        #expect(try harness.session("anna").acknowledges)
        #expect(try harness.poll("anna", acknowledging: 0).text.contains("'two'"))
    }

    @Test func `nobody else may read the files, whoever may enter the folder`() throws {
        let harness = try DiskHarness()
        _ = harness.append("one", for: ["anna"])
        for name in ["relay.db", "relay.db-wal"] {
            var status = stat()
            #expect(unsafe stat("\(harness.path)/\(name)", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600, "\(name)")
        }
    }

    @Test func `a store is open once`() throws {
        let harness = try DiskHarness()
        #expect {
            _ = try DiskStore(
                DiskSettings(path: harness.path),
                clock: DiskHarness.clock
            ) { _ in }
        } throws: {
            "\($0)".contains("in use by another relay")
        }
    }

    @Test func `a store of a newer relay is refused`() throws {
        let harness = try DiskHarness()
        try harness.change("UPDATE meta SET value = 1000 WHERE key = 'version'")
        #expect { try harness.reopen() } throws: { "\($0)".contains("newer relay") }
    }

    @Test func `a file that is none of ours is refused, and stays as it is`() throws {
        let harness = try DiskHarness()
        harness.disk.stop()
        try harness.overwrite("relay.db", at: 0, with: Array(repeating: 0x41, count: 4096))
        #expect(throws: DiskStoreError.self) { try harness.reopen() }
    }

    @Test func `a damaged packet is reported and costs no neighbour`() throws {
        let harness = try DiskHarness()
        for text in ["one", "two", "three"] { _ = harness.append(text, for: ["anna"]) }
        try harness.change(
            "UPDATE outbox SET body = x'747761' WHERE CAST(body AS TEXT) = 'two'"
        )
        try harness.reopen()
        let anna = try harness.logIn("anna")
        #expect(harness.received(by: anna) == ["one"])
        #expect(harness.received(by: anna) == ["three"])
        #expect(
            harness.heard.events.contains { if case .damagedPacket = $0 { true } else { false } }
        )
    }

    @Test func `losses are told after a restart, once`() throws {
        var settings = RealmSettings()
        settings.clientPacketsMax = 1
        let harness = try DiskHarness(realm: settings)
        _ = try harness.logIn("anna")
        for text in ["one", "two"] { #expect(harness.append(text, for: ["anna"]).isStored) }
        try harness.reopen()
        guard case .deliver(let delivery) = try harness.poll("anna", acknowledging: 0) else {
            Issue.record("nothing was delivered")
            return
        }
        #expect(delivery.packet.contents.text == "two")
        #expect(delivery.lost == 1)
        let end = try harness.poll("anna", acknowledging: delivery.packet.number)
        guard case .answerEmpty(_, more: 0, nil) = end else {
            Issue.record("it is told again")
            return
        }
        try harness.reopen()
        let again = try harness.poll("anna", acknowledging: 0)
        guard case .answerEmpty(_, more: 0, nil) = again else {
            Issue.record("it is told again")
            return
        }
    }

    @Test func `a session that was ended stays ended`() throws {
        let harness = try DiskHarness()
        let anna = try harness.logIn("anna")
        let bert = try harness.logIn("bert")
        _ = try harness.logIn("cleo")
        guard case .loggedOut = harness.logOut(anna) else {
            Issue.record("anna is not logged out")
            return
        }
        var effects = Effects()
        _ = harness.store.endSession(of: bert.name, in: bert.realm, &effects)
        try harness.reopen()
        #expect(throws: HarnessError.self) { try harness.session("anna") }
        #expect(throws: HarnessError.self) { try harness.session("bert") }
        _ = try harness.session("cleo")
    }

    @Test func `in a damaged file nothing is written any more, and what is in it is delivered`()
        throws
    {
        let harness = try DiskHarness()
        _ = try harness.logIn("anna")
        #expect(harness.append("one", for: ["anna"]).isStored)
        harness.disk.stop()
        try harness.change("PRAGMA wal_checkpoint(TRUNCATE)")
        // The list of free pages begins beyond the end of the file.
        try harness.overwrite("relay.db", at: 32, with: [0x7F, 0xFF, 0xFF, 0xF0, 0, 0, 0, 5])
        try harness.reopen()
        let large = String(repeating: "x", count: 20_000)
        for _ in 0..<2 {
            #expect(harness.append(large, for: ["anna"]).text.hasSuffix("storeFailed"))
        }
        #expect(!harness.store.acceptsReplies)
        #expect(try harness.received(by: harness.session("anna")) == ["one"])
        let damages = harness.heard.events.filter {
            if case .damaged(let path, _) = $0 { path == "\(harness.path)/relay.db" } else { false }
        }
        #expect(damages.count == 1)
    }

    @Test func `that somebody's transaction makes the log grow is said once`() throws {
        let harness = try DiskHarness { $0.logBytesMax = 1 << 20 }
        let other = try Database(path: "\(harness.path)/relay.db", .reading)
        try other.execute("BEGIN; SELECT count(*) FROM outbox")
        let body = String(repeating: "x", count: 50_000)
        let isSaid = { (event: DiskEvent) in if case .logGrows = event { true } else { false } }
        // It looks once a second.
        for index in 0..<100_000 where !harness.heard.events.contains(where: isSaid) {
            #expect(harness.append(body, for: ["client-\(index / 50)"]).isStored)
        }
        #expect(harness.heard.events.count(where: isSaid) == 1)
    }

    @Test func `without room packets are refused and deliveries go on`() throws {
        let harness = try DiskHarness()
        _ = harness.append("one", for: ["anna"])
        _ = try harness.logIn("anna")
        try harness.reopen { $0.reserveBytes = .max }
        harness.heard.waitForEvent { if case .full = $0 { true } else { false } }
        let anna = try harness.session("anna")
        #expect(!harness.store.acceptsReplies)
        #expect(harness.send("two", from: anna).text.hasSuffix("storeFailed"))
        #expect(harness.received(by: anna) == ["one"])
        try harness.reopen()
        #expect(try harness.received(by: harness.session("anna")) == [])
        #expect(harness.store.acceptsReplies)
    }

    @Test func `a locked file delays nobody but those who store, and is written later`() throws {
        let harness = try DiskHarness()
        let anna = try harness.logIn("anna")
        _ = harness.append("one", for: ["anna"])
        let other = try Database(path: "\(harness.path)/relay.db", .writing)
        try other.execute("BEGIN IMMEDIATE")
        let ticket = harness.heard.nextTicket()
        var effects = Effects()
        let progress = harness.store.append(
            StoreHarness.reply("two", for: ["anna"]),
            in: harness.realm,
            ticket: ticket,
            at: harness.now,
            &effects
        )
        guard case .pending = progress else {
            Issue.record("it was written")
            return
        }
        #expect(harness.received(by: anna) == ["one"])
        harness.heard.waitForEvent { if case .failed = $0 { true } else { false } }
        #expect(harness.append("three", for: ["anna"]).text.hasSuffix("storeFailed"))
        try other.execute("ROLLBACK")
        #expect(harness.heard.answer(to: ticket).text.hasSuffix("storeFailed"))
        harness.heard.waitForEvent { if case .recovered = $0 { true } else { false } }
        try harness.reopen()
        #expect(try harness.received(by: harness.session("anna")) == [])
    }

    @Test func `a folder that cannot be written is refused with its name`() {
        #expect {
            _ = try DiskStore(
                DiskSettings(path: "/proc/relay-data"),
                clock: DiskHarness.clock
            ) { _ in }
        } throws: {
            "\($0)".contains("/proc/relay-data")
        }
    }

    @Test func `digests and checksums are those of the standards`() {
        let digest = TokenDigest.of(Array("abc".utf8).span)
        #expect(digest.prefix(4) == [0xba, 0x78, 0x16, 0xbf])
        #expect(digest.suffix(4) == [0xf2, 0x00, 0x15, 0xad])
        let long = TokenDigest.of(Array(repeating: UInt8(0x61), count: 1_000).span)
        #expect(long.prefix(4) == [0x41, 0xed, 0xec, 0xe4])
        var checksum = Checksum()
        checksum.add(Array("123456789".utf8).span)
        #expect(checksum.value == 0xE306_9283)
    }
}

extension Effect {
    var isStored: Bool { if case .stored = self { true } else { false } }
}

extension DiskHarness {
    /// Changes the file behind the store's back.
    func change(_ sql: String) throws {
        try Database(path: "\(self.path)/relay.db", .writing).execute(sql)
    }

    /// Writes bytes over a file.
    func overwrite(_ name: String, at offset: Int, with bytes: [UInt8]) throws {
        let file = unsafe open("\(self.path)/\(name)", O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe pwrite(file, buffer.baseAddress, buffer.count, offset)
        }
        #expect(count == bytes.count)
    }
}
