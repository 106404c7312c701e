import CRelayPlugin
import RelayConfig
import RelayEngine
import RelayHTTP

/// The plugins that have seen a request, which its response passes in reverse order.
///
/// An answer is given to it in the place of the carrier; when all plugins have let it pass, the exchange delivers it. An
/// answer that waits for a plugin is kept here, with what of its body was written meanwhile, and who writes more is told
/// to stop. Bound to its loop.
final class PluginChain: TimerTarget {
    /// The use of a plugin by one exchange.
    ///
    /// `@safe`: `own` is the plugin's and only handed back to it.
    @safe
    struct Entry {
        let worker: PluginWorker
        let onError: PluginUse.OnError
        /// The plugin's pointer for this exchange.
        var own: UnsafeMutableRawPointer?
        /// Data of a resume that came too late.
        var returned: UInt64?

        /// What begins the argument of every hook.
        @inline(__always)
        func call(_ name: UInt64, _ size: Int) -> relay_exchange_call {
            unsafe relay_exchange_call(
                size: UInt32(size),
                reserved: 0,
                exchange: name,
                state: self.worker.instance.state,
                worker: self.worker.pointer,
                own: nil
            )
        }
    }

    /// An answer on its way to the client.
    struct Answer {
        var status: UInt16
        /// Complete field lines.
        var fields: [UInt8]
        var body: Body
        /// Whether it is not a target's.
        var isOwn: Bool

        enum Body {
            case whole([UInt8], from: Int)
            case streamed(length: UInt64?)
        }
    }

    /// What a plugin hears at the end.
    struct Summary {
        var status: UInt16 = 0
        var requestBytes: UInt64 = 0
        var responseBytes: UInt64 = 0
    }

    /// A wait for a plugin.
    private struct Wait {
        let token: UInt64
        let timer: TimerHandle
        let entry: Int
        let exchange: Exchange
        /// The request that waits; nil if it is the answer.
        let suspended: SuspendedExchange?
    }

    private let calls: PluginCalls
    private let name: UInt64
    private var entries: [Entry] = []
    private var wait: Wait?
    private var summary = Summary()

    /// The answer, from when it was given until it is delivered.
    private var answer: Answer?
    /// The plugin that the answer comes to next; below 0: the client.
    private var nextEntry = -1
    /// What of the body was written while the answer waited, and whether that is all.
    private var held: [UInt8] = []
    private var isHeldWhole = false
    /// Whether the answer is that of the plugin which was asked last.
    private var isAnsweredByLast = false

    init(_ calls: PluginCalls) {
        self.calls = calls
        self.name = calls.makeName()
        self.entries.reserveCapacity(2)
    }

    // MARK: The request

    /// Asks a plugin about the request.
    func requestReceived(
        _ worker: PluginWorker,
        _ onError: PluginUse.OnError,
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        let index = self.entries.count
        self.entries.append(unsafe Entry(worker: worker, onError: onError, own: nil, returned: nil))
        switch self.calls.requestHead(&self.entries[index], self.name, exchange, request, bytes) {
        case .proceed:
            return .proceed
        case .pause(let token, let duration):
            let suspended = SuspendedExchange(request, bytes)
            self.wait(token, duration, index, exchange, suspended)
            exchange.pauseBody()
            return .suspend(suspended)
        case .answer(let answer):
            self.answer(exchange, answer)
            return .responded
        case .failed:
            worker.failed(exchange, "request_head")
            guard onError == .fail else { return .proceed }
            exchange.respondPluginFailed()
            return .responded
        }
    }

    private func answer(_ exchange: Exchange, _ answer: PluginAnswer) {
        self.isAnsweredByLast = true
        exchange.respond(status: answer.status, fields: answer.fields.span, body: answer.body.span)
    }

    /// What becomes of a request that has waited.
    private func decide(
        _ outcome: PluginCalls.Outcome,
        _ ended: Wait,
        _ suspended: SuspendedExchange
    ) {
        let entry = self.entries[ended.entry]
        switch outcome {
        case .proceed:
            suspended.goOn(ended.exchange)
        case .pause(let token, let duration):
            self.wait(token, duration, ended.entry, ended.exchange, suspended)
        case .answer(let answer):
            self.answer(ended.exchange, answer)
        case .failed:
            entry.worker.failed(ended.exchange, "the request waited in vain")
            if entry.onError == .fail {
                ended.exchange.respondPluginFailed()
            } else {
                suspended.goOn(ended.exchange)
            }
        }
    }

    /// Counts a piece of the request's body; false, and an answer was given, if it is too large for who has taken it after
    /// a wait: the carrier knows the limit of before.
    func bodyReceived(_ count: Int, _ exchange: Exchange) -> Bool {
        self.summary.requestBytes &+= UInt64(count)
        guard self.summary.requestBytes > exchange.bodyBytesMax, !exchange.isAnswered else {
            return true
        }
        exchange.respond(
            Problem(RequestFault.bodyTooLarge),
            detail: RequestFault.bodyTooLarge.detail.description
        )
        return false
    }

    // MARK: Waiting

    private func wait(
        _ token: UInt64,
        _ duration: Duration,
        _ entry: Int,
        _ exchange: Exchange,
        _ suspended: SuspendedExchange?
    ) {
        let timer = self.calls.loop.arm(self, tag: 0, at: self.calls.loop.now + duration)
        self.calls.waiting[token] = self
        self.wait = Wait(
            token: token,
            timer: timer,
            entry: entry,
            exchange: exchange,
            suspended: suspended
        )
    }

    /// The plugin has resumed the exchange.
    func resumed(_ token: UInt64, data: UInt64) {
        guard let ended = self.wait, ended.token == token else { return }
        self.wait = nil
        self.calls.loop.cancel(ended.timer)
        let outcome = self.calls.resumed(
            &self.entries[ended.entry],
            self.name,
            ended.exchange,
            data: data,
            ended.suspended,
            &self.answer
        )
        self.go(on: outcome, after: ended)
    }

    /// The plugin has not resumed the exchange in time; called by the loop.
    func timerElapsed(_ tag: UInt32) {
        guard let ended = self.wait else { return }
        self.calls.waiting[ended.token] = nil
        if let data = PluginPauses.shared.end(ended.token) {
            // It has, a moment ago.
            return self.resumed(ended.token, data: data)
        }
        self.wait = nil
        self.go(on: .failed, after: ended)
    }

    private func go(on outcome: PluginCalls.Outcome, after ended: Wait) {
        if let suspended = ended.suspended {
            self.decide(outcome, ended, suspended)
        } else {
            self.take(outcome, of: ended.entry, ended.exchange)
            self.passOn(ended.exchange)
        }
    }

    // MARK: The response

    /// An answer was given: it passes the plugins, and is delivered, now or later.
    func answerGiven(_ answer: Answer, _ exchange: Exchange) {
        self.endWaitOfRequest()
        self.answer = answer
        // Not the plugin whose answer it is, which is the last that has seen the request.
        self.nextEntry = self.entries.count - 1
        if self.isAnsweredByLast { self.nextEntry -= 1 }
        self.passOn(exchange)
    }

    /// The answer is a 101, which plugins are not asked about: it ends the protocol that they know.
    func tunnelBegan() { self.summary.status = 101 }

    /// A request that is answered waits for nothing: its body was too large, say.
    private func endWaitOfRequest() {
        guard let ended = self.wait, ended.suspended != nil else { return }
        self.wait = nil
        self.calls.loop.cancel(ended.timer)
        self.calls.waiting[ended.token] = nil
        self.entries[ended.entry].returned = PluginPauses.shared.end(ended.token)
    }

    private func passOn(_ exchange: Exchange) {
        while self.wait == nil, self.nextEntry >= 0, var answer = self.answer {
            let index = self.nextEntry
            self.nextEntry -= 1
            let outcome = self.calls.responseHead(
                &self.entries[index],
                self.name,
                exchange,
                &answer
            )
            self.answer = answer
            self.take(outcome, of: index, exchange)
        }
        guard self.wait == nil, let answer = self.answer.take() else { return }
        self.summary.status = answer.status
        if case .whole(let bytes, let from) = answer.body {
            self.summary.responseBytes = UInt64(clamping: bytes.count - min(from, bytes.count))
        }
        let held = self.held
        self.held = []
        exchange.deliver(answer, held: held, isWhole: self.isHeldWhole)
    }

    /// Does what a plugin has decided about the answer.
    private func take(_ outcome: PluginCalls.Outcome, of index: Int, _ exchange: Exchange) {
        switch outcome {
        case .proceed:
            break
        case .pause(let token, let duration):
            self.wait(token, duration, index, exchange, nil)
        case .answer(let answer):
            self.answer = Answer(
                status: answer.status,
                fields: answer.fields,
                body: .whole(answer.body, from: 0),
                isOwn: true
            )
        case .failed:
            self.entries[index].worker.failed(exchange, "response_head")
            // An answer that gives a packet to its client goes out in any case: it would be lost.
            guard self.entries[index].onError == .fail, !exchange.watchesDelivery else { return }
            self.answer = Exchange.pluginFailure
        }
    }

    /// A piece of the body was written; false: it is kept here, because the answer waits, and no more should come.
    func bodyWritten(_ bytes: Span<UInt8>) -> Bool {
        self.summary.responseBytes &+= UInt64(bytes.count)
        guard self.answer != nil else { return true }
        self.held.append(bytes)
        return false
    }

    /// The body is complete; false: the answer waits, and its end is remembered.
    func bodyEnded() -> Bool {
        guard self.answer != nil else { return true }
        self.isHeldWhole = true
        return false
    }

    // MARK: The end

    /// The exchange is over: the last call for every plugin.
    func exchangeEnded(_ exchange: Exchange) {
        if let ended = self.wait.take() {
            self.calls.loop.cancel(ended.timer)
            self.calls.waiting[ended.token] = nil
            self.entries[ended.entry].returned = PluginPauses.shared.end(ended.token)
        }
        self.answer = nil
        for index in self.entries.indices {
            self.calls.exchangeEnd(&self.entries[index], self.name, exchange, self.summary)
        }
    }
}

@available(*, unavailable) extension PluginChain: Sendable {}
