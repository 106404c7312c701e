/// Which rows of the outbox have been acknowledged and are in the file still, counted in buckets of rows.
///
/// Deleting a row changes its page, and old rows of one client lie on as many pages as there are rows. So of
/// those that are not among the newest only the client's last number is written, and a bucket whose rows are at
/// least half acknowledged loses these in one go.
///
/// A bucket is about 40 bytes for 1024 rows. What is counted decides only when rows go; which ones do, the file
/// knows by itself.
struct OutboxBuckets: Sendable, Equatable {
    /// In the order of numbers; each has rows.
    private var buckets: [Bucket] = []

    /// Acknowledged rows that are in the file, of all buckets.
    private(set) var acknowledgedCount = 0

    private struct Bucket: Sendable, Equatable {
        let first: PacketNumber
        var last: PacketNumber
        /// Rows that were ever in it.
        var inserted: Int
        /// Rows in the file.
        var rows: Int
        /// Those of them that are acknowledged.
        var acknowledged = 0

        var isHalfAcknowledged: Bool {
            self.acknowledged > 0 && self.acknowledged * 2 >= self.rows
        }
    }

    /// How many rows a bucket has at first.
    static let bucketRows = 1024

    /// Of so many of the newest rows each is deleted when it is acknowledged: their pages are in memory, and
    /// are written more than once as it is.
    static let newestRows = 4096

    /// A row was added behind all others.
    mutating func inserted(_ number: PacketNumber) {
        guard let last = self.buckets.indices.last,
            self.buckets[last].inserted < Self.bucketRows
        else {
            self.buckets.append(Bucket(first: number, last: number, inserted: 1, rows: 1))
            return
        }
        self.buckets[last].last = number
        self.buckets[last].inserted += 1
        self.buckets[last].rows += 1
    }

    /// A row that was not acknowledged was deleted.
    mutating func removed(_ number: PacketNumber) {
        guard let index = self.index(of: number) else { return }
        self.buckets[index].rows -= 1
        if self.buckets[index].rows <= 0 { self.remove(index) }
    }

    /// A row stays in the file though its packet is gone.
    mutating func acknowledged(_ number: PacketNumber) {
        guard let index = self.index(of: number) else { return }
        self.buckets[index].acknowledged += 1
        self.acknowledgedCount += 1
    }

    /// Where the buckets of the newest rows begin; nil if these are all.
    var newestFirst: PacketNumber? {
        var rows = 0
        for index in self.buckets.indices.reversed() {
            rows += self.buckets[index].rows
            if rows >= Self.newestRows { return index == 0 ? nil : self.buckets[index].first }
        }
        return nil
    }

    /// The numbers of up to `max` buckets that are at least half acknowledged, whose acknowledged rows are to be
    /// deleted now.
    mutating func takeHalfAcknowledged(max: Int) -> [ClosedRange<PacketNumber>] {
        guard self.acknowledgedCount > 0 else { return [] }
        var taken: [Int] = []
        for index in self.buckets.indices where self.buckets[index].isHalfAcknowledged {
            taken.append(index)
            if taken.count == max { break }
        }
        var ranges: [ClosedRange<PacketNumber>] = []
        for index in taken.reversed() {
            ranges.append(self.buckets[index].first...self.buckets[index].last)
            self.buckets[index].rows -= self.buckets[index].acknowledged
            self.acknowledgedCount -= self.buckets[index].acknowledged
            self.buckets[index].acknowledged = 0
            if self.buckets[index].rows <= 0 { self.remove(index) }
        }
        return ranges
    }

    private mutating func remove(_ index: Int) {
        self.acknowledgedCount -= self.buckets[index].acknowledged
        self.buckets.remove(at: index)
    }

    /// The bucket that a number falls into.
    private func index(of number: PacketNumber) -> Int? {
        var low = 0
        var high = self.buckets.count
        while low < high {
            let middle = (low + high) / 2
            if self.buckets[middle].last < number { low = middle + 1 } else { high = middle }
        }
        return low < self.buckets.count && self.buckets[low].first <= number ? low : nil
    }
}
