/// The rows of the keys that packets were pushed and fetched with.
extension RowWriter {
    /// The key under which a packet was pushed, with the numbers that it has.
    ///
    /// - Parameter first: the number that was given for it; one is if it has no recipients, too.
    func insertPushKey(
        _ key: PacketKey,
        in realm: RealmID,
        _ numbers: [PacketNumber],
        first: PacketNumber,
        atMicroseconds time: UInt64
    ) throws(DatabaseError) {
        try self.insertPushKey.bind(1, self.realm(realm))
        try self.insertPushKey.bind(2, first)
        try self.insertPushKey.bind(3, key.bytes)
        try self.insertPushKey.bind(4, PushedNumbers.bytes(of: numbers))
        try self.insertPushKey.bind(5, time)
        try self.insertPushKey.run()
    }

    /// The packet has other numbers, or none, and then its key is free.
    func pushSettled(
        _ first: PacketNumber,
        in realm: RealmID,
        _ numbers: [PacketNumber]?
    ) throws(DatabaseError) {
        let row = try self.realm(realm)
        guard let numbers else {
            try self.database.execute("DELETE FROM pushed WHERE realm = \(row) AND seq = \(first)")
            return
        }
        let statement = try self.database.prepare(
            "UPDATE pushed SET numbers = ? WHERE realm = ? AND seq = ?"
        )
        try statement.bind(1, PushedNumbers.bytes(of: numbers))
        try statement.bind(2, row)
        try statement.bind(3, first)
        try statement.run()
    }

    /// The key of a packet that a backend gave, known until a time in microseconds since 1970.
    func insertFetchKey(
        _ key: FetchKey,
        untilMicroseconds time: UInt64
    ) throws(DatabaseError) {
        try self.insertFetchKey.bind(1, self.pool(key.pool))
        try self.insertFetchKey.bind(2, key.text)
        try self.insertFetchKey.bind(3, time)
        try self.insertFetchKey.run()
    }

    /// Forgets the keys of a realm's pushes that came before a time, in microseconds since 1970, and all but the
    /// newest so many.
    func trimPushKeys(
        of realm: RealmID,
        olderThan time: UInt64,
        newest count: Int
    ) throws(DatabaseError) {
        let row = try self.realm(realm)
        try self.database.execute(
            """
            DELETE FROM pushed WHERE realm = \(row) AND (seq < \(time) OR seq <= (SELECT seq
                FROM pushed WHERE realm = \(row) ORDER BY seq DESC LIMIT 1 OFFSET \(count)))
            """
        )
    }

    /// Forgets the keys of fetched packets that ran out before now, and all but the newest so many.
    func trimFetchKeys(at time: UInt64, newest count: Int) throws(DatabaseError) {
        try self.database.execute(
            """
            DELETE FROM fetched WHERE until_us < \(time)
                OR id <= (SELECT max(id) FROM fetched) - \(count)
            """
        )
    }
}

/// The numbers of a pushed packet as a row has them: 8 bytes each, the most significant one first.
enum PushedNumbers {
    /// What the row has.
    static func bytes(of numbers: [PacketNumber]) -> [UInt8] {
        numbers.flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
        }
    }

    /// The numbers of a row; what is not 8 bytes at its end counts for nothing.
    static func numbers(in bytes: [UInt8]) -> [PacketNumber] {
        (0..<bytes.count / 8).map { index in
            bytes[index * 8..<index * 8 + 8].reduce(0) { $0 << 8 | PacketNumber($1) }
        }
    }
}
