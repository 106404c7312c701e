import CRelayPlugin
import Synchronization

/// The table of the plugin of this library, whose functions turn what relay says into calls of its types.
enum PluginTable {
    /// A table that lives as long as the process.
    static func pointer<Type: Plugin>(_ plugin: Type.Type) -> UnsafePointer<relay_plugin> {
        let table = UnsafeMutablePointer<relay_plugin>.allocate(capacity: 1)
        unsafe table.initialize(to: relay_plugin())
        unsafe table.pointee.magic = RELAY_MAGIC
        unsafe table.pointee.abi_major = UInt16(RELAY_ABI_MAJOR)
        unsafe table.pointee.size = UInt32(MemoryLayout<relay_plugin>.size)
        unsafe table.pointee.flags = Type.isGuard ? UInt32(RELAY_PLUGIN_GUARDS) : 0
        unsafe table.pointee.name = Self.kept(Type.name)
        unsafe table.pointee.version = Self.kept(Type.version)
        unsafe Self.addLife(to: &table.pointee)
        unsafe Self.addHooks(to: &table.pointee)
        return unsafe UnsafePointer(table)
    }

    /// A text that lives as long as the process.
    private static func kept(_ text: String) -> relay_bytes {
        let bytes = Array(text.utf8)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        unsafe memory.copyBytes(from: bytes)
        return unsafe relay_bytes(UnsafeRawBufferPointer(memory), 0..<bytes.count)
    }

    private static func addLife(to table: inout relay_plugin) {
        unsafe table.configure = { call in
            guard let call = unsafe call?.pointee else { return UInt32(RELAY_FAIL) }
            return unsafe Self.configure(call)
        }
        unsafe table.retire = { call in
            guard let state = unsafe call?.pointee.state else { return }
            unsafe Unmanaged<Instance>.fromOpaque(state).release()
        }
        unsafe table.worker_start = { call in
            guard let call = unsafe call?.pointee, let state = unsafe call.state else {
                return UInt32(RELAY_FAIL)
            }
            let instance = unsafe Unmanaged<Instance>.fromOpaque(state).takeUnretainedValue()
            let box = unsafe WorkerBox(instance.makeWorker(Int(call.loop)))
            unsafe call.worker.pointee = Unmanaged.passRetained(box).toOpaque()
            return UInt32(RELAY_CONTINUE)
        }
        unsafe table.worker_stop = { call in
            guard let worker = unsafe call?.pointee.worker else { return }
            unsafe Unmanaged<WorkerBox>.fromOpaque(worker).release()
        }
    }

    private static func configure(_ call: relay_configure_call) -> relay_verdict {
        var values: [Settings.Value] = []
        for index in 0..<(unsafe call.setting_count) {
            let setting = unsafe call.settings[index]
            unsafe values.append(
                Settings.Value(path: String(setting.path), text: String(setting.text))
            )
        }
        var settings = Settings(values)
        let make = Exported.make.withLock { $0 }
        guard let instance = make?(&settings) else { return UInt32(RELAY_FAIL) }
        settings.reportUnread()
        for (path, message) in settings.problems {
            unsafe path.withBytes { path in
                unsafe message.withBytes {
                    _ = unsafe Host.table.config_error?(call.instance, path, $0)
                }
            }
        }
        guard settings.problems.isEmpty else { return UInt32(RELAY_FAIL) }
        unsafe call.state.pointee = Unmanaged.passRetained(instance).toOpaque()
        return UInt32(RELAY_CONTINUE)
    }

    private static func addHooks(to table: inout relay_plugin) {
        unsafe table.request_head = { call in
            guard let call = unsafe call?.pointee.call else { return UInt32(RELAY_FAIL) }
            return unsafe Self.verdict(call) { $0.requestHead($1) }
        }
        unsafe table.response_head = { call in
            guard let call = unsafe call?.pointee else { return UInt32(RELAY_FAIL) }
            let (status, isOwn) = unsafe (Int(call.status), call.is_own != 0)
            return unsafe Self.verdict(call.call) {
                $0.responseHead($1, status: status, isOwn: isOwn)
            }
        }
        unsafe table.exchange_end = { call in
            guard let call = unsafe call?.pointee, let pointer = unsafe call.call.worker else {
                return
            }
            let box = unsafe Unmanaged<WorkerBox>.fromOpaque(pointer).takeUnretainedValue()
            let ended = unsafe EndedExchange(
                id: call.call.exchange,
                status: Int(call.status),
                duration: .nanoseconds(Int64(clamping: call.duration)),
                requestBytes: call.request_bytes,
                responseBytes: call.response_bytes
            )
            box.worker.exchangeEnded(ended)
        }
    }

    private static func verdict(
        _ call: relay_exchange_call,
        _ ask: (any PluginWorker, Exchange) -> Verdict
    ) -> relay_verdict {
        guard let pointer = unsafe call.worker else { return UInt32(RELAY_FAIL) }
        let box = unsafe Unmanaged<WorkerBox>.fromOpaque(pointer).takeUnretainedValue()
        let exchange = unsafe Exchange(id: call.exchange)
        switch ask(box.worker, exchange) {
        case .proceed: return UInt32(RELAY_CONTINUE)
        case .fail: return UInt32(RELAY_FAIL)
        case .respond(let answer):
            return UInt32(exchange.respond(answer) ? RELAY_RESPOND : RELAY_FAIL)
        }
    }
}

/// Time that passes evenly.
public enum SteadyClock {
    /// Nanoseconds since an arbitrary point; from any thread.
    public static var nanoseconds: UInt64 { Host.table.clock?() ?? 0 }
}
