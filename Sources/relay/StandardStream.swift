import ArgumentParser
import Glibc

/// Standard input, output or error, read and written as they are, without a buffer of our own.
struct StandardStream {
    static let input = StandardStream(descriptor: STDIN_FILENO)
    static let output = StandardStream(descriptor: STDOUT_FILENO)
    static let error = StandardStream(descriptor: STDERR_FILENO)

    private let descriptor: Int32

    /// Gives what was standard output to the caller alone: what others in this process print there goes to standard error
    /// from now on.
    ///
    /// Nil if no descriptor is left.
    static func claimOutput() -> StandardStream? {
        let output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard output >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else { return nil }
        return StandardStream(descriptor: output)
    }

    /// Whether a person reads it.
    var isTerminal: Bool { isatty(self.descriptor) == 1 }

    /// Writes all of `bytes`, waiting where that is needed.
    ///
    /// Throws if that cannot be done: what was meant for a person or a file is lost then, which an exit code of 0
    /// would hide. If nobody reads any more (`EPIPE`) there is nobody to be told, either.
    func write(_ bytes: [UInt8]) throws {
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
            if count >= 0 {
                written += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: self.waitForRoom()
            case EPIPE: throw ExitCode(ExitStatus.failure)
            default: throw OutputProblem(code: errno)
            }
        }
    }

    /// Writes a line of text.
    func write(line: String) throws {
        try self.write(Array("\(line)\n".utf8))
    }

    /// Writes a line for a person, who may be gone.
    func report(_ line: String) {
        try? self.write(line: line)
    }

    /// A stream that somebody else has made non-blocking is full.
    private func waitForRoom() {
        var entry = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
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

/// Standard output cannot be written.
struct OutputProblem: Error, CustomStringConvertible {
    /// The error number.
    let code: Int32

    var description: String {
        // In glibc the text of strerror(3) belongs to the calling thread.
        let text = unsafe strerror(self.code).map { unsafe String(cString: $0) }
        return "cannot write standard output: \(text ?? "error \(self.code)")"
    }
}
