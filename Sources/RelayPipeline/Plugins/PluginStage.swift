package import RelayConfig
import RelayHTTP

/// The stage `plugin`: asks a plugin about each request, and later about what is answered to it.
package final class PluginStage: Stage {
    private let calls: PluginCalls
    private let worker: PluginWorker
    private let onError: PluginUse.OnError

    /// A stage that calls `worker` by `calls`, both of the same loop.
    package init(_ worker: PluginWorker, calls: PluginCalls, onError: PluginUse.OnError) {
        self.worker = worker
        self.calls = calls
        self.onError = onError
    }

    /// Asks the plugin, whose verdict it is.
    package func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        let chain: PluginChain
        if let known = exchange.plugins {
            chain = known
        } else {
            chain = PluginChain(self.calls)
            exchange.plugins = chain
        }
        return chain.requestReceived(self.worker, self.onError, exchange, request, bytes)
    }
}

@available(*, unavailable) extension PluginStage: Sendable {}
