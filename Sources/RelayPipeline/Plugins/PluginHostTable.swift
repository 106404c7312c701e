import CRelayPlugin
import Glibc
import Logging
import RelayHTTP

/// The table of what relay does for plugins, `relay_host`.
///
/// Its functions take notes in the call that runs on their thread, or say that there is none.
enum PluginHostTable {
    /// The table, which lives as long as the process.
    nonisolated(unsafe) static let pointer: UnsafePointer<relay_host> = {
        let table = UnsafeMutablePointer<relay_host>.allocate(capacity: 1)
        unsafe table.initialize(to: Self.made)
        return unsafe UnsafePointer(table)
    }()

    private static var made: relay_host {
        var host = relay_host()
        host.magic = RELAY_MAGIC
        host.abi_major = UInt16(RELAY_ABI_MAJOR)
        host.abi_minor = UInt16(RELAY_ABI_MINOR)
        host.size = UInt32(MemoryLayout<relay_host>.size)
        unsafe host.log = { instance, level, message in
            Self.log(instance, level, unsafe String(message))
        }
        unsafe host.config_error = { instance, path, message in
            guard case .configuring(let configuring) = PluginThread.current,
                configuring.id == instance
            else { return PluginStatus.notNow.rawValue }
            let fault = unsafe PluginFault(settingAt: String(path), String(message))
            configuring.faults.append(fault)
            return PluginStatus.ok.rawValue
        }
        host.clock = { Self.nanoseconds(of: CLOCK_MONOTONIC) }
        host.wall_clock = { Self.nanoseconds(of: CLOCK_REALTIME) }
        unsafe host.attribute = { exchange, which, value in
            guard let frame = Self.frame(of: exchange), let value = unsafe value else {
                return PluginStatus.stale.rawValue
            }
            return unsafe frame.attribute(which, &value.pointee).rawValue
        }
        Self.addFields(to: &host)
        Self.addInterruptions(to: &host)
        return host
    }

    private static func addFields(to host: inout relay_host) {
        unsafe host.header_get = { exchange, name, value in
            guard let frame = Self.frame(of: exchange), let value = unsafe value else {
                return PluginStatus.stale.rawValue
            }
            return unsafe name.withSpan { unsafe frame.field(named: $0, &value.pointee).rawValue }
        }
        unsafe host.header_at = { exchange, index, field in
            guard let frame = Self.frame(of: exchange), let field = unsafe field else {
                return PluginStatus.stale.rawValue
            }
            return unsafe frame.field(at: Int(clamping: index), &field.pointee).rawValue
        }
        unsafe host.header_set = { exchange, name, value in
            unsafe Self.change(.set, exchange, name, value)
        }
        unsafe host.header_add = { exchange, name, value in
            unsafe Self.change(.add, exchange, name, value)
        }
        unsafe host.header_remove = { exchange, name in
            unsafe Self.change(.remove, exchange, name, relay_bytes(data: nil, size: 0))
        }
    }

    private static func addInterruptions(to host: inout relay_host) {
        unsafe host.respond = { exchange, status, fields, count, body in
            guard let frame = Self.frame(of: exchange) else { return PluginStatus.stale.rawValue }
            return unsafe Self.respond(frame, status, fields, count, body).rawValue
        }
        unsafe host.pause = { exchange, timeout, token in
            guard let frame = Self.frame(of: exchange), let token = unsafe token else {
                return PluginStatus.stale.rawValue
            }
            if case .none = frame.head { return PluginStatus.notNow.rawValue }
            guard frame.mayPause, frame.token == nil else { return PluginStatus.notNow.rawValue }
            let wanted = Duration.milliseconds(Int64(timeout))
            frame.pause = timeout == 0 ? frame.pauseMax : min(wanted, frame.pauseMax)
            let given = PluginPauses.shared.begin(exchange, of: frame.calls)
            frame.token = given
            unsafe token.pointee = given
            return PluginStatus.ok.rawValue
        }
        host.resume = { exchange, token, data in
            let isResumed = PluginPauses.shared.resume(exchange, token: token, data: data)
            return (isResumed ? PluginStatus.ok : .stale).rawValue
        }
    }

    /// The hook that runs on this thread, if it is about that exchange.
    @inline(__always)
    private static func frame(of exchange: relay_exchange) -> PluginFrame? {
        guard case .hook(let frame) = PluginThread.current, exchange != 0, frame.name == exchange
        else { return nil }
        return frame
    }

    private static func change(
        _ change: PluginFrame.Change,
        _ exchange: relay_exchange,
        _ name: relay_bytes,
        _ value: relay_bytes
    ) -> relay_status {
        guard let frame = Self.frame(of: exchange) else { return PluginStatus.stale.rawValue }
        return unsafe name.withSpan { name in
            unsafe value.withSpan { frame.change(change, name, $0).rawValue }
        }
    }

    private static func respond(
        _ frame: PluginFrame,
        _ status: UInt32,
        _ fields: UnsafePointer<relay_field>?,
        _ count: Int,
        _ body: relay_bytes
    ) -> PluginStatus {
        if case .none = frame.head { return .notNow }
        guard let exchange = frame.exchange else { return .stale }
        guard frame.mayInterrupt, frame.answer == nil else { return .notNow }
        guard (200...599).contains(status) else { return .refused }
        var lines: [UInt8] = []
        let given = unsafe UnsafeBufferPointer(
            start: fields,
            count: fields == nil ? 0 : max(0, count)
        )
        for index in given.indices {
            let field = unsafe given[index]
            let isTaken = unsafe field.name.withSpan { name in
                unsafe field.value.withSpan { value in
                    guard PluginFrame.mayWrite(name, value, exchange) else { return false }
                    lines.appendField(name, value)
                    return true
                }
            }
            guard isTaken else { return .refused }
        }
        var bytes: [UInt8] = []
        unsafe body.withSpan { bytes.append($0) }
        frame.answer = PluginAnswer(status: UInt16(clamping: status), fields: lines, body: bytes)
        return .ok
    }

    private static func log(_ instance: relay_instance, _ level: relay_log_level, _ text: String) {
        guard let logger = PluginLogs.shared.logger(of: instance) else { return }
        let level: Logger.Level =
            switch level {
            case UInt32(RELAY_LOG_DEBUG): .debug
            case UInt32(RELAY_LOG_INFO): .info
            case UInt32(RELAY_LOG_NOTICE): .notice
            case UInt32(RELAY_LOG_WARNING): .warning
            default: .error
            }
        logger.log(level: level, "\(text)")
    }

    /// The time of a clock of the system itself: a plugin lives in real time, also where relay is simulated.
    static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}

extension relay_bytes {
    /// Lends the bytes.
    @inline(__always)
    func withSpan<Result>(_ read: (Span<UInt8>) -> Result) -> Result {
        guard let data = unsafe self.data else { return read(Span()) }
        let start = unsafe UnsafeRawPointer(data).assumingMemoryBound(to: UInt8.self)
        return unsafe read(UnsafeBufferPointer(start: start, count: self.size).span)
    }
}
