import CLinux

/// What plugin code is running on a thread, so that the functions of the host know what they are called for.
///
/// Nothing runs inside of another: functions of the host only take notes, which are acted upon when the hook has
/// returned.
enum PluginThread {
    /// What is running.
    final class Running {
        let call: Call

        init(_ call: Call) { self.call = call }
    }

    /// A kind of call.
    enum Call {
        case configuring(PluginConfiguring)
        case hook(PluginFrame)
    }

    /// Runs `body`, which calls a plugin, as `call`.
    static func run(_ call: Call, _ body: () -> Void) {
        let running = Running(call)
        Self.run(running, body)
    }

    /// The same without allocating.
    @inline(__always)
    static func run(_ running: Running, _ body: () -> Void) {
        // Unretained: `running` outlives the call, at whose end the thread forgets it.
        unsafe relay_set_thread_pointer(Unmanaged.passUnretained(running).toOpaque())
        body()
        relay_set_thread_pointer(nil)
    }

    /// What runs on this thread; nil: no plugin.
    @inline(__always)
    static var current: Call? {
        guard let pointer = unsafe relay_thread_pointer() else { return nil }
        return unsafe Unmanaged<Running>.fromOpaque(pointer).takeUnretainedValue().call
    }
}
