/// Names an exchange on its loop: slot and generation in one word.
///
/// A stale one is refused, never followed.
package struct ExchangeHandle: Hashable, Sendable {
    /// As the store and messages carry it.
    package let rawValue: UInt64

    /// A handle that came back from the store or by message.
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A handle that every table refuses.
    package static let none = ExchangeHandle(rawValue: .max)
}

/// The exchanges of one event loop that others may answer to.
///
/// Bound to its loop.
package final class ExchangeTable {
    /// A place for one exchange after another.
    private struct Slot {
        /// The exchange that has it; nil if it is free.
        var exchange: Exchange?
        /// How many exchanges have had it; tells them apart.
        var generation: UInt32 = 0
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    /// How many exchanges have a name.
    package var count: Int { self.slots.count - self.free.count }

    /// An empty table.
    package init() {}

    /// The exchange of `handle`; nil if it is over.
    package subscript(_ handle: ExchangeHandle) -> Exchange? {
        guard let index = self.index(of: handle) else { return nil }
        return self.slots[index].exchange
    }

    /// Gives an exchange a name.
    func insert(_ exchange: Exchange) -> ExchangeHandle {
        let slot: UInt32
        if let last = self.free.popLast() {
            slot = last
        } else {
            slot = UInt32(truncatingIfNeeded: self.slots.count)
            self.slots.append(Slot())
        }
        self.slots[Int(slot)].exchange = exchange
        return ExchangeHandle(
            rawValue: UInt64(self.slots[Int(slot)].generation) << 32 | UInt64(slot)
        )
    }

    /// Takes a name back; a stale one is left alone.
    func remove(_ handle: ExchangeHandle) {
        guard let index = self.index(of: handle) else { return }
        self.slots[index].exchange = nil
        self.slots[index].generation &+= 1
        self.free.append(UInt32(truncatingIfNeeded: index))
    }

    private func index(of handle: ExchangeHandle) -> Int? {
        let index = Int(truncatingIfNeeded: handle.rawValue & 0xffff_ffff)
        guard index < self.slots.count else { return nil }
        return self.slots[index].generation == UInt32(truncatingIfNeeded: handle.rawValue >> 32)
            ? index : nil
    }
}

@available(*, unavailable) extension ExchangeTable: Sendable {}
