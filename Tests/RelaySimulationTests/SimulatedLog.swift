import Glibc
import Logging
import RelayObservation

/// Where relay logs to: a file without a name, read when a run has failed.
final class SimulatedLog {
    let output: LogOutput
    private let ring: LogRing
    private let descriptor: Int32

    init() throws {
        var path = Array("/tmp/relay-simulation-XXXXXX".utf8CString)
        self.descriptor = unsafe mkstemp(&path)
        guard self.descriptor >= 0 else { throw LogUnavailable() }
        _ = unsafe unlink(path)
        self.ring = LogRing(
            sink: .descriptor(self.descriptor),
            bytesMax: 64 << 20,
            startingWriter: false
        )
        self.output = LogOutput(ring: self.ring, level: .debug, format: .text)
    }

    deinit { _ = close(self.descriptor) }

    /// Everything that was logged.
    func lines() -> [String] {
        self.ring.drain()
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let offset = off_t(bytes.count)
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe pread(self.descriptor, $0.baseAddress, $0.count, offset)
            }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func hasSaid(_ words: String) -> Bool { self.lines().contains { $0.contains(words) } }
}

/// There is no place for the log.
struct LogUnavailable: Error {}
