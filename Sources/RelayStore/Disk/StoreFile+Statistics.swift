/// How much is in a file.
extension StoreFile {
    /// One thing that is counted.
    package struct Figure: Sendable, Equatable {
        /// What it is, in lower case with underscores.
        package let name: String
        /// How much of it there is.
        package let value: Int64
    }

    /// Everything that is counted, in an order that does not change.
    ///
    /// Reads no bodies.
    package func statistics() throws -> [Figure] {
        var figures = [
            Figure(name: "version", value: self.version),
            Figure(name: "file_bytes", value: try self.fileBytes()),
        ]
        try figures.append("clients", from: self, "SELECT count(*) FROM client")
        try figures.append("sessions", from: self, "SELECT count(*) FROM session")
        let waiting = try self.waitingCondition()
        let outbox = "FROM outbox WHERE \(waiting)"
        try figures.append("to_client_packets", from: self, "SELECT count(*) \(outbox)")
        try figures.append("to_client_bytes", from: self, "SELECT coalesce(sum(len), 0) \(outbox)")
        try figures.append(
            "acknowledged_rows",
            from: self,
            "SELECT count(*) FROM outbox WHERE NOT (\(waiting))"
        )
        try figures.append("to_backend_packets", from: self, "SELECT count(*) FROM inbox")
        try figures.append(
            "to_backend_bytes",
            from: self,
            "SELECT coalesce(sum(len), 0) FROM inbox"
        )
        try figures.append("dead_letters", from: self, "SELECT count(*) FROM dead")
        try figures.append("client_keys", from: self, "SELECT count(*) FROM seen")
        for (name, table) in [("push_keys", StoreTable.pushed), ("fetch_keys", .fetched)] {
            guard try self.has(table) else { continue }
            try figures.append(name, from: self, "SELECT count(*) FROM \(table.rawValue)")
        }
        return figures
    }

    private func fileBytes() throws(DatabaseError) -> Int64 {
        try self.database.integer(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ) ?? 0
    }
}

extension [StoreFile.Figure] {
    fileprivate mutating func append(
        _ name: String,
        from file: StoreFile,
        _ sql: String
    ) throws(DatabaseError) {
        self.append(StoreFile.Figure(name: name, value: try file.database.integer(sql) ?? 0))
    }
}
