import Glibc
import Logging
import Testing

@testable import RelayObservation

struct CounterTests {
    @Test func `sums what loops and other threads count`() {
        let counter = Counter(loops: 2)
        counter.add(loop: 0)
        counter.add(5, loop: 1)
        counter.addFromAnyThread(2)
        #expect(counter.value == 8)
    }

    @Test func `lets a gauge rise on one loop and fall on another`() {
        let gauge = Gauge(loops: 2)
        gauge.add(3, loop: 0)
        gauge.add(-5, loop: 1)
        #expect(gauge.value == -2)
        gauge.addFromAnyThread(2)
        #expect(gauge.value == 0)
    }

    @Test func `puts values at a bound below it`() {
        let histogram = Histogram(bounds: [10, 20], loops: 1)
        for value in [0, 10, 11, 20, 21, 1000] as [UInt64] { histogram.record(value, loop: 0) }
        histogram.recordFromAnyThread(5)
        let snapshot = histogram.snapshot()
        #expect(snapshot.counts == [3, 2, 2])
        #expect(snapshot.sum == 1067)
        #expect(snapshot.count == 7)
        #expect(Histogram.latencyBounds == Histogram.latencyBounds.sorted())
        #expect(Histogram.latencyBounds.prefix(3) == [100_000, 250_000, 500_000])
    }
}

struct LogRingTests {
    /// A pipe, closed at the end of the test.
    private final class Pipe {
        let reading: Int32
        let writing: Int32

        init() {
            var ends: [Int32] = [-1, -1]
            _ = unsafe pipe(&ends)
            self.reading = ends[0]
            self.writing = ends[1]
        }

        deinit {
            close(self.reading)
            close(self.writing)
        }

        func read() -> String {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe Glibc.read(self.reading, &bytes, bytes.count)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
    }

    @Test func `drops and counts what has no room, and goes on`() {
        let pipe = Pipe()
        let ring = LogRing(
            sink: .descriptor(pipe.writing),
            bytesMax: 10,
            startingWriter: false
        )
        ring.append(Array("12345\n".utf8).span)
        ring.append(Array("67890\n".utf8).span)
        ring.append(Array("abc\n".utf8).span)
        #expect(ring.dropped == 1)
        ring.drain()
        ring.append(Array("67890\n".utf8).span)
        ring.drain()
        #expect(pipe.read() == "12345\nabc\n67890\n")
        #expect(ring.dropped == 1)
    }

    @Test func `never makes anybody wait for a reader that stalls`() {
        let pipe = Pipe()
        let ring = LogRing(sink: .descriptor(pipe.writing), bytesMax: 100_000)
        let line = [UInt8](repeating: 0x61, count: 1000)
        // A pipe holds 64 KiB and nobody reads it.
        for _ in 0..<1000 { ring.append(line.span) }
        #expect(ring.dropped >= 1000 - 100 - 66 - 100)
        ring.close()
        var read = 0
        while read < (1000 - Int(ring.dropped)) * 1000 { read += pipe.read().utf8.count }
        ring.flush(timeout: .seconds(10))
        #expect(read == (1000 - Int(ring.dropped)) * 1000)
    }

    @Test func `writes to a new file after it was reopened`() throws {
        var template = Array("/tmp/relay-log-XXXXXX".utf8CString)
        _ = unsafe mkdtemp(&template)
        let directory = String(
            decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
        let path = directory + "/log"
        defer {
            unsafe unlink(path)
            unsafe unlink(path + ".1")
            unsafe rmdir(directory)
        }
        let ring = LogRing(sink: .file(path: path))
        ring.append(Array("before\n".utf8).span)
        ring.flush(timeout: .seconds(10))
        unsafe rename(path, path + ".1")
        ring.reopen()
        ring.append(Array("after\n".utf8).span)
        ring.flush(timeout: .seconds(10))
        ring.close()
        #expect(content(path + ".1") == "before\n")
        #expect(content(path) == "after\n")
    }

    private func content(_ path: String) -> String {
        let descriptor = unsafe open(path, O_RDONLY)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

struct LogLineTests {
    private let line = LogLine(
        nanoseconds: 1_769_860_800_123_000_000,
        level: .info,
        message: "packet stored",
        fields: ["pool": "app", "bytes": .stringConvertible(12), "note": "a \"b\"\n"]
    )

    @Test func `writes text for people`() {
        #expect(
            String(decoding: self.line.bytes(.text), as: UTF8.self)
                == #"2026-01-31T12:00:00.123Z info   packet stored bytes=12 note="a \"b\"\n" pool=app"#
                + "\n"
        )
    }

    @Test func `writes JSON for programs`() {
        #expect(
            String(decoding: self.line.bytes(.json), as: UTF8.self)
                == #"{"time":"2026-01-31T12:00:00.123Z","level":"info","message":"packet stored","#
                + #""bytes":12,"note":"a \"b\"\n","pool":"app"}"# + "\n"
        )
    }

    @Test func `lets no field take the place of the line's own`() {
        let line = LogLine(nanoseconds: 0, level: .error, message: "x", fields: ["level": "info"])
        let text = String(decoding: line.bytes(.json), as: UTF8.self)
        #expect(text.contains(#""level":"error""#))
        #expect(text.contains(#""field_level":"info""#))
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
            (4_107_542_399, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] as [(Int64, String)]
    )
    func `knows the calendar`(seconds: Int64, text: String) {
        var bytes: [UInt8] = []
        Timestamp(nanoseconds: seconds * 1_000_000_000).append(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test func `escapes every control byte of a JSON string`() {
        var bytes: [UInt8] = []
        JSONText.appendString("\u{0}\t\u{1b}\u{7f}ü\\", to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == #""\u0000\t\u001b\u007fü\\""#)
        bytes = []
        JSONText.appendString(utf8: [0x61, 0xff].span, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\"a\u{fffd}\"")
    }

    @Test func `changes level and format for loggers that exist`() {
        var ends: [Int32] = [-1, -1]
        _ = unsafe pipe(&ends)
        let ring = LogRing(sink: .descriptor(ends[1]), startingWriter: false)
        let output = LogOutput(ring: ring, level: .warning, format: .text)
        let logger = output.logger(label: "test")
        logger.info("not seen")
        output.update(level: .info, format: .json)
        logger.info("seen", metadata: ["request_id": "7"])
        ring.drain()
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = unsafe read(ends[0], &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        #expect(
            text.hasSuffix(
                #""level":"info","message":"seen","component":"test","request_id":"7"}"# + "\n"
            )
        )
        #expect(text.utf8.count { $0 == 0x0a } == 1)
        close(ends[0])
        close(ends[1])
    }
}
