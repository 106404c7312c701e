import Glibc
import Testing

@testable import RelayStore

/// What is said of a store's file by who only reads it.
struct StoreFileTests {
    /// A store with packets in both directions, a session, keys and a dead letter, closed.
    private func closedStore() throws -> DiskHarness {
        let harness = try DiskHarness()
        let anna = try harness.logIn("anna")
        for text in ["one", "two", "three"] { _ = harness.append(text, for: ["anna"]) }
        _ = harness.send("question", from: anna, key: "a")
        _ = harness.push("news", for: ["anna"], key: "b")
        _ = harness.fetched("nothing", key: "c", for: nil)
        harness.disk.stop()
        return harness
    }

    private func problems(of harness: DiskHarness) throws -> [String] {
        try StoreFile(folder: harness.path).problems()
    }

    @Test func `a good store has no problem, and stays as it is`() throws {
        let harness = try self.closedStore()
        #expect(try self.problems(of: harness) == [])
        let figures = try StoreFile(folder: harness.path).statistics()
        let values = Dictionary(uniqueKeysWithValues: figures.map { ($0.name, $0.value) })
        #expect(values["version"] == Schema.version)
        #expect(values["clients"] == 1)
        #expect(values["sessions"] == 1)
        #expect(values["to_client_packets"] == 4)
        #expect(values["to_client_bytes"] == 15)
        #expect(values["acknowledged_rows"] == 0)
        #expect(values["to_backend_packets"] == 1)
        #expect(values["to_backend_bytes"] == 8)
        #expect(values["dead_letters"] == 1)
        #expect(values["client_keys"] == 1)
        #expect(values["push_keys"] == 1)
        #expect(values["fetch_keys"] == 1)
        try harness.reopen()
        #expect(harness.consumed() == ["question"])
    }

    @Test func `rows that were acknowledged are no packets`() throws {
        let harness = try self.closedStore()
        try harness.change(
            """
            INSERT INTO acked SELECT client, seq FROM outbox WHERE CAST(body AS TEXT) = 'two'
            """
        )
        let figures = try StoreFile(folder: harness.path).statistics()
        #expect(figures.contains(StoreFile.Figure(name: "to_client_packets", value: 2)))
        #expect(figures.contains(StoreFile.Figure(name: "acknowledged_rows", value: 2)))
    }

    @Test func `a damaged packet is named, and left behind`() throws {
        let harness = try self.closedStore()
        try harness.change(
            "UPDATE outbox SET body = x'747761' WHERE CAST(body AS TEXT) = 'two'"
        )
        let number = try #require(
            try Database(path: "\(harness.path)/relay.db", .reading)
                .integer("SELECT seq FROM outbox WHERE CAST(body AS TEXT) = 'twa'")
        )
        #expect(
            try self.problems(of: harness)
                == ["outbox: the packet \(number) is not what was written"]
        )
        let copy = try DiskHarness()
        copy.disk.stop()
        try copy.removeDatabase()
        let salvaged = try StoreFile(folder: harness.path).salvage(into: copy.path)
        let outbox = try #require(salvaged.first { $0.table == "outbox" })
        #expect(outbox.rows == 3)
        #expect(outbox.damagedRows == 1)
        #expect(salvaged.allSatisfy { $0.problem == nil })
        try copy.reopen()
        #expect(try copy.received(by: copy.session("anna")) == ["one", "three", "news"])
        #expect(copy.consumed() == ["question"])
        #expect(try copy.send("question", from: copy.session("anna"), key: "a").text != "")
        #expect(try copy.rows(in: "dead") == 1)
    }

    @Test func `of a table with a damaged page everything before and after it is copied`() throws {
        let harness = try DiskHarness()
        _ = try harness.logIn("anna")
        let long = String(repeating: "x", count: 1000)
        for index in 0..<60 { #expect(harness.append("\(index) \(long)", for: ["anna"]).isStored) }
        harness.disk.stop()
        try harness.change("PRAGMA wal_checkpoint(TRUNCATE)")
        let page = try #require(try harness.leaf(of: "outbox", index: 7))
        try harness.overwrite(
            "relay.db",
            at: (Int(page) - 1) * 4096,
            with: Array(repeating: 0xFF, count: 4096)
        )
        #expect(try self.problems(of: harness).count >= 2)
        let copy = try DiskHarness()
        copy.disk.stop()
        try copy.removeDatabase()
        let salvaged = try StoreFile(folder: harness.path).salvage(into: copy.path)
        let outbox = try #require(salvaged.first { $0.table == "outbox" })
        #expect(outbox.problem != nil)
        #expect(50..<60 ~= outbox.rows)
        try copy.reopen()
        let texts = try copy.received(by: copy.session("anna"))
        #expect(texts.count == outbox.rows)
        #expect(texts.first?.hasPrefix("0 ") == true)
        #expect(texts.last?.hasPrefix("59 ") == true)
    }

    @Test func `what is copied is not copied over a store`() throws {
        let harness = try self.closedStore()
        let other = try self.closedStore()
        #expect {
            _ = try StoreFile(folder: harness.path).salvage(into: other.path)
        } throws: {
            "\($0)".contains("holds a store already")
        }
    }

    @Test func `where there is no store that is said`() {
        #expect(throws: DiskStoreError.self) { try StoreFile(folder: "/nonexistent") }
    }
}

extension DiskHarness {
    /// Leaves the folder without a store; it is closed.
    fileprivate func removeDatabase() throws {
        for name in ["relay.db", "relay.db-wal", "relay.db-shm"] {
            unsafe unlink("\(self.path)/\(name)")
        }
    }

    /// The number of a page with rows of a table, by its place among them, read off the table's root, which has
    /// all of them below it.
    fileprivate func leaf(of table: String, index: Int) throws -> UInt32? {
        let root = try Database(path: "\(self.path)/relay.db", .reading)
            .integer("SELECT rootpage FROM sqlite_schema WHERE name = '\(table)'")
        let page = try self.page(Int(try #require(root)))
        // SQLite's file format, 1.6: 5 is an interior page of a table, whose cells begin with a page's number.
        try #require(page[0] == 5)
        let cell = Int(page[12 + 2 * index]) << 8 | Int(page[13 + 2 * index])
        return page[cell..<cell + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func page(_ number: Int) throws -> [UInt8] {
        let file = unsafe open("\(self.path)/relay.db", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe pread(file, buffer.baseAddress, buffer.count, (number - 1) * 4096)
        }
        try #require(count == 4096)
        return bytes
    }
}
