/// The rows by which others name clients, realms and pools.
extension RowWriter {
    /// The row of a client, made if there is none.
    func client(_ name: ClientName, in realm: RealmID) throws(DatabaseError) -> Int64 {
        let key = ClientKey(realm: realm, name: name)
        if let known = self.clients[key] { return known }
        if self.clients.count >= Self.clientsMax { self.clients = [:] }
        let realmRow = try self.realm(realm)
        let found = try self.findRow(self.findClient, realmRow, name)
        let row: Int64
        if let found {
            row = found
        } else {
            try self.insertClient.bind(1, realmRow)
            try self.insertClient.bind(2, name.bytes)
            try self.insertClient.run()
            row = self.database.lastRow
        }
        self.clients[key] = row
        return row
    }

    private func findRow(
        _ statement: Statement,
        _ realm: Int64,
        _ name: ClientName
    ) throws(DatabaseError) -> Int64? {
        defer { statement.reset() }
        try statement.bind(1, realm)
        try statement.bind(2, name.bytes)
        return try statement.step() ? statement.integer(0) : nil
    }

    /// The row of a realm, made if there is none.
    func realm(_ realm: RealmID) throws(DatabaseError) -> Int64 {
        if let known = self.realms[realm] { return known }
        let row = try self.named(self.store.name(of: realm), in: "realm")
        self.realms[realm] = row
        return row
    }

    /// The row of a pool, made if there is none.
    func pool(_ pool: PoolID) throws(DatabaseError) -> Int64 {
        if let known = self.pools[pool] { return known }
        let row = try self.named(self.store.name(of: pool), in: "pool")
        self.pools[pool] = row
        return row
    }

    private func named(_ name: String, in table: String) throws(DatabaseError) -> Int64 {
        let insert = try self.database.prepare(
            "INSERT OR IGNORE INTO \(table)(name) VALUES (CAST(? AS TEXT))"
        )
        try insert.bind(1, Array(name.utf8))
        try insert.run()
        let find = try self.database.prepare(
            "SELECT id FROM \(table) WHERE name = CAST(? AS TEXT)"
        )
        try find.bind(1, Array(name.utf8))
        _ = try find.step()
        return find.integer(0)
    }
}
