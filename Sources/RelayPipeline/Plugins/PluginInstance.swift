import CRelayPlugin
import Logging
package import RelayConfig
import Synchronization

/// A plugin with one configuration.
///
/// Ends (`retire`) when nobody has it any more: neither a generation nor a worker, of which an exchange may be the last
/// holder.
///
/// `@unchecked Sendable`, `@safe`: nothing of it changes, and what its state points to is the plugin's, which promises to
/// guard it.
@safe
package final class PluginInstance: @unchecked Sendable {
    /// What relay.yaml says of it.
    package let configuration: PluginConfiguration
    /// Its code.
    let library: PluginLibrary
    /// Where its lines go.
    let logger: Logger
    /// Its name to the plugin.
    let id: UInt64
    /// What `configure` gave.
    let state: UnsafeMutableRawPointer?

    /// Whether the plugin protects what is behind it.
    package var isGuard: Bool { self.library.isGuard }

    /// Configures the plugin, on this thread.
    ///
    /// Throws everything that the plugin says is wrong.
    init(
        _ configuration: PluginConfiguration,
        _ library: PluginLibrary,
        logger: Logger
    ) throws(PluginFaults) {
        self.configuration = configuration
        self.library = library
        var logger = logger
        logger[metadataKey: "plugin"] = "\(configuration.name)"
        self.logger = logger
        self.id = PluginLogs.shared.add(logger)
        guard let configure = unsafe library.table.configure else {
            unsafe self.state = nil
            return
        }
        let configuring = PluginConfiguring(self.id)
        unsafe self.state = configuring.run(configuration, configure)
        if !configuring.faults.isEmpty {
            PluginLogs.shared.remove(self.id)
            throw PluginFaults(faults: configuring.faults)
        }
    }

    deinit {
        if let retire = unsafe self.library.table.retire {
            var call = unsafe relay_retire_call()
            unsafe call.size = UInt32(MemoryLayout<relay_retire_call>.size)
            unsafe call.state = self.state
            unsafe retire(&call)
        }
        PluginLogs.shared.remove(self.id)
    }
}

/// Everything that is wrong with a plugin's configuration.
struct PluginFaults: Error {
    /// At least one.
    let faults: [PluginFault]
}

/// The call of `configure`.
///
/// `@safe`: the pointers that it lends end with the call.
@safe
final class PluginConfiguring {
    /// The instance that is made.
    let id: UInt64
    /// What the plugin has said is wrong.
    var faults: [PluginFault] = []

    init(_ id: UInt64) { self.id = id }

    typealias Configure = @convention(c) (UnsafePointer<relay_configure_call>?) -> relay_verdict

    /// Calls it.
    func run(
        _ configuration: PluginConfiguration,
        _ configure: Configure
    ) -> UnsafeMutableRawPointer? {
        let settings = LentSettings(configuration)
        var state: UnsafeMutableRawPointer?
        var verdict: relay_verdict = 0
        unsafe withUnsafeMutablePointer(to: &state) { place in
            var call = unsafe relay_configure_call()
            unsafe call.size = UInt32(MemoryLayout<relay_configure_call>.size)
            unsafe call.instance = self.id
            unsafe call.name = settings.name
            unsafe call.config = settings.json
            unsafe call.settings = UnsafePointer(settings.values.baseAddress)
            unsafe call.setting_count = settings.values.count
            unsafe call.state = place
            PluginThread.run(.configuring(self)) {
                verdict = unsafe configure(&call)
            }
        }
        settings.end()
        if verdict != UInt32(RELAY_CONTINUE), self.faults.isEmpty {
            self.faults.append(
                PluginFault(settingAt: "", "it refuses its config, and gives no reason")
            )
        }
        return unsafe state
    }
}

/// The settings as `configure` is lent them: everything in one piece of memory of its own.
///
/// `@safe`: the memory lives until `end`, which the only user calls after the plugin has returned.
@safe
private struct LentSettings {
    let name: relay_bytes
    let json: relay_bytes
    let values: UnsafeMutableBufferPointer<relay_setting>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ configuration: PluginConfiguration) {
        var text: [UInt8] = Array(configuration.name.utf8)
        let settings = configuration.settings
        var ranges: [Range<Int>] = [0..<text.count]
        func add(_ bytes: some Sequence<UInt8>) {
            let start = text.count
            text += bytes
            ranges.append(start..<text.count)
        }
        add(settings.json)
        for value in settings.values {
            add(value.path.utf8)
            add(value.text.utf8)
        }
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
        _ = unsafe memory.initialize(from: text)
        let lent = unsafe ranges.map { range in
            unsafe relay_bytes(
                data: UnsafeRawPointer(memory.baseAddress.map { unsafe $0 + range.lowerBound })?
                    .assumingMemoryBound(to: CChar.self),
                size: range.count
            )
        }
        unsafe self.text = memory
        unsafe self.name = lent[0]
        unsafe self.json = lent[1]
        unsafe self.values = .allocate(capacity: settings.values.count)
        for (index, value) in settings.values.enumerated() {
            unsafe self.values.initializeElement(
                at: index,
                to: relay_setting(
                    path: lent[2 + 2 * index],
                    text: lent[3 + 2 * index],
                    kind: value.kind.rawValue,
                    reserved: 0
                )
            )
        }
    }

    func end() {
        unsafe self.values.deallocate()
        unsafe self.text.deallocate()
    }
}

/// Where the lines of each instance go.
final class PluginLogs: Sendable {
    static let shared = PluginLogs()

    private struct State {
        var last: UInt64 = 0
        var loggers: [UInt64: Logger] = [:]
    }

    private let state = Mutex(State())

    /// Gives an instance its name, by which its lines are known.
    func add(_ logger: Logger) -> UInt64 {
        self.state.withLock { state in
            state.last += 1
            state.loggers[state.last] = logger
            return state.last
        }
    }

    /// Forgets an instance.
    func remove(_ id: UInt64) {
        self.state.withLock { _ = $0.loggers.removeValue(forKey: id) }
    }

    /// Where its lines go; nil if it is retired.
    func logger(of id: UInt64) -> Logger? {
        self.state.withLock { $0.loggers[id] }
    }
}
