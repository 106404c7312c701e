import Testing

@testable import RelayStore

/// When the rows of acknowledged packets go.
struct OutboxBucketTests {
    private func buckets(rows: PacketNumber) -> OutboxBuckets {
        var buckets = OutboxBuckets()
        for number in 1...rows { buckets.inserted(number * 10) }
        return buckets
    }

    @Test func `the newest rows are those of the last buckets`() {
        #expect(self.buckets(rows: 5000).newestFirst == nil)
        #expect(self.buckets(rows: 5120).newestFirst == 10_250)
        #expect(self.buckets(rows: 5121).newestFirst == 10_250)
        var buckets = self.buckets(rows: 6144)
        #expect(buckets.newestFirst == 20_490)
        for number in PacketNumber(2049)...3072 { buckets.removed(number * 10) }
        #expect(buckets.newestFirst == 10_250)
    }

    @Test func `a bucket is cleared when half of its rows are acknowledged`() {
        var buckets = self.buckets(rows: 4096)
        for number in PacketNumber(1)...511 { buckets.acknowledged(number * 10) }
        #expect(buckets.takeHalfAcknowledged(max: 2) == [])
        buckets.acknowledged(5120)
        #expect(buckets.acknowledgedCount == 512)
        #expect(buckets.takeHalfAcknowledged(max: 2) == [10...10_240])
        #expect(buckets.acknowledgedCount == 0)
        #expect(buckets.takeHalfAcknowledged(max: 2) == [])
        for number in PacketNumber(513)...768 { buckets.acknowledged(number * 10) }
        #expect(buckets.takeHalfAcknowledged(max: 2) == [10...10_240])
    }

    @Test func `no more are cleared at once than may`() {
        var buckets = self.buckets(rows: 4096)
        for number in PacketNumber(1)...3072 { buckets.acknowledged(number * 10) }
        #expect(buckets.takeHalfAcknowledged(max: 2).count == 2)
        #expect(buckets.takeHalfAcknowledged(max: 2).count == 1)
        #expect(buckets.takeHalfAcknowledged(max: 2) == [])
        #expect(buckets == self.last(of: 4096))
    }

    @Test func `numbers that are nowhere count for nothing`() {
        var buckets = self.buckets(rows: 2048)
        for number in [0, 10_245, 99_999] as [PacketNumber] {
            buckets.acknowledged(number)
            buckets.removed(number)
        }
        #expect(buckets == self.buckets(rows: 2048))
    }

    /// The last bucket of so many rows, as if the others had never been.
    private func last(of rows: PacketNumber) -> OutboxBuckets {
        var buckets = OutboxBuckets()
        for number in rows - 1023...rows { buckets.inserted(number * 10) }
        return buckets
    }
}
