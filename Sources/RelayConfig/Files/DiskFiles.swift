import Glibc

/// The files of the disk, as the system has them.
///
/// Reading blocks: not for an event loop that has connections.
package struct DiskFiles: ConfigurationFiles {
    /// How long a pipe or device may give nothing.
    private let patience: Duration

    /// The disk; `patience`, in whole milliseconds, is how long a pipe or device may give nothing.
    package init(patience: Duration = .seconds(5)) {
        self.patience = patience
    }

    package func contents(of path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        // Not to wait for a writer where the file is a pipe; for a regular file it means nothing.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .current() }
        defer { _ = close(descriptor) }
        let mayWait = !Self.isRegular(descriptor)
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while contents.count <= bytesMax {
            if mayWait, !self.waitsUntilReadable(descriptor) {
                throw FileProblem(reason: "It is no regular file, and nothing comes from it")
            }
            let wanted = min(chunk.count, bytesMax + 1 - contents.count)
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress, wanted)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .current() }
            if count == 0 { break }
            contents += chunk[..<count]
        }
        return contents
    }

    private static func isRegular(_ descriptor: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Waits for bytes, or the end, of a pipe or device; false if patience ends before.
    private func waitsUntilReadable(_ descriptor: Int32) -> Bool {
        let milliseconds = Int32(clamping: Int64(self.patience / .milliseconds(1)))
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let count = unsafe poll(&entry, 1, milliseconds)
            if count < 0, errno == EINTR { continue }
            return count > 0
        }
    }

    package func matches(of pattern: String) -> [String] {
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
            guard let path = unsafe found.gl_pathv[index] else { return nil }
            return unsafe String(cString: path)
        }
    }
}

extension FileProblem {
    /// What `errno` says.
    ///
    /// In glibc the text of strerror(3) belongs to the calling thread.
    fileprivate static func current() -> FileProblem {
        let number = errno
        let text = unsafe strerror(number).map { unsafe String(cString: $0) }
        return FileProblem(reason: text ?? "error \(number)")
    }
}
