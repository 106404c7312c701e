package import RelayPipeline

/// The stage `headers`: its filter counts for the request, and for what is answered to it.
///
/// It changes nothing itself. Who passes a request or an answer on applies the filters that the exchange has
/// met, once, on the fields that it writes.
package final class HeadersStage: Stage {
    private let filter: HeaderFilter

    /// A stage with a filter, which may serve many stages.
    package init(_ filter: HeaderFilter) {
        self.filter = filter
    }

    /// Notes the filter; the next stage is asked.
    package func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        exchange.apply(self.filter, request, bytes)
        return .proceed
    }
}

@available(*, unavailable) extension HeadersStage: Sendable {}
