/// Bytes, first in first out.
struct ByteQueue {
    private var storage: [UInt8] = []
    private var head = 0

    /// How many bytes there are.
    var count: Int { self.storage.count - self.head }

    /// Appends `bytes`.
    mutating func append(_ bytes: ArraySlice<UInt8>) {
        self.storage.append(contentsOf: bytes)
    }

    /// Takes the first `count` bytes, which must be there.
    mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let taken = self.storage[self.head..<self.head + count]
        self.head += count
        if self.head == self.storage.count {
            self.storage = []
            self.head = 0
        } else if self.head > 65_536, self.head > self.storage.count / 2 {
            self.storage.removeFirst(self.head)
            self.head = 0
        }
        return taken
    }

    /// Drops the last bytes so that `count` remain.
    mutating func truncate(to count: Int) {
        self.storage.removeLast(max(0, self.count - count))
    }
}
