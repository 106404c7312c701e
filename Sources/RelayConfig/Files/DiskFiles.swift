import Glibc

/// The files of the disk, as the system has them.
///
/// Reading blocks: not for an event loop that has connections.
package struct DiskFiles: ConfigurationFiles {
    /// The disk.
    package init() {}

    package func contents(of path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .current() }
        defer { _ = close(descriptor) }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while contents.count <= bytesMax {
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
