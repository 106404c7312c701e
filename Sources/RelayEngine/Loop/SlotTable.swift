/// The sources of a loop by number, so that an event finds its source and a stale one finds nothing.
struct SlotTable {
    private struct Slot {
        var source: EventSource?
        /// Counts the sources that have had the slot.
        var generation: UInt32
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    /// Gives `source` a slot; returns what epoll is to report with its events.
    mutating func insert(_ source: EventSource) -> UInt64 {
        if let slot = self.free.popLast() {
            source.slot = slot
            self.slots[Int(slot)].source = source
        } else {
            source.slot = UInt32(self.slots.count)
            self.slots.append(Slot(source: source, generation: 1))
        }
        return UInt64(self.generation(of: source.slot)) << 32 | UInt64(source.slot)
    }

    /// Takes the slot back; events and handles of before are stale from now on.
    mutating func remove(_ source: EventSource) {
        guard source.slot != .max else { return }
        self.slots[Int(source.slot)].source = nil
        self.slots[Int(source.slot)].generation &+= 1
        self.free.append(source.slot)
        source.slot = .max
    }

    /// The source with this slot and generation; nil if it is gone.
    func source(slot: UInt32, generation: UInt32) -> EventSource? {
        guard slot < self.slots.count else { return nil }
        guard self.slots[Int(slot)].generation == generation else { return nil }
        return self.slots[Int(slot)].source
    }

    /// The generation of a slot; 0 if there is none.
    func generation(of slot: UInt32) -> UInt32 {
        slot < self.slots.count ? self.slots[Int(slot)].generation : 0
    }
}
