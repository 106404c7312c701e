/// Values in places that keep their number, in chunks of 64 that never move.
///
/// Growing copies nothing, and a chunk that has become vacant gives its memory back when
/// `releaseVacantChunks` is called.
struct Slab<Element: Sendable>: Sendable {
    /// How many places a chunk has: one for each bit of `Chunk.occupied`.
    static var chunkSize: Int { UInt64.bitWidth }

    /// What stands in a place that holds nothing, so that it keeps nothing alive.
    private let vacant: Element

    private var chunks: [Chunk] = []

    /// The chunks that have a vacant place; the last one is filled first.
    private var chunksWithRoom: [Int] = []

    /// How many values there are.
    private(set) var count = 0

    private struct Chunk: Sendable {
        /// All places, or none while the chunk has given its memory back.
        var elements: [Element] = []
        /// Bit `n` stands for place `n`.
        var occupied: UInt64 = 0
    }

    /// A slab without values.
    ///
    /// - Parameter vacant: a value that owns no memory.
    init(vacant: Element) {
        self.vacant = vacant
    }

    /// How many chunks there are, for walks that stop in between.
    var chunkCount: Int { self.chunks.count }

    /// The occupied places of a chunk, as bits.
    func occupied(inChunk chunk: Int) -> UInt64 {
        chunk < self.chunks.count ? self.chunks[chunk].occupied : 0
    }

    /// Whether the place holds a value.
    ///
    /// Any number may be asked.
    func contains(_ slot: UInt32) -> Bool {
        let (chunk, place) = Self.position(of: slot)
        return chunk < self.chunks.count && self.chunks[chunk].occupied & (1 << place) != 0
    }

    /// The value in an occupied place.
    subscript(slot: UInt32) -> Element {
        _read {
            let (chunk, place) = Self.position(of: slot)
            yield self.chunks[chunk].elements[place]
        }
        _modify {
            let (chunk, place) = Self.position(of: slot)
            yield &self.chunks[chunk].elements[place]
        }
    }

    /// Puts a value into a vacant place.
    mutating func insert(_ element: consuming Element) -> UInt32 {
        let chunk: Int
        if let last = self.chunksWithRoom.last {
            chunk = last
        } else {
            chunk = self.chunks.count
            self.chunks.append(Chunk())
            self.chunksWithRoom.append(chunk)
        }
        if self.chunks[chunk].elements.isEmpty {
            self.chunks[chunk].elements = Array(repeating: self.vacant, count: Self.chunkSize)
        }
        let place = (~self.chunks[chunk].occupied).trailingZeroBitCount
        self.chunks[chunk].elements[place] = element
        self.chunks[chunk].occupied |= 1 << place
        if self.chunks[chunk].occupied == .max { self.chunksWithRoom.removeLast() }
        self.count += 1
        return UInt32(chunk * Self.chunkSize + place)
    }

    /// Takes the value out of an occupied place.
    @discardableResult
    mutating func remove(_ slot: UInt32) -> Element {
        let (chunk, place) = Self.position(of: slot)
        if self.chunks[chunk].occupied == .max { self.chunksWithRoom.append(chunk) }
        self.chunks[chunk].occupied &= ~(1 << place)
        self.count -= 1
        var element = self.vacant
        swap(&element, &self.chunks[chunk].elements[place])
        return element
    }

    /// Gives back the memory of chunks without values.
    ///
    /// Values keep their places.
    mutating func releaseVacantChunks() {
        while let last = self.chunks.last, last.occupied == 0 {
            self.chunks.removeLast()
        }
        self.chunksWithRoom.removeAll(keepingCapacity: true)
        for chunk in self.chunks.indices.reversed() where self.chunks[chunk].occupied != .max {
            self.chunksWithRoom.append(chunk)
            if self.chunks[chunk].occupied == 0 { self.chunks[chunk].elements = [] }
        }
        if self.chunks.isEmpty {
            self.chunks = []
            self.chunksWithRoom = []
        }
    }

    private static func position(of slot: UInt32) -> (chunk: Int, place: Int) {
        (Int(slot) / Self.chunkSize, Int(slot) % Self.chunkSize)
    }
}

/// The places of the bits that are set, lowest first.
struct SetBits: Sequence, IteratorProtocol {
    private var bits: UInt64

    /// The set bits of `bits`.
    init(_ bits: UInt64) { self.bits = bits }

    mutating func next() -> Int? {
        guard self.bits != 0 else { return nil }
        defer { self.bits &= self.bits &- 1 }
        return self.bits.trailingZeroBitCount
    }
}
