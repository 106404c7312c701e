import CRelayPlugin
import Synchronization

/// Makes a type the plugin of this library; for the entry, once.
///
/// Gives nil if relay is of another major version of the contract.
public func export<Type: Plugin>(_ plugin: Type.Type, to host: OpaquePointer) -> OpaquePointer? {
    let host = unsafe UnsafePointer<relay_host>(host)
    guard unsafe host.pointee.magic == RELAY_MAGIC,
        unsafe host.pointee.abi_major == UInt16(RELAY_ABI_MAJOR)
    else { return nil }
    unsafe Host.pointer = host
    Exported.make.withLock { make in
        make = { settings in
            let instance = Type(&settings)
            return Instance { loop in instance.makeWorker(loop: loop) }
        }
    }
    return unsafe OpaquePointer(PluginTable.pointer(Type.self))
}

/// The table of relay.
enum Host {
    /// Set by the entry, before everything else, and never again.
    nonisolated(unsafe) static var pointer: UnsafePointer<relay_host>?

    static var table: relay_host {
        unsafe self.pointer?.pointee ?? relay_host()
    }
}

/// The plugin of this library.
enum Exported {
    /// Makes an instance.
    static let make = Mutex<(@Sendable (inout Settings) -> Instance)?>(nil)
}

/// An instance, whatever its type.
final class Instance: Sendable {
    let makeWorker: @Sendable (Int) -> any PluginWorker

    init(_ makeWorker: @escaping @Sendable (Int) -> any PluginWorker) {
        self.makeWorker = makeWorker
    }
}

/// A worker, whatever its type.
final class WorkerBox {
    let worker: any PluginWorker

    init(_ worker: any PluginWorker) { self.worker = worker }
}
