import CRelayPlugin
import Logging
package import RelayEngine

/// An instance of a plugin at work on one event loop.
///
/// Ends (`worker_stop`) on its loop, with the pipeline or the exchange that was the last to use it. Bound to its loop.
/// `@safe`: the pointer is the plugin's and only handed back to it.
@safe
package final class PluginWorker {
    /// The instance.
    let instance: PluginInstance
    /// What the plugin does.
    let table: relay_plugin
    /// What `worker_start` gave.
    let pointer: UnsafeMutableRawPointer?
    /// Whether `worker_start` went well.
    let isUsable: Bool

    private let loop: EventLoop
    /// What was not logged since the last line.
    private var linesLeftOut = 0
    private var lineDue = MonotonicTime(nanoseconds: 0)

    /// Begins on a loop.
    package init(_ instance: PluginInstance, loop: EventLoop) {
        self.instance = instance
        unsafe self.table = instance.library.table
        self.loop = loop
        var pointer: UnsafeMutableRawPointer?
        var verdict = UInt32(RELAY_CONTINUE)
        if let start = unsafe instance.library.table.worker_start {
            unsafe withUnsafeMutablePointer(to: &pointer) { place in
                var call = unsafe relay_worker_start_call()
                unsafe call.size = UInt32(MemoryLayout<relay_worker_start_call>.size)
                unsafe call.loop = UInt32(loop.index)
                unsafe call.state = instance.state
                unsafe call.worker = place
                verdict = unsafe start(&call)
            }
        }
        unsafe self.pointer = pointer
        self.isUsable = verdict == UInt32(RELAY_CONTINUE)
        if !self.isUsable {
            instance.logger.error("plugin cannot work", metadata: ["loop": "\(loop.index)"])
        }
    }

    deinit {
        guard self.isUsable, let stop = unsafe self.table.worker_stop else { return }
        var call = unsafe relay_worker_stop_call()
        unsafe call.size = UInt32(MemoryLayout<relay_worker_stop_call>.size)
        unsafe call.loop = UInt32(self.loop.index)
        unsafe call.state = self.instance.state
        unsafe call.worker = self.pointer
        unsafe stop(&call)
    }

    /// A hook has kept the loop from everything else.
    func tookLong(_ hook: StaticString, nanoseconds: UInt64) {
        self.logRarely("plugin blocks an event loop", "\(hook) took \(nanoseconds / 1_000_000) ms")
    }

    /// A hook has failed.
    func failed(_ exchange: Exchange, _ reason: StaticString) {
        self.logRarely("plugin failed", "\(reason)")
    }

    /// At most a line a second: a plugin that is broken is so for every request.
    private func logRarely(_ message: StaticString, _ reason: String) {
        guard self.loop.now >= self.lineDue else {
            self.linesLeftOut += 1
            return
        }
        self.instance.logger.warning(
            "\(message)",
            metadata: ["reason": "\(reason)", "not_logged": "\(self.linesLeftOut)"]
        )
        self.linesLeftOut = 0
        self.lineDue = self.loop.now + .seconds(1)
    }
}

@available(*, unavailable) extension PluginWorker: Sendable {}
