import RelayHTTP
import RelayStore

/// The keys of fetched packets that have been dealt with and whose target does not know it: they are said to it,
/// with `Stored`, until a request that said them was answered.
struct StoredKeys {
    /// How many are kept for a target; the oldest is forgotten then, and its packet, which its backend gives
    /// again, has it said again.
    static let countMax = 1024

    /// How many are said in one request.
    static let saidMax = 32

    private var keys: [[UInt8]] = []

    var isEmpty: Bool { self.keys.isEmpty }

    /// A packet of this key has been dealt with, perhaps again.
    mutating func insert(_ key: [UInt8]) {
        guard !self.keys.contains(key) else { return }
        if self.keys.count == Self.countMax { self.keys.removeFirst() }
        self.keys.append(key)
    }

    /// Appends the field for a request, with the oldest keys.
    ///
    /// - Returns: those that it says, for `answered`.
    func appendField(to fields: inout [UInt8]) -> [[UInt8]] {
        let said = Array(self.keys.prefix(Self.saidMax))
        let value = [UInt8](said.joined(separator: [0x2C, 0x20]))
        fields.appendField(.stored, value.span)
        return said
    }

    /// A request that said these was answered.
    mutating func answered(_ said: [[UInt8]]) {
        self.keys.removeAll { said.contains($0) }
    }
}

/// A target by its pool.
struct FetchTarget: Hashable {
    let pool: PoolID
    let target: Int
}
