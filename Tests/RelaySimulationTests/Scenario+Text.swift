import RelayEngine
import SimulatedSystem

/// relay.yaml of a world.
extension Scenario {
    /// Where clients of the packet protocol connect.
    static let listener = SocketAddress.loopback(port: 8080)
    /// Where packets are pushed.
    static let pushListener = SocketAddress.loopback(port: 8081)
    /// Where requests are proxied.
    static let webListener = SocketAddress.loopback(port: 8082)
    /// What a push has to show.
    static let pushSecret = "push-secret"
    /// The largest body of a packet, where backends give larger ones.
    static let packetBytesMax = 49_152
    /// How long a web target may take for the head of an answer.
    static let webTimeout = Duration.seconds(5)

    /// Where target `index` of a pool is.
    static func address(ofTarget index: Int, isSide: Bool) -> SocketAddress {
        .loopback(port: UInt16((isSide ? 9101 : 9001) + index))
    }

    /// Where target `index` of the web pool is.
    static func address(ofWebTarget index: Int) -> SocketAddress {
        .loopback(port: UInt16(9201 + index))
    }

    /// relay.yaml; `revision` above 0 changes what a reload may change.
    func text(revision: Int = 0) -> String {
        var lines = ["version: 1", "store: { memory: {} }"]
        lines.append(
            "shutdown: { drain_timeout: 60s, grace: \(self.graceMilliseconds)ms }"
        )
        lines += ["listeners:", "  packets:", "    bind: 127.0.0.1:8080", "    pipeline:"]
        lines.append("      - auth: { pool: main }")
        lines.append("      - buffer: { \(self.buffer.joined(separator: ", ")) }")
        if self.hasSidePool {
            lines.append("      - route:")
            lines.append("          - { match: { header: { X-Pool: side } }, pool: side }")
            lines.append("          - { pool: main }")
        } else {
            lines.append("      - route: main")
        }
        lines += ["  push:", "    bind: 127.0.0.1:8081", "    pipeline:"]
        lines.append("      - push: { realm: main, secrets: [\(Self.pushSecret)] }")
        if self.webClients > 0 {
            lines += ["  web:", "    bind: 127.0.0.1:8082", "    pipeline:", "      - route: web"]
        }
        lines.append("pools:")
        lines += self.pool("main", isSide: false, revision)
        if self.hasSidePool { lines += self.pool("side", isSide: true, revision) }
        if self.webClients > 0 { lines += self.webPool }
        lines.append("retry_policies:")
        lines.append("  packets:")
        lines.append("    attempts: \(self.attemptsMax.map { "\($0)" } ?? "unlimited")")
        lines.append("    backoff: { initial: 100ms, max: 2s }")
        if self.webClients > 0 {
            lines.append("  web: { attempts: 3, backoff: { initial: 25ms, max: 250ms } }")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var buffer: [String] {
        var keys = ["hold: \(self.hold.milliseconds)ms"]
        if let duration = self.packetTTL {
            keys.append("packet_ttl: \(duration.milliseconds)ms")
        }
        if let packets = self.clientPacketsMax {
            keys.append("client_packets: \(packets)")
            if self.dropsOldest { keys.append("overflow: drop_oldest") }
        }
        if let packets = self.inboxPacketsMax { keys.append("inbox_packets: \(packets)") }
        if let packets = self.outboxPacketsMax { keys.append("outbox_packets: \(packets)") }
        if self.hasHugeReplies { keys.append("packet_size: \(Self.packetBytesMax)") }
        return keys
    }

    private func pool(_ name: String, isSide: Bool, _ revision: Int) -> [String] {
        let targets = revision == 2 ? max(self.targets - 1, 1) : self.targets
        let urls = (0..<targets).map { index in
            "{ url: \"http://\(Self.address(ofTarget: index, isSide: isSide))/endpoint\" }"
        }
        var fetch = ["mode: off"]
        if self.fetches {
            fetch = [
                "mode: \(self.fetchesForClients ? "client" : "pool")",
                "connections: \(self.fetchConnections)",
                "interval: \(self.fetchIntervalMilliseconds)ms",
            ]
        }
        return [
            "  \(name):",
            "    targets: [ \(urls.joined(separator: ", ")) ]",
            "    retry: packets",
            "    packet_timeout: \(self.packetTimeout.milliseconds + revision)ms",
            "    fetch: { \(fetch.joined(separator: ", ")) }",
            "    connections: { max: \(self.connectionsMax), idle: \(self.idleMax) }",
        ]
    }

    private var webPool: [String] {
        let urls = (0..<self.targets).map {
            "{ url: \"http://\(Self.address(ofWebTarget: $0))\" }"
        }
        return [
            "  web:",
            "    targets: [ \(urls.joined(separator: ", ")) ]",
            "    retry: web",
            "    response_timeout: \(Self.webTimeout.milliseconds)ms",
            "    connections: { max: \(self.connectionsMax), idle: \(self.idleMax) }",
        ]
    }
}
