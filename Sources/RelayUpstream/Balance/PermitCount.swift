/// A target's connections that may still be opened, and the loops that wait for one: one machine word,
/// so that all loops share it as an atomic.
///
/// Both stand in one word so that no loop can begin to wait while another gives the last permit back
/// without either seeing the other. Never are there free permits and waiters at once.
struct PermitCount: Equatable, Sendable {
    /// Free permits in the upper half, waiters in the lower.
    private(set) var word: UInt64

    /// What the atomic holds.
    init(word: UInt64) { self.word = word }

    /// `permits` are free, nobody waits.
    init(permits: Int) {
        self.word = UInt64(UInt32(clamping: permits)) << 32
    }

    /// Permits that may be taken.
    var free: Int { Int(self.word >> 32) }

    /// Who waits for one.
    var waiters: Int { Int(self.word & 0xFFFF_FFFF) }

    /// Takes a permit; false if none is free.
    mutating func take() -> Bool {
        guard self.free > 0 else { return false }
        self.word -= 1 << 32
        return true
    }

    /// Takes a permit, or else waits for one; whether it was taken.
    mutating func takeOrWait() -> Bool {
        if self.take() { return true }
        self.word += 1
        return false
    }

    /// A permit comes back; whether it goes to a waiter, who does not wait any more, and not to the free.
    mutating func giveBack() -> Bool {
        if self.waiters > 0 {
            self.word -= 1
            return true
        }
        self.word += 1 << 32
        return false
    }
}
