/// Values in places that keep their number, in chunks of 64 that never move.
///
/// Growing copies nothing, and a chunk that has become vacant gives its memory back when
/// `releaseVacantChunks` is called. The slab owns its memory itself, because reading a field of an
/// array's element copies the element, with a retain for each reference in it. Every access checks
/// that its place is occupied: to reach for a vacant one is a mistake of the caller and ends the
/// process.
@safe
struct Slab<Element: Sendable>: ~Copyable {
    /// How many places a chunk has: one for each bit of `Chunk.occupied`.
    static var chunkSize: Int { UInt64.bitWidth }

    private var chunks: [Chunk] = []

    /// The chunks that have a vacant place; the last one is filled first.
    private var chunksWithRoom: [Int] = []

    /// How many values there are.
    private(set) var count = 0

    @safe
    private struct Chunk {
        /// Memory for all places, or none while there are no values.
        var memory: UnsafeMutablePointer<Element>?
        /// Bit `n` stands for place `n`, whose memory is initialized if it is set.
        var occupied: UInt64 = 0
    }

    /// A slab without values.
    init() {}

    deinit {
        for chunk in self.chunks {
            guard let memory = unsafe chunk.memory else { continue }
            for place in SetBits(chunk.occupied) { unsafe (memory + place).deinitialize(count: 1) }
            unsafe memory.deallocate()
        }
    }

    /// How many chunks there are, for walks that stop in between.
    var chunkCount: Int { self.chunks.count }

    /// The occupied places of a chunk, as bits.
    func occupied(inChunk chunk: Int) -> UInt64 {
        chunk < self.chunks.count ? self.chunks[chunk].occupied : 0
    }

    /// Whether the place holds a value.
    ///
    /// Any number may be asked for.
    @inline(__always)
    func contains(_ slot: UInt32) -> Bool {
        let (chunk, place) = Self.position(of: slot)
        return chunk < self.chunks.count && self.chunks[chunk].occupied & (1 &<< place) != 0
    }

    /// The value in an occupied place.
    subscript(slot: UInt32) -> Element {
        _read {
            let value = unsafe self.pointer(to: slot)
            yield unsafe value.pointee
        }
        _modify {
            let value = unsafe self.pointer(to: slot)
            yield unsafe &value.pointee
        }
    }

    /// Puts a value into a vacant place.
    mutating func insert(_ element: consuming Element) -> UInt32 {
        if self.chunksWithRoom.isEmpty {
            self.chunksWithRoom.append(self.chunks.count)
            self.chunks.append(Chunk())
        }
        let chunk = self.chunksWithRoom[self.chunksWithRoom.count - 1]
        let place = (~self.chunks[chunk].occupied).trailingZeroBitCount
        let memory =
            unsafe self.chunks[chunk].memory ?? .allocate(capacity: Self.chunkSize)
        unsafe (memory + place).initialize(to: element)
        unsafe self.chunks[chunk].memory = memory
        self.chunks[chunk].occupied |= 1 << place
        if self.chunks[chunk].occupied == .max { self.chunksWithRoom.removeLast() }
        self.count += 1
        return UInt32(chunk * Self.chunkSize + place)
    }

    /// Takes the value out of an occupied place.
    @discardableResult
    mutating func remove(_ slot: UInt32) -> Element {
        let element = unsafe self.pointer(to: slot).move()
        let (chunk, place) = Self.position(of: slot)
        if self.chunks[chunk].occupied == .max { self.chunksWithRoom.append(chunk) }
        self.chunks[chunk].occupied &= ~(1 << place)
        self.count -= 1
        return element
    }

    /// Gives back the memory of chunks without values.
    ///
    /// Values keep their places.
    mutating func releaseVacantChunks() {
        for chunk in self.chunks.indices where self.chunks[chunk].occupied == 0 {
            unsafe self.chunks[chunk].memory?.deallocate()
            unsafe self.chunks[chunk].memory = nil
        }
        while self.chunks.last?.occupied == 0 { self.chunks.removeLast() }
        self.chunksWithRoom = self.chunks.indices.reversed().filter {
            self.chunks[$0].occupied != .max
        }
        if self.chunks.isEmpty { self.chunks = [] }
    }

    /// Inlined, because an operation of the store reaches for its places dozens of times.
    @inline(__always)
    private func pointer(to slot: UInt32) -> UnsafeMutablePointer<Element> {
        let (index, place) = Self.position(of: slot)
        precondition(index < self.chunks.count, "the place is occupied")
        let chunk = self.chunks[index]
        guard chunk.occupied & (1 &<< place) != 0, let memory = unsafe chunk.memory else {
            preconditionFailure("the place is occupied, and a chunk with values has memory")
        }
        return unsafe memory + place
    }

    @inline(__always)
    private static func position(of slot: UInt32) -> (chunk: Int, place: Int) {
        let size = UInt32(Self.chunkSize)
        return (Int(slot / size), Int(slot % size))
    }
}

// Memory is reached only through the slab, which has one owner and can be used by one thread at a
// time; the values may go to another thread.
extension Slab: @unchecked Sendable {}

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
