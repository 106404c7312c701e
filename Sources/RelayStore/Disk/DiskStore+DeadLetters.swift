/// The contents of dead letters, which are in the file alone after a restart.
extension DiskStore {
    /// What a dead letter carries; nil if the file does not have it, or cannot be read.
    ///
    /// Reads the file on the calling thread, which is none of an event loop.
    package func contents(ofDeadLetter id: UInt64) -> PacketContents? {
        do throws(DatabaseError) {
            let database = try Database(path: self.folder.database, .reading)
            let row = try database.prepare("SELECT head, body FROM dead WHERE id = \(id)")
            guard try row.step() else { return nil }
            var bytes = row.bytes(0)
            let headerCount = bytes.count
            bytes += row.bytes(1)
            return PacketContents(bytes: bytes, headerCount: headerCount)
        } catch {
            self.report(.readFailed(error.description))
            return nil
        }
    }
}
