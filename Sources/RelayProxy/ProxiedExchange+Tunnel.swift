import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayUpstream

/// Tunnels: what is passed on once a target has agreed to another protocol (RFC 9110 section 7.8).
///
/// Up to the 101 it is a request like any other. Then bytes go both ways at the pace of the slower side. The client's
/// end is passed on, and the target may still send; the target's end is that of the tunnel.
extension ProxiedExchange {
    /// A tunnel.
    struct Tunnel {
        /// When a byte came from either side.
        var lastByteAt: MonotonicTime
        /// When to look whether the tunnel is silent.
        var timer: TimerHandle
    }

    /// What `timerElapsed` is about.
    enum TimerTag {
        /// A wait between two attempts.
        static let wait: UInt32 = 0
        /// The silence of a tunnel.
        static let tunnel: UInt32 = 1
    }

    /// The target agrees: so does relay, with these fields and those of the change.
    func beginTunnel(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        fields: inout [UInt8]
    ) {
        fields.appendField(.connection, "Upgrade")
        if let name = head.fields.value(of: .upgrade) {
            fields.appendField(.upgrade, bytes.extracting(name))
        }
        request.bodyBytesKeptMax = 0
        request.stallTimeout = nil
        let now = self.exchange.loop.now
        self.tunnel = Tunnel(lastByteAt: now, timer: .none)
        self.watchTunnel()
        self.exchange.beginTunnel(fields: fields.span)
    }

    /// The client sends no more.
    func tunnelInputEnded() {
        if let attempt = self.attempt { self.pool.endTunnelInput(attempt) }
    }

    /// Ends a tunnel in which nothing has come from either side for `tunnel_timeout`; called by the loop.
    func tunnelTimerElapsed() {
        guard let tunnel = self.tunnel else { return }
        let end = tunnel.lastByteAt + self.pool.configuration.tunnelTimeout
        if end > self.exchange.loop.now { return self.watchTunnel() }
        if let attempt = self.attempt.take() { self.pool.cancel(attempt) }
        self.exchange.endBody()
    }

    /// Has the loop call when the tunnel will have been silent for too long, unless more comes.
    private func watchTunnel() {
        guard let tunnel = self.tunnel else { return }
        let end = tunnel.lastByteAt + self.pool.configuration.tunnelTimeout
        self.tunnel?.timer = self.exchange.loop.arm(self, tag: TimerTag.tunnel, at: end)
    }
}

extension Request {
    /// Whether the client asks for another protocol that may be passed on: not HTTP/2, which would lead past all that
    /// relay says of requests, and not with a body, which would be part of either protocol.
    func asksForTunnel(_ bytes: Span<UInt8>) -> Bool {
        guard let protocols = self.head.upgrade, self.head.version == .http11,
            self.head.isKeepAlive, self.head.framing == .none
        else { return false }
        var members = ListMembers(protocols)
        while let member = members.next(in: bytes) {
            if bytes.extracting(member).equalsIgnoringCase("h2c") { return false }
        }
        return true
    }
}
