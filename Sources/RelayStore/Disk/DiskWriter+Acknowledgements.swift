/// What clients have acknowledged: their newest rows are deleted, and of older ones only the last number is written.
extension DiskWriter {
    /// Buckets that are cleared in one commit.
    private static let bucketsCleared = 2

    /// What a session acknowledges, and that it does.
    func write(
        _ session: Session,
        upTo number: PacketNumber,
        isReplaced: Bool,
        to rows: RowWriter
    ) throws(DatabaseError) {
        guard !isReplaced,
            let numbers = self.store.acknowledged(by: session, upTo: number)
        else { return }
        let newestFirst = self.outbox.newestFirst ?? 0
        var last: PacketNumber?
        for number in numbers {
            if number >= newestFirst {
                try self.delete(number, .toClient, rows)
            } else {
                self.outbox.acknowledged(number)
                last = number
            }
        }
        if let last { try rows.setAcknowledged(upTo: last, by: session.name, in: session.realm) }
        if !session.acknowledges {
            try rows.setAcknowledging(session.name, in: session.realm)
        }
    }

    /// A packet that is not acknowledged has gone.
    func delete(
        _ number: PacketNumber,
        _ direction: Direction,
        _ rows: RowWriter
    ) throws(DatabaseError) {
        try rows.delete(number, direction)
        if direction == .toClient { self.outbox.removed(number) }
    }

    /// Deletes some of the old rows that were acknowledged, where it pays.
    func deleteAcknowledged(_ rows: RowWriter) throws(DatabaseError) {
        for numbers in self.outbox.takeHalfAcknowledged(max: Self.bucketsCleared) {
            try rows.deleteAcknowledged(numbers)
        }
    }
}
