/// Finds slots of a slab by a hash: 8 bytes an entry, open addressing, at most three quarters full.
///
/// An entry is half of the hash and the slot: `tag << 32 | slot`. Which of several slots with the
/// same tag is meant, the caller decides by looking at what stands there.
struct SlotIndex: Sendable {
    /// A power of two of entries, or none.
    private var entries: [UInt64] = []

    /// How many slots can be found.
    private(set) var count = 0

    private static var vacant: UInt64 { .max }
    private static var entriesMin: Int { 8 }

    /// The slot under `hash` that `isMeant` says yes to.
    func find(_ hash: UInt64, where isMeant: (UInt32) -> Bool) -> UInt32? {
        guard !self.entries.isEmpty else { return nil }
        let mask = self.entries.count - 1
        let tag = hash & 0xFFFF_FFFF
        var place = Int(tag) & mask
        while self.entries[place] != Self.vacant {
            let slot = UInt32(truncatingIfNeeded: self.entries[place])
            if self.entries[place] >> 32 == tag, isMeant(slot) { return slot }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Makes `slot` known under `hash`.
    mutating func insert(_ hash: UInt64, _ slot: UInt32) {
        if (self.count + 1) * 4 > self.entries.count * 3 {
            self.resize(to: max(Self.entriesMin, self.entries.count * 2))
        }
        self.place((hash & 0xFFFF_FFFF) << 32 | UInt64(slot))
        self.count += 1
    }

    /// Forgets `slot`, which is known under `hash`.
    ///
    /// Does nothing if it is not.
    mutating func remove(_ hash: UInt64, _ slot: UInt32) {
        guard !self.entries.isEmpty else { return }
        let mask = self.entries.count - 1
        let entry = (hash & 0xFFFF_FFFF) << 32 | UInt64(slot)
        var hole = self.home(of: entry)
        while self.entries[hole] != entry {
            if self.entries[hole] == Self.vacant { return }
            hole = (hole + 1) & mask
        }
        self.count -= 1
        // What follows moves up, unless that took it before its home.
        var place = (hole + 1) & mask
        while self.entries[place] != Self.vacant {
            let home = self.home(of: self.entries[place])
            if (place - home) & mask >= (place - hole) & mask {
                self.entries[hole] = self.entries[place]
                hole = place
            }
            place = (place + 1) & mask
        }
        self.entries[hole] = Self.vacant
    }

    /// Gives memory back if less than an eighth of it is used.
    mutating func shrinkIfSparse() {
        guard self.count * 8 < self.entries.count, self.entries.count > Self.entriesMin else {
            return
        }
        var size = Self.entriesMin
        while self.count * 2 > size { size *= 2 }
        self.resize(to: size)
    }

    private func home(of entry: UInt64) -> Int {
        Int(entry >> 32) & (self.entries.count - 1)
    }

    private mutating func place(_ entry: UInt64) {
        var place = self.home(of: entry)
        while self.entries[place] != Self.vacant {
            place = (place + 1) & (self.entries.count - 1)
        }
        self.entries[place] = entry
    }

    private mutating func resize(to size: Int) {
        let old = self.entries
        self.entries = Array(repeating: Self.vacant, count: size)
        for entry in old where entry != Self.vacant { self.place(entry) }
    }
}
