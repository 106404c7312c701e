import Glibc

/// A folder that goes with its owner, and all that is in it.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/relay-test-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        guard isMade else { throw Failure("no temporary folder: \(errno)") }
        self.path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    deinit {
        let removal = try? ChildProcess("/bin/rm", ["-rf", self.path])
        _ = try? removal?.waitForExit()
    }

    /// Writes a file, whole or not at all, and gives its path.
    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o600) throws -> String {
        let path = "\(self.path)/\(name)"
        let draft = "\(path).new"
        let descriptor = Descriptor(
            unsafe open(draft, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, mode)
        )
        let bytes = Array(text.utf8)
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.write(descriptor.value, buffer.baseAddress, buffer.count)
        }
        guard count == bytes.count, unsafe rename(draft, path) == 0 else {
            throw Failure("cannot write \(path): \(errno)")
        }
        return path
    }

    /// Makes a folder in it.
    func makeFolder(_ name: String) throws {
        guard unsafe mkdir("\(self.path)/\(name)", 0o700) == 0 else {
            throw Failure("cannot make \(name): \(errno)")
        }
    }
}

/// The files of this repository.
enum Repository {
    /// Its folder, four levels above this file.
    static let root: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(4)
        return "/" + parts.joined(separator: "/")
    }()

    /// The text of a file of it.
    static func text(of name: String) throws -> String {
        let path = "\(self.root)/\(name)"
        let descriptor = Descriptor(unsafe open(path, O_RDONLY | O_CLOEXEC))
        guard descriptor.value >= 0 else { throw Failure("cannot read \(path): \(errno)") }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor.value, buffer.baseAddress, buffer.count)
            }
            guard count > 0 else { return String(decoding: contents, as: UTF8.self) }
            contents += chunk[..<count]
        }
    }
}
