/// What can be read of a damaged file, as a new store.
extension StoreFile {
    /// What became of one table.
    package struct Salvaged: Sendable, Equatable {
        /// The table.
        package let table: String
        /// Rows that were copied.
        package var rows = 0
        /// Packets that were left behind because they are not what was written.
        package var damagedRows = 0
        /// Why not all of it could be read, in SQLite's words.
        package var problem: String?
    }

    /// Makes a store in a folder, which is made if there is none, and copies every row that reads.
    ///
    /// A table is read from its beginning and, if that ends at a damaged page, from its end, too. What is
    /// copied is synced when this returns. Throws if the folder holds a store already, or cannot be written.
    package func salvage(into folder: String) throws -> [Salvaged] {
        let target = try StoreFolder(path: folder)
        let database = try Database(path: target.database, .writing)
        try Schema.configure(database)
        try Schema.prepare(database)
        guard try database.integer("SELECT value FROM meta WHERE key = 'last'") == 0,
            try database.integer("SELECT count(*) FROM client") == 0
        else {
            throw DiskStoreError.folder(path: folder, reason: "it holds a store already")
        }
        return try StoreTable.allCases.map { try self.copy($0, to: database) }
    }

    private func copy(_ table: StoreTable, to target: Database) throws -> Salvaged {
        var salvaged = Salvaged(table: table.rawValue)
        try target.execute("BEGIN")
        for order in [table.key, table.descendingKey] {
            let rows: Statement
            do throws(DatabaseError) {
                guard try self.has(table) else { break }
                rows = try self.database.prepare(
                    "SELECT * FROM \(table.rawValue) \(table.condition) ORDER BY \(order)"
                )
            } catch {
                salvaged.problem = error.text
                break
            }
            if try self.copy(rows, of: table, to: target, &salvaged) { break }
        }
        try target.execute("COMMIT")
        return salvaged
    }

    /// - Returns: whether there was nothing that could not be read.
    private func copy(
        _ rows: Statement,
        of table: StoreTable,
        to target: Database,
        _ salvaged: inout Salvaged
    ) throws -> Bool {
        let places = Array(repeating: "?", count: Int(rows.columnCount)).joined(separator: ",")
        let insert = try target.prepare(
            "INSERT OR \(table == .meta ? "REPLACE" : "IGNORE") INTO \(table.rawValue) VALUES (\(places))"
        )
        while true {
            do throws(DatabaseError) {
                guard try rows.step() else { return salvaged.problem == nil }
            } catch {
                salvaged.problem = error.text
                return false
            }
            // From the other end it comes to what it has from this one.
            guard try insert.copyRow(of: rows) else { return false }
            guard table.isIntact(rows) else {
                salvaged.damagedRows += 1
                try target.execute("DELETE FROM \(table.rawValue) WHERE seq = \(rows.integer(0))")
                continue
            }
            salvaged.rows += 1
        }
    }
}

extension StoreTable {
    /// Which of its rows are copied: how the new file's tables are made is its own.
    fileprivate var condition: String { self == .meta ? "WHERE key <> 'version'" : "" }

    /// Whether a row, all of its columns, is what was written, as far as that is known.
    fileprivate func isIntact(_ row: Statement) -> Bool {
        switch self {
        case .outbox: row.isIntact(number: 0, client: 1, checksum: 3, head: 5, body: 6)
        case .inbox: row.isIntact(number: 0, client: 2, checksum: 4, head: 5, body: 6)
        default: true
        }
    }
}
