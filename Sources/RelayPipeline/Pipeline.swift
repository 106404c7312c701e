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

    /// The steps, in order.
    package let steps: [Step]

    /// A pipeline of these steps.
    package init(_ steps: [Step]) { self.steps = steps }

    /// Asks stage after stage; a request that none takes is answered with 404.
    ///
    /// Before them the listener's `cors` is asked.
    package func run(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>) -> Verdict {
        if let crossOrigin = exchange.listener.crossOrigin {
            let verdict = crossOrigin.requestReceived(exchange, request, bytes)
            if case .responded = verdict { return verdict }
        }
        for step in self.steps {
            if let when = step.when, !when.holds(exchange, request, bytes) { continue }
            let verdict = step.stage.requestReceived(exchange, request, bytes)
            if case .proceed = verdict { continue }
            return verdict
        }
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
