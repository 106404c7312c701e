import Testing

@testable import RelayStore

struct SlabTests {
    @Test func `keeps every value in its place through growth and removal`() {
        var slab = Slab(vacant: 0)
        let slots = (1...1000).map { slab.insert($0) }
        for (value, slot) in zip(1...1000, slots) where value % 3 == 0 {
            #expect(slab.remove(slot) == value)
        }
        for (value, slot) in zip(1...1000, slots) {
            #expect(slab.contains(slot) == (value % 3 != 0))
            if value % 3 != 0 { #expect(slab[slot] == value) }
        }
        #expect(slab.count == 1000 - 333)
    }

    @Test func `uses vacant places before it grows`() {
        var slab = Slab(vacant: 0)
        let slots = (1...640).map { slab.insert($0) }
        for slot in slots { slab.remove(slot) }
        let again = (1...640).map { slab.insert($0) }
        #expect(Set(again) == Set(slots))
        #expect(slab.chunkCount == 10)
    }

    @Test func `gives vacant chunks back and keeps the others`() {
        var slab = Slab(vacant: 0)
        let slots = (0..<640).map { slab.insert($0) }
        for slot in slots where slot != slots[200] { slab.remove(slot) }
        slab.releaseVacantChunks()
        #expect(slab.chunkCount == 4)
        #expect(slab[slots[200]] == 200)
        #expect(!slab.contains(slots[639]))
        #expect((0..<640).map { slab.insert($0) }.allSatisfy { slab.contains($0) })
        #expect(slab[slots[200]] == 200)
    }

    @Test func `says no to places that never were`() {
        let slab = Slab(vacant: 0)
        #expect(!slab.contains(0))
        #expect(!slab.contains(.max))
    }
}

struct SlotIndexTests {
    @Test func `finds what was put in and not what was taken out, as a dictionary does`() {
        var generator = SeededGenerator(seed: 7)
        var index = SlotIndex()
        var model: [UInt32: UInt64] = [:]
        for step in 0..<20_000 {
            // Few different hashes, so that runs of entries are long and wrap around.
            let slot = UInt32.random(in: 0..<200, using: &generator)
            if let hash = model[slot] {
                index.remove(hash, slot)
                model[slot] = nil
            } else {
                let hash = UInt64.random(in: 0..<40, using: &generator) &* 0x1_0000_0003
                index.insert(hash, slot)
                model[slot] = hash
            }
            if step % 1000 == 0 { index.shrinkIfSparse() }
            #expect(index.count == model.count)
            for (slot, hash) in model where index.find(hash, where: { $0 == slot }) == nil {
                Issue.record("slot \(slot) is lost at step \(step)")
                return
            }
        }
        for (slot, hash) in model { index.remove(hash, slot) }
        #expect((0..<40).allSatisfy { index.find($0 &* 0x1_0000_0003) { _ in true } == nil })
    }

    @Test func `does nothing for an entry that it does not have`() {
        var index = SlotIndex()
        index.remove(1, 1)
        index.insert(1, 1)
        index.remove(1, 2)
        index.remove(2, 1)
        #expect(index.find(1) { $0 == 1 } == 1)
    }
}

struct ShortListTests {
    @Test func `is a list`() {
        var generator = SeededGenerator(seed: 3)
        var list = ShortList<Int>()
        var model: [Int] = []
        for value in 0..<5000 {
            if model.isEmpty || Bool.random(using: &generator) && model.count < 6 {
                list.append(value)
                model.append(value)
            } else if Bool.random(using: &generator) {
                let place = Int.random(in: model.indices, using: &generator)
                #expect(list.remove(at: place) == model.remove(at: place))
            } else {
                let place = Int.random(in: model.indices, using: &generator)
                list[place] = value
                model[place] = value
            }
            #expect(list.indices.map { list[$0] } == model)
            #expect(list.isEmpty == model.isEmpty)
        }
    }
}

struct PacketQueueTests {
    private func packet(_ number: PacketNumber) -> StoredPacket {
        StoredPacket(.empty, number: number, storedAt: 0)
    }

    @Test func `takes packets out in order, from the head or from behind it`() {
        var packets = Slab(vacant: StoredPacket.vacant)
        var queue = PacketQueue()
        for number in 1...5 { queue.append(self.packet(PacketNumber(number)), in: &packets) }
        #expect(queue.second(in: packets)?.number == 2)
        #expect(queue.removeSecond(from: &packets)?.number == 2)
        #expect(queue.removeHead(from: &packets)?.number == 1)
        #expect(queue.removeSecond(from: &packets)?.number == 4)
        #expect(queue.removeSecond(from: &packets)?.number == 5)
        #expect(queue.removeSecond(from: &packets) == nil)
        queue.append(self.packet(6), in: &packets)
        #expect(queue.removeHead(from: &packets)?.number == 3)
        #expect(queue.removeHead(from: &packets)?.number == 6)
        #expect(queue.removeHead(from: &packets) == nil)
        #expect(packets.count == 0)
    }

    @Test func `a packet takes 32 bytes and a queue 12`() {
        #expect(MemoryLayout<StoredPacket>.stride == 32)
        #expect(MemoryLayout<PacketQueue>.stride == 12)
    }
}
