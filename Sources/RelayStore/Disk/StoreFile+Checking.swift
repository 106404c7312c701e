/// What is wrong with a file.
extension StoreFile {
    /// Reads everything and says what is wrong, one line for each thing.
    ///
    /// Pages first, as SQLite checks them; then every packet against its checksum, and that its client is
    /// there. Takes as long as reading the file.
    package func problems() -> [String] {
        var problems = self.pageProblems()
        for table in StoreTable.allCases where table.hasChecksums {
            do throws(DatabaseError) {
                for number in try self.damagedPackets(in: table) {
                    problems.append(
                        "\(table.rawValue): the packet \(number) is not what was written"
                    )
                }
                let orphans = try self.database.integer(
                    """
                    SELECT count(*) FROM \(table.rawValue)
                    WHERE client NOT IN (SELECT id FROM client)
                    """
                )
                if let orphans, orphans > 0 {
                    problems.append("\(table.rawValue): \(orphans) packets are of no client")
                }
            } catch {
                problems.append("\(table.rawValue): cannot be read to its end: \(error.text)")
            }
        }
        return problems
    }

    /// What SQLite finds, at most a hundred lines; none if it is content.
    private func pageProblems() -> [String] {
        var lines: [String] = []
        do throws(DatabaseError) {
            let rows = try self.database.prepare("PRAGMA integrity_check(100)")
            while try rows.step() { lines.append(String(decoding: rows.bytes(0), as: UTF8.self)) }
        } catch {
            lines.append(error.text)
        }
        return lines == ["ok"] ? [] : lines
    }

    private func damagedPackets(in table: StoreTable) throws(DatabaseError) -> [PacketNumber] {
        let rows = try self.database.prepare(
            "SELECT seq, client, crc, head, body FROM \(table.rawValue) ORDER BY seq"
        )
        var numbers: [PacketNumber] = []
        while try rows.step() {
            guard !rows.isIntact(number: 0, client: 1, checksum: 2, head: 3, body: 4) else {
                continue
            }
            numbers.append(rows.unsigned(0))
        }
        return numbers
    }
}
