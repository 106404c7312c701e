/// The rows of what clients have acknowledged.
extension RowWriter {
    /// The client has the packets of all its rows up to this number.
    func setAcknowledged(
        upTo number: PacketNumber,
        by name: ClientName,
        in realm: RealmID
    ) throws(DatabaseError) {
        try self.setAcknowledged.bind(1, self.client(name, in: realm))
        try self.setAcknowledged.bind(2, number)
        try self.setAcknowledged.run()
    }

    /// The rows with these numbers go that were acknowledged.
    func deleteAcknowledged(_ numbers: ClosedRange<PacketNumber>) throws(DatabaseError) {
        try self.deleteAcknowledged.bind(1, numbers.lowerBound)
        try self.deleteAcknowledged.bind(2, numbers.upperBound)
        try self.deleteAcknowledged.run()
    }
}
