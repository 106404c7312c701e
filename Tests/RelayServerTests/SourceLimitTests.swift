import RelayConfig
import RelayPipeline
import Testing

struct SourceCountTests {
    private let one = IPAddress.v4(0x0A00_0001)
    private let other = IPAddress.v4(0x0A00_0002)

    @Test func `counts each address for itself, up to the limit`() {
        let counts = SourceCounts()
        #expect(counts.add(self.one, max: 2) && counts.add(self.one, max: 2))
        #expect(!counts.add(self.one, max: 2))
        #expect(counts.add(self.other, max: 2))
        counts.remove(self.one)
        #expect(counts.add(self.one, max: 2))
        #expect(!counts.add(self.one, max: 2))
    }

    @Test func `counts all of a 64 of IPv6 together`() {
        let counts = SourceCounts()
        let prefix: UInt64 = 0x2001_0db8_0000_0001
        #expect(counts.add(.v6(high: prefix, low: 1), max: 1))
        #expect(!counts.add(.v6(high: prefix, low: 2), max: 1))
        #expect(counts.add(.v6(high: prefix + 1, low: 1), max: 1))
        counts.remove(.v6(high: prefix, low: 3))
        #expect(counts.add(.v6(high: prefix, low: 4), max: 1))
    }

    @Test func `one more that leaves than came does no harm`() {
        let counts = SourceCounts()
        counts.remove(self.one)
        #expect(counts.add(self.one, max: 1))
    }
}
