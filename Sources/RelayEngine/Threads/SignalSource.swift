/// Signals as events of a loop.
///
/// Made on the main thread before any other thread starts, because a signal must be blocked in all of
/// them. Stays for the life of the loop.
package final class SignalSource: EventSource {
    /// Blocks `signals` (numbers of signal(7)) in this thread and those it starts, and has `received` called
    /// on `loop` for each that comes.
    package init(
        _ signals: [Int32],
        loop: EventLoop,
        _ received: @escaping (_ signal: Int32) -> Void
    ) throws(SystemError) {
        fatalError()
    }
}
