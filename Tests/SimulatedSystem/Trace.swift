import RelayEngine

/// What happened, as lines for people: the last ones kept, all of them hashed.
///
/// Two runs of one seed did the same if their hashes are equal.
package final class Trace {
    /// A hash of all lines so far (FNV-1a, 64 bits).
    package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    /// How many lines there were.
    package private(set) var count = 0
    /// The last lines, a ring.
    private var ring: [String] = []
    private let capacity: Int

    /// Keeps the last `capacity` lines.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    /// The lines kept, the oldest first.
    package var lines: [String] {
        guard self.ring.count == self.capacity else { return self.ring }
        let start = self.count % self.capacity
        return Array(self.ring[start...] + self.ring[..<start])
    }

    /// Forgets the lines; the hash stays.
    func clear() {
        self.ring = []
    }

    /// Adds a line.
    func add(_ line: String, at time: MonotonicTime) {
        let whole = "\(Self.stamp(time)) \(line)"
        for byte in whole.utf8 {
            self.hash = (self.hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        if self.ring.count < self.capacity {
            self.ring.append(whole)
        } else {
            self.ring[self.count % self.capacity] = whole
        }
        self.count += 1
    }

    /// Seconds and microseconds: `3600.000125`.
    private static func stamp(_ time: MonotonicTime) -> String {
        let micros = time.nanoseconds / 1000
        let fraction = String(micros % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.count)
        return "\(micros / 1_000_000).\(zeros)\(fraction)"
    }
}
