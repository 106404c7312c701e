/// A relay.yaml for a test: one listener for packets and the pool behind it, unless a test says more.
///
/// The strings are parts of the file as they stand there.
struct RelayFile {
    var workers = 2
    /// What stands in braces after these keys.
    var shutdown = "drain_timeout: 10s"
    var log = "level: info"
    var admin = ""
    var auth = ""
    var buffer = "hold: 10s"
    var limits = ""
    var retry = "attempts: unlimited, backoff: { initial: 10ms, max: 50ms }"
    /// Further keys of the pool, a line each.
    var pool = ["fetch: { mode: off }"]
    /// Stages between `auth` and `buffer`, a line each.
    var stages: [String] = []
    var route = "backend"
    var listenerKeys: [String] = []
    /// Further lines of the sections and of the file.
    var listeners: [String] = []
    var pools: [String] = []
    var sections: [String] = []

    var listenerAddress: Address
    var adminAddress: Address
    var targets: [Address]

    /// The file on addresses of `host`.
    init(_ host: LoopbackHost) {
        self.listenerAddress = host.at(8080)
        self.adminAddress = host.at(9901)
        self.targets = [host.at(9001)]
    }

    /// The whole file.
    var text: String {
        var lines = [
            "version: 1",
            "workers: \(self.workers)",
            "shutdown: { \(self.shutdown) }",
            "log: { \(self.log) }",
            "admin: { bind: \"\(self.adminAddress)\"\(self.admin.isEmpty ? "" : ", \(self.admin)") }",
            "listeners:",
            "  packets:",
            "    bind: \"\(self.listenerAddress)\"",
            "    limits: { \(self.limits) }",
        ]
        lines += self.listenerKeys.map { "    \($0)" }
        lines += self.packetPipeline
        lines += self.listeners.map { "  \($0)" }
        lines += ["pools:", "  backend:", "    targets:"]
        lines += self.targets.map { "      - { url: \"http://\($0)/endpoint\" }" }
        lines += ["    retry: test"]
        lines += self.pool.map { "    \($0)" }
        lines += self.pools.map { "  \($0)" }
        lines += ["retry_policies:", "  test: { \(self.retry) }"]
        lines += self.sections
        return lines.joined(separator: "\n") + "\n"
    }

    /// The lines of a pipeline of a listener for packets.
    var packetPipeline: [String] {
        ["    pipeline:"]
            + ["      - auth: { pool: backend\(self.auth.isEmpty ? "" : ", \(self.auth)") }"]
            + self.stages.map { "      \($0)" }
            + ["      - buffer: { \(self.buffer) }", "      - route: \(self.route)"]
    }
}
