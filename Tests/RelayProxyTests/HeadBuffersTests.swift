import Testing

@testable import RelayProxy

struct HeadBuffersTests {
    @Test func `gives out again what was given back, empty`() {
        let buffers = HeadBuffers()
        var buffer = buffers.take()
        buffer.reserveCapacity(1000)
        buffer.append(1)
        buffers.giveBack(&buffer)
        #expect(buffer.isEmpty)
        let again = buffers.take()
        #expect(again.isEmpty && again.capacity >= 1000)
        #expect(buffers.take().capacity == 0)
    }

    @Test func `keeps neither many nor large ones`() {
        let buffers = HeadBuffers()
        var large = [UInt8](repeating: 0, count: 1 << 20)
        buffers.giveBack(&large)
        #expect(buffers.take().capacity == 0)
        for _ in 0..<1000 {
            var buffer: [UInt8] = [1]
            buffers.giveBack(&buffer)
        }
        let kept = (0..<1000).count(where: { _ in buffers.take().capacity > 0 })
        #expect(kept > 0 && kept < 1000)
    }
}
