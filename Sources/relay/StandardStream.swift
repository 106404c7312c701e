import Glibc

/// Standard input, output or error, read and written as they are, without a buffer of our own.
struct StandardStream {
    static let input = StandardStream(descriptor: STDIN_FILENO)
    static let output = StandardStream(descriptor: STDOUT_FILENO)
    static let error = StandardStream(descriptor: STDERR_FILENO)

    private let descriptor: Int32

    /// Whether a person reads it.
    var isTerminal: Bool { isatty(self.descriptor) == 1 }

    /// Writes all of `bytes`; gives up without a word when nobody reads any more.
    func write(_ bytes: [UInt8]) {
        var written = 0
        while written < bytes.count {
            // The buffer is only read during the call.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    self.descriptor,
                    buffer.baseAddress?.advanced(by: written),
                    bytes.count - written
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            written += count
        }
    }

    /// Writes a line of text.
    func write(line: String) {
        self.write(Array("\(line)\n".utf8))
    }

    /// Reads to the end; nil if that fails or there are more than `bytesMax` bytes.
    func readAll(bytesMax: Int) -> [UInt8]? {
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            // The buffer is only written during the call.
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe read(self.descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return contents }
            contents += chunk[..<count]
            guard contents.count <= bytesMax else { return nil }
        }
    }
}
