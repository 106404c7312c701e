/// The file of a disk store, read without a relay and without changing it.
///
/// A running relay may write it meanwhile: each reading sees one moment. For one thread.
package final class StoreFile {
    /// The folder.
    package let path: String

    /// Which version of the tables it has.
    package let version: Int64

    let database: Database

    /// Opens the store in a folder.
    ///
    /// Throws if there is none, if it cannot be read, or if a newer relay made it.
    package init(folder path: String) throws(DiskStoreError) {
        self.path = path
        do throws(DatabaseError) {
            self.database = try Database(path: "\(path)/relay.db", .reading)
            try self.database.execute("PRAGMA query_only=1; PRAGMA mmap_size=0")
            self.version =
                try self.database.integer("SELECT value FROM meta WHERE key = 'version'") ?? 0
        } catch {
            throw .database(error)
        }
        guard self.version > 0 else { throw .settings }
        guard self.version <= Schema.version else { throw .newer(version: self.version) }
    }

    /// Whether the file has a table: one of an older relay has not all of them.
    func has(_ table: StoreTable) throws(DatabaseError) -> Bool {
        let count = try self.database.integer(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '\(table.rawValue)'"
        )
        return count == 1
    }

    /// Which rows of the outbox are packets still.
    func waitingCondition() throws(DatabaseError) -> String {
        guard try self.has(.acked) else { return "true" }
        return "seq > coalesce((SELECT upto FROM acked WHERE acked.client = outbox.client), 0)"
    }
}

/// The tables of a store's file, those that others name first.
enum StoreTable: String, CaseIterable {
    case meta, realm, pool, client, session, outbox, acked, inbox, retry, seen, pushed, fetched,
        dead

    /// The columns of its key, in order.
    var key: String {
        switch self {
        case .meta: "key"
        case .realm, .pool, .client, .fetched, .dead: "id"
        case .session, .acked: "client"
        case .outbox, .inbox, .retry, .seen: "seq"
        case .pushed: "realm, seq"
        }
    }

    /// The same, last first.
    var descendingKey: String { self == .pushed ? "realm DESC, seq DESC" : "\(self.key) DESC" }

    /// Whether its rows are packets with a checksum.
    var hasChecksums: Bool { self == .outbox || self == .inbox }
}

extension Statement {
    /// Whether a row of the outbox or the inbox, with its values in these columns, is what was written.
    func isIntact(
        number: Int32,
        client: Int32,
        checksum: Int32,
        head: Int32,
        body: Int32
    ) -> Bool {
        var bytes = self.bytes(head)
        let headerCount = bytes.count
        bytes += self.bytes(body)
        let found = Checksum.ofRow(
            client: self.integer(client),
            number: self.unsigned(number),
            PacketContents(bytes: bytes, headerCount: headerCount)
        )
        return Int64(found) == self.integer(checksum)
    }
}
