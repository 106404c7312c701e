package import RelayConfig
import RelayHTTP

/// The stages of a listener in order, with their `when`, for one event loop.
///
/// Never changes.
package final class Pipeline {
    /// A stage and the requests for which it exists.
    package struct Step {
        /// The stage.
        package let stage: any Stage
        /// For which requests; nil: all.
        package let when: Matcher?

        /// A step of a pipeline.
        package init(_ stage: any Stage, when: Matcher? = nil) {
            self.stage = stage
            self.when = when
        }
    }

    /// A step that hands on what its stage does not take.
    ///
    /// Linked rather than in an array, because an object's constants are used without counting a reference.
    private final class Link {
        private let stage: any Stage
        private let when: Matcher?
        private let next: Link?

        init(_ step: Step, next: Link?) {
            self.stage = step.stage
            self.when = step.when
            self.next = next
        }

        func run(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>) -> Verdict {
            if self.when?.holds(exchange, request, bytes) ?? true {
                let verdict = self.stage.requestReceived(exchange, request, bytes)
                if case .suspend(let suspended) = verdict { return self.suspend(suspended) }
                guard case .proceed = verdict else { return verdict }
            }
            return self.next?.run(exchange, request, bytes) ?? .proceed
        }

        /// The stages behind this one see the request later.
        private func suspend(_ suspended: SuspendedExchange) -> Verdict {
            let next = self.next
            suspended.rest = { exchange, request, bytes in
                let verdict = next?.run(exchange, request, bytes) ?? .proceed
                return Pipeline.completed(verdict, exchange)
            }
            return .take(suspended)
        }
    }

    /// The first step; nil if there is none.
    private let first: Link?

    /// A pipeline of these steps, in order.
    package init(_ steps: [Step]) {
        self.first = steps.reversed().reduce(nil) { next, step in Link(step, next: next) }
    }

    /// Asks stage after stage; a request that none takes is answered with 404.
    ///
    /// Before them the listener's `cors` is asked, and whether there is memory for the request.
    package func run(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>) -> Verdict {
        let listener = exchange.listener
        if let crossOrigin = listener.crossOrigin {
            let verdict = crossOrigin.requestReceived(exchange, request, bytes)
            if case .responded = verdict { return verdict }
        }
        if let gate = listener.memoryGate, gate.refuses(request, bytes) {
            gate.refuse(exchange)
            return .responded
        }
        return Self.completed(self.first?.run(exchange, request, bytes) ?? .proceed, exchange)
    }

    /// Answers what no stage has taken.
    private static func completed(_ verdict: Verdict, _ exchange: Exchange) -> Verdict {
        guard case .proceed = verdict else { return verdict }
        exchange.respond(Problem(status: 404), detail: "There is nothing at this path.")
        return .responded
    }
}

@available(*, unavailable) extension Pipeline: Sendable {}

extension ListenerConfiguration {
    /// The stages in the order in which a pipeline asks them: as configured, but that the `headers` stages
    /// behind `buffer` stand before it.
    ///
    /// A stage that takes an exchange is the last that sees it, and yet the filters behind `buffer` count for
    /// packets, too: a packet goes on to the pool that `route` names. Moving them changes nothing for other
    /// requests, because they keep their order among themselves and `buffer` only looks at what it takes.
    package var stagesInEffect: [StageConfiguration] {
        guard
            let buffer = self.pipeline.firstIndex(where: {
                if case .buffer = $0.kind { true } else { false }
            })
        else { return self.pipeline }
        let behind = self.pipeline[(buffer + 1)...]
        return self.pipeline[..<buffer] + behind.filter(\.isHeaders) + [self.pipeline[buffer]]
            + behind.filter { !$0.isHeaders }
    }
}

extension StageConfiguration {
    fileprivate var isHeaders: Bool {
        if case .headers = self.kind { true } else { false }
    }
}
