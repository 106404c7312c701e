import CRelayPlugin
import Glibc
import RelayConfig
package import RelayEngine
import RelayHTTP

/// Calls the hooks of plugins on one event loop.
///
/// `@unchecked Sendable`: other threads only post messages to `loop`, a constant; the rest belongs to the loop.
package final class PluginCalls: @unchecked Sendable {
    /// Where it calls.
    package let loop: EventLoop

    /// What a hook has decided, checked.
    enum Outcome {
        case proceed
        case answer(PluginAnswer)
        case pause(token: UInt64, Duration)
        case failed
    }

    /// The exchanges that wait, by the token of their pause.
    var waiting: [UInt64: PluginChain] = [:]

    private lazy var frame = PluginFrame(calls: self)
    private lazy var running = PluginThread.Running(.hook(self.frame))
    private var lastName: UInt64 = 0

    /// How long a hook may take before that is logged.
    private static let patience: UInt64 = 10_000_000

    /// For one loop.
    package init(loop: EventLoop) { self.loop = loop }

    /// A name for an exchange: that of the loop and a number that is not used again.
    func makeName() -> UInt64 {
        self.lastName += 1
        return UInt64(self.loop.index + 1) << 48 | (self.lastName & 0xffff_ffff_ffff)
    }

    /// A pause was ended; called by message.
    func pauseResumed(_ token: UInt64) {
        guard let chain = self.waiting[token], let data = PluginPauses.shared.end(token) else {
            return
        }
        self.waiting[token] = nil
        chain.resumed(token, data: data)
    }

    // MARK: Hooks

    /// `request_head`.
    func requestHead(
        _ entry: inout PluginChain.Entry,
        _ name: UInt64,
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Outcome {
        guard let hook = unsafe entry.worker.table.request_head else {
            return entry.worker.isUsable ? .proceed : .failed
        }
        self.frame.begin(exchange, name, .request(request), mayInterrupt: true)
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe self.frame.setBytes(buffer)
            var call = unsafe relay_request_head_call()
            unsafe call.has_body = request.announcesBody ? 1 : 0
            let size = unsafe MemoryLayout<relay_request_head_call>.size
            return unsafe self.run(
                &entry,
                name,
                { unsafe $0.call = $1 },
                &call,
                size,
                { unsafe hook($0) }
            )
        }
    }

    /// `response_head`; `fields` as the plugin leaves them.
    func responseHead(
        _ entry: inout PluginChain.Entry,
        _ name: UInt64,
        _ exchange: Exchange,
        _ answer: inout PluginChain.Answer
    ) -> Outcome {
        guard let hook = unsafe entry.worker.table.response_head else {
            return entry.worker.isUsable ? .proceed : .failed
        }
        self.frame.begin(exchange, name, .response, mayInterrupt: !exchange.watchesDelivery)
        swap(&self.frame.fields, &answer.fields)
        var call = unsafe relay_response_head_call()
        unsafe call.status = UInt32(answer.status)
        unsafe call.is_own = answer.isOwn ? 1 : 0
        let size = unsafe MemoryLayout<relay_response_head_call>.size
        return unsafe self.run(
            &entry,
            name,
            { unsafe $0.call = $1 },
            &call,
            size,
            { unsafe hook($0) }
        ) {
            answer.fields = self.frame.takeFields()
        }
    }

    /// `resumed`, for the head of a request or of a response.
    func resumed(
        _ entry: inout PluginChain.Entry,
        _ name: UInt64,
        _ exchange: Exchange,
        data: UInt64,
        _ suspended: SuspendedExchange?,
        _ answer: inout PluginChain.Answer?
    ) -> Outcome {
        guard let hook = unsafe entry.worker.table.resumed else {
            // It comes back at the end.
            entry.returned = data
            return .proceed
        }
        var call = unsafe relay_resumed_call()
        unsafe call.data = data
        let size = unsafe MemoryLayout<relay_resumed_call>.size
        if let suspended {
            self.frame.begin(exchange, name, .request(suspended.request), mayInterrupt: true)
            let bytes = suspended.bytes
            return unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe self.frame.setBytes(buffer)
                return unsafe self.run(
                    &entry,
                    name,
                    { unsafe $0.call = $1 },
                    &call,
                    size,
                    { unsafe hook($0) }
                )
            }
        }
        self.frame.begin(exchange, name, .response, mayInterrupt: !exchange.watchesDelivery)
        self.frame.fields = answer?.fields ?? []
        unsafe call.status = UInt32(answer?.status ?? 0)
        return unsafe self.run(
            &entry,
            name,
            { unsafe $0.call = $1 },
            &call,
            size,
            { unsafe hook($0) }
        ) {
            answer?.fields = self.frame.takeFields()
        }
    }

    /// `exchange_end`.
    func exchangeEnd(
        _ entry: inout PluginChain.Entry,
        _ name: UInt64,
        _ exchange: Exchange,
        _ summary: PluginChain.Summary
    ) {
        guard let hook = unsafe entry.worker.table.exchange_end, entry.worker.isUsable else {
            return
        }
        self.frame.begin(exchange, name, .none, mayInterrupt: false)
        var call = unsafe relay_exchange_end_call()
        let size = unsafe MemoryLayout<relay_exchange_end_call>.size
        unsafe call.call = entry.call(name, size)
        unsafe call.status = UInt32(summary.status)
        unsafe call.has_data = entry.returned == nil ? 0 : 1
        unsafe call.data = entry.returned ?? 0
        let duration = (exchange.loop.now - exchange.startTime).components
        unsafe call.duration = UInt64(
            clamping: duration.seconds &* 1_000_000_000 &+ duration.attoseconds / 1_000_000_000
        )
        unsafe call.request_bytes = summary.requestBytes
        unsafe call.response_bytes = summary.responseBytes
        unsafe withUnsafeMutablePointer(to: &entry.own) { own in
            unsafe call.call.own = own
            self.timed(entry.worker, "exchange_end") { unsafe hook(&call) }
        }
        self.frame.end()
    }

    /// Calls a hook that gives a verdict.
    @inline(__always)
    private func run<Call>(
        _ entry: inout PluginChain.Entry,
        _ name: UInt64,
        _ set: (inout Call, relay_exchange_call) -> Void,
        _ call: inout Call,
        _ size: Int,
        _ hook: (UnsafePointer<Call>) -> relay_verdict,
        _ finally: () -> Void = {}
    ) -> Outcome {
        defer { self.frame.end() }
        guard entry.worker.isUsable else {
            finally()
            return .failed
        }
        self.frame.mayPause = self.frame.mayInterrupt && entry.returned == nil
        self.frame.pauseMax = entry.worker.instance.configuration.timeout
        var verdict: relay_verdict = 0
        let worker = entry.worker
        var begin = unsafe entry.call(name, size)
        unsafe withUnsafeMutablePointer(to: &entry.own) { own in
            unsafe begin.own = own
            unsafe set(&call, begin)
            unsafe withUnsafePointer(to: &call) { call in
                self.timed(worker, "a hook") { verdict = unsafe hook(call) }
            }
        }
        finally()
        return self.outcome(of: verdict, &entry)
    }

    private func outcome(of verdict: relay_verdict, _ entry: inout PluginChain.Entry) -> Outcome {
        if verdict == UInt32(RELAY_PAUSE), let token = self.frame.token {
            return .pause(token: token, self.frame.pause)
        }
        if let token = self.frame.token {
            // Who has resumed it in spite of that gets the data back at the end.
            entry.returned = PluginPauses.shared.end(token)
        }
        switch verdict {
        case UInt32(RELAY_CONTINUE): return .proceed
        case UInt32(RELAY_RESPOND): return self.frame.answer.map { .answer($0) } ?? .failed
        default: return .failed
        }
    }

    /// Runs a hook and says so if it takes too long: meanwhile nothing else happens on the loop.
    ///
    /// The clock is the coarse one: it costs a few nanoseconds, and its ticks are finer than what is looked for.
    @inline(__always)
    private func timed(_ worker: PluginWorker, _ hook: StaticString, _ body: () -> Void) {
        let start = PluginHostTable.nanoseconds(of: CLOCK_MONOTONIC_COARSE)
        PluginThread.run(self.running, body)
        let taken = PluginHostTable.nanoseconds(of: CLOCK_MONOTONIC_COARSE) &- start
        if taken > Self.patience { worker.tookLong(hook, nanoseconds: taken) }
    }
}
