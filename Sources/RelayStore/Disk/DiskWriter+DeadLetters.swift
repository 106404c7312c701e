/// Dead letters that are written with what made them ones, and those that are packets again.
extension DiskWriter {
    /// Letters of packets that were never stored.
    ///
    /// - Returns: the id of the first; those of the others follow.
    func write(_ letters: [DeadLetter], to rows: RowWriter) throws(DatabaseError) -> UInt64 {
        let first = self.store.takeLetterIDs(letters.count)
        var id = first
        for var letter in letters {
            letter.id = id
            id += 1
            try rows.bury(letter)
        }
        return first
    }

    /// A dead letter becomes a packet; done again after a commit of which nobody knows how it ended, it is the
    /// same packet under another number.
    ///
    /// - Returns: its number.
    func write(
        _ letter: DeadLetter,
        _ contents: PacketContents,
        to rows: RowWriter,
        at now: StoreInstant
    ) throws(DatabaseError) -> PacketNumber? {
        try rows.deleteLetter(letter.id)
        guard let client = letter.client else { return nil }
        let number = self.takeNumbers(1, at: now)
        switch (letter.direction, letter.pool) {
        case (.toBackend, let pool?):
            try rows.insertInbox(number, to: pool, from: client, in: letter.realm, contents)
        case (.toBackend, nil): return nil
        case (.toClient, _):
            try rows.insertOutbox(number, for: client, in: letter.realm, from: nil, contents)
            self.outbox.inserted(number)
        }
        return number
    }
}
