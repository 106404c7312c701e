import CRelayPlugin
import Glibc
import Synchronization

/// A library that is loaded: what its entry gave.
///
/// There is one for each content, however often it is named: the same bytes are the same code, and its variables are
/// shared. Never unloaded, because nobody can know who still has a pointer into it.
///
/// `@unchecked Sendable`, `@safe`: the table is a copy that never changes; what its functions may be called on is the
/// contract of relay_plugin.h, which `PluginInstance` and `PluginCalls` keep.
@safe
final class PluginLibrary: @unchecked Sendable {
    /// Where it came from; keeps the memory's descriptor, whose path is the library's name to the linker.
    let image: PluginImage

    /// What the plugin does; what it does not know of is NULL.
    let table: relay_plugin

    /// The plugin's own name and version.
    let name: String
    let version: String

    /// Whether the plugin protects what is behind it.
    var isGuard: Bool { unsafe self.table.flags & UInt32(RELAY_PLUGIN_GUARDS) != 0 }

    private init(_ image: PluginImage, _ table: relay_plugin) {
        self.image = image
        unsafe self.table = table
        self.name = unsafe String(table.name)
        self.version = unsafe String(table.version)
    }

    private static let loaded = Mutex<[PluginLibrary]>([])

    /// The library with this content: one that is loaded already, or else a new one.
    ///
    /// Runs the library's initialisers and its entry, on this thread.
    static func of(_ image: PluginImage) throws(PluginFault) -> PluginLibrary {
        let known = Self.loaded.withLock { libraries in
            libraries.first { $0.image.bytes == image.bytes }
        }
        if let known { return known }
        let library = try Self.load(image)
        Self.loaded.withLock { $0.append(library) }
        return library
    }

    private static func load(_ image: PluginImage) throws(PluginFault) -> PluginLibrary {
        // The linker knows libraries by their paths, too: this one is not used again while the descriptor is open.
        let path = "/proc/self/fd/\(image.descriptor)"
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "unknown reason"
            let shown = reason.replacing(path, with: image.path)
            throw PluginFault("cannot load '\(image.path)': \(shown)")
        }
        guard let symbol = unsafe dlsym(handle, RELAY_PLUGIN_ENTRY) else {
            throw PluginFault("'\(image.path)' is no plugin: it has no \(RELAY_PLUGIN_ENTRY)")
        }
        typealias Entry =
            @convention(c) (UnsafePointer<relay_host>?) -> UnsafePointer<relay_plugin>?
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        guard let given = unsafe entry(PluginHostTable.pointer) else {
            throw PluginFault("'\(image.path)' cannot do with this version of relay")
        }
        return try unsafe PluginLibrary(image, Self.table(given, image.path))
    }

    /// Copies a table of any size into one of ours.
    private static func table(
        _ given: UnsafePointer<relay_plugin>,
        _ path: String
    ) throws(PluginFault) -> relay_plugin {
        // These stand first in every version.
        let magic = unsafe given.pointee.magic
        guard magic == RELAY_MAGIC else {
            throw PluginFault("'\(path)' is no plugin: its table does not begin with RELAY_MAGIC")
        }
        let (major, minor) = unsafe (given.pointee.abi_major, given.pointee.abi_minor)
        guard major == UInt16(RELAY_ABI_MAJOR), minor <= UInt16(RELAY_ABI_MINOR) else {
            let own = "\(RELAY_ABI_MAJOR).\(RELAY_ABI_MINOR)"
            throw PluginFault(
                "'\(path)' is built for version \(major).\(minor) of the plugin ABI, not \(own); build it again"
            )
        }
        let size = Int(unsafe given.pointee.size)
        // What says how to read the rest: up to `flags`.
        guard size >= 16 else {
            throw PluginFault("'\(path)' has a table of \(size) bytes, which is too short")
        }
        var table = unsafe relay_plugin()
        unsafe withUnsafeMutableBytes(of: &table) { target in
            let source = unsafe UnsafeRawBufferPointer(start: given, count: min(size, target.count))
            unsafe target.copyMemory(from: source)
        }
        return unsafe table
    }
}

extension String {
    /// A text that a plugin gave; what is not UTF-8 becomes U+FFFD.
    init(_ bytes: relay_bytes) {
        let buffer = unsafe UnsafeRawBufferPointer(
            start: bytes.data,
            count: bytes.data == nil ? 0 : bytes.size
        )
        self = unsafe String(decoding: buffer, as: UTF8.self)
    }
}
