import CLinux
import Glibc
import RelayConfig

/// Finds the file of a library and reads it into memory that nobody can change, once.
///
/// What is loaded is the copy: overwriting the file harms nobody, and a rebuilt file is new code, where dlopen(3) of
/// the same path would give the old one.
enum PluginFile {
    /// The largest library.
    private static let bytesMax = 256 << 20

    /// Where the library of `plugin` is: a path as it is, a name in `folders`, then beside the file that names it, then
    /// in `installed`.
    static func find(
        _ plugin: PluginConfiguration,
        folders: [String],
        installed: String
    ) throws(PluginFault) -> String {
        if plugin.library.contains("/") { return plugin.library }
        let own = plugin.directory.isEmpty ? "." : plugin.directory
        let places = folders + [own, installed]
        for folder in places {
            let path = "\(folder)/\(plugin.library)"
            if unsafe access(path, F_OK) == 0 { return path }
        }
        let shown = places.map { "'\($0)'" }.joined(separator: ", ")
        throw PluginFault("there is no '\(plugin.library)' in \(shown)")
    }

    /// Reads the file at `path` and checks what can be seen from outside: whose it is, who may write it, and that it is a
    /// shared library for this machine.
    static func image(at path: String) throws(PluginFault) -> PluginImage {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw PluginFault("cannot read '\(path)': \(SystemReason.current)")
        }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw PluginFault("'\(path)' is no regular file")
        }
        // Whoever may write the file may become relay.
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw PluginFault("'\(path)' belongs to another user; give it to root or relay's user")
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw PluginFault("others may write '\(path)'; chmod go-w it")
        }
        let bytes = try Self.contents(of: descriptor, path)
        try Self.checkHeader(bytes, path)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let memory = unsafe bytes.withUnsafeBytes { buffer in
            unsafe relay_sealed_memory(name, buffer.baseAddress, buffer.count)
        }
        guard memory >= 0 else {
            throw PluginFault("no memory for '\(path)': \(SystemReason.current)")
        }
        return PluginImage(descriptor: memory, bytes: bytes, path: path)
    }

    private static func contents(
        of descriptor: Int32,
        _ path: String
    ) throws(PluginFault) -> [UInt8] {
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw PluginFault("cannot read '\(path)': \(SystemReason.current)")
            }
            if count == 0 { return contents }
            contents += chunk[..<count]
            guard contents.count <= Self.bytesMax else {
                throw PluginFault("'\(path)' is longer than \(Self.bytesMax >> 20) MiB")
            }
        }
    }

    /// What elf(5) says of a shared library of this machine's kind.
    private static func checkHeader(_ bytes: [UInt8], _ path: String) throws(PluginFault) {
        guard bytes.count >= 64, bytes[..<4].elementsEqual([0x7F, 0x45, 0x4C, 0x46]) else {
            throw PluginFault("'\(path)' is no shared library (ELF)")
        }
        let isLittleEndian64 = bytes[4] == 2 && bytes[5] == 1
        let machine = UInt16(bytes[18]) | UInt16(bytes[19]) << 8
        guard isLittleEndian64, machine == Self.machine else {
            throw PluginFault(
                "'\(path)' is built for another architecture than \(Self.machineName)"
            )
        }
        guard bytes[16] == 3, bytes[17] == 0 else {
            throw PluginFault("'\(path)' is no shared library; link it with -shared")
        }
    }

    #if arch(x86_64)
    private static let machine: UInt16 = 62
    private static let machineName = "x86_64"
    #elseif arch(arm64)
    private static let machine: UInt16 = 183
    private static let machineName = "aarch64"
    #endif
}

/// The bytes of a library in sealed memory.
///
/// Closes the memory's descriptor with itself, unless a library that was loaded from it keeps it.
final class PluginImage: Sendable {
    /// The memory (memfd_create(2)).
    let descriptor: Int32
    /// What is in it.
    let bytes: [UInt8]
    /// Where the file was.
    let path: String

    init(descriptor: Int32, bytes: [UInt8], path: String) {
        self.descriptor = descriptor
        self.bytes = bytes
        self.path = path
    }

    deinit { _ = close(self.descriptor) }
}

/// What errno(3) says, in words.
enum SystemReason {
    /// Of this moment, on this thread.
    static var current: String {
        let number = errno
        // In glibc the text belongs to the thread.
        return unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}
