import Testing

@testable import RelayStore

struct SlabTests {
    @Test func `keeps every value in its place through growth and removal`() {
        var slab = Slab<[Int]>()
        var slots: [UInt32] = []
        for value in 0..<1000 { slots.append(slab.insert([value])) }
        for value in 0..<1000 where value % 3 == 0 {
            let removed = slab.remove(slots[value])
            #expect(removed == [value])
        }
        for value in 0..<1000 {
            let isThere = slab.contains(slots[value])
            #expect(isThere == (value % 3 != 0))
            guard isThere else { continue }
            slab[slots[value]].append(value)
            let changed = slab[slots[value]]
            #expect(changed == [value, value])
        }
        let count = slab.count
        #expect(count == 1000 - 334)
    }

    @Test func `uses vacant places before it grows`() {
        var slab = Slab<Int>()
        var slots: Set<UInt32> = []
        for value in 0..<640 { slots.insert(slab.insert(value)) }
        for slot in slots { slab.remove(slot) }
        var again: Set<UInt32> = []
        for value in 0..<640 { again.insert(slab.insert(value)) }
        let chunks = slab.chunkCount
        #expect(again == slots)
        #expect(chunks == 10)
    }

    @Test func `gives vacant chunks back and keeps the others`() {
        var slab = Slab<Int>()
        var slots: [UInt32] = []
        for value in 0..<640 { slots.append(slab.insert(value)) }
        for slot in slots where slot != slots[200] { slab.remove(slot) }
        slab.releaseVacantChunks()
        let (chunks, isGone) = (slab.chunkCount, !slab.contains(slots[639]))
        #expect(chunks == 4)
        #expect(isGone)
        for value in 0..<640 {
            let isThere = slab.insertIsThere(value)
            #expect(isThere)
        }
        let kept = slab[slots[200]]
        #expect(kept == 200)
    }

    @Test func `keeps no value alive that was taken out, nor any after its own end`() {
        final class Value: Sendable {}
        weak var first: Value?
        weak var second: Value?
        do {
            var slab = Slab<Value>()
            let values = (Value(), Value())
            (first, second) = values
            let slot = slab.insert(values.0)
            _ = slab.insert(values.1)
            slab.remove(slot)
        }
        #expect(first == nil)
        #expect(second == nil)
    }

    @Test func `says no to places that never were`() {
        let slab = Slab<Int>()
        let answers = [slab.contains(0), slab.contains(.max)]
        #expect(answers == [false, false])
    }
}

extension Slab<Int> {
    fileprivate mutating func insertIsThere(_ value: Int) -> Bool {
        let slot = self.insert(value)
        return self.contains(slot) && self[slot] == value
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
    @Test func `takes packets out in order, from the head or from behind it`() {
        var packets = Slab<StoredPacket>()
        var queue = PacketQueue()
        for number: UInt64 in 1...5 {
            queue.append(
                StoredPacket(.empty, number: number, storedAt: number * 10),
                in: &packets
            )
        }
        let (head, second) = (
            queue.headStoredAt(in: packets), queue.secondStoredAt(in: packets)
        )
        #expect(head == 10)
        #expect(second == 20)
        var taken: [PacketNumber?] = []
        taken.append(queue.removeSecond(from: &packets)?.number)
        taken.append(queue.removeHead(from: &packets)?.number)
        for _ in 0..<3 { taken.append(queue.removeSecond(from: &packets)?.number) }
        queue.append(StoredPacket(.empty, number: 6, storedAt: 60), in: &packets)
        for _ in 0..<3 { taken.append(queue.removeHead(from: &packets)?.number) }
        let left = packets.count
        #expect(taken == [2, 1, 4, 5, nil, 3, 6, nil])
        #expect(left == 0)
    }

    @Test func `a packet takes 32 bytes, a queue 12, a client's record 200`() {
        #expect(MemoryLayout<StoredPacket>.stride == 32)
        #expect(MemoryLayout<PacketQueue>.stride == 12)
        #expect(MemoryLayout<ClientRecord>.stride == 200)
    }
}
