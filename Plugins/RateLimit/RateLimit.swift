import RelayPlugin
import Synchronization

/// Lets each client make so many requests in a time, and answers those beyond with 429.
///
/// ```yaml
/// config:
///   rules:
///     - { rate: 100/s, burst: 200 }                # by the client's address
///     - { rate: 10/m, header: X-Api-Key }          # by the value of a header field
/// ```
///
/// Every rule has a token bucket for each client, which holds `burst` requests and is filled at `rate`. A request needs a
/// token of every rule, and takes none if it is refused. The event loops share the buckets.
final class RateLimit: Plugin {
    static let name = "RateLimit"
    static let version = "1.0"
    static let isGuard = true

    private let rules: [Rule]
    private let buckets: Mutex<Buckets>

    init(_ settings: inout Settings) {
        var rules: [Rule] = []
        while settings.contains("rules/\(rules.count)") {
            rules.append(Rule(&settings, at: "rules/\(rules.count)"))
        }
        if rules.isEmpty { settings.report("", "needs 'rules', a list with at least one rule") }
        self.rules = rules
        let clients = settings.integer("clients", in: 1...10_000_000) ?? 100_000
        self.buckets = Mutex(Buckets(max: clients))
    }

    func makeWorker(loop: Int) -> Limiter { Limiter(self) }

    /// Takes a token of every rule for the request; else gives the seconds until there is one.
    func admit(_ exchange: Exchange) -> Int? {
        let now = SteadyClock.nanoseconds
        let keys = self.rules.enumerated().compactMap { index, rule in
            rule.client(exchange).map { (rule, "\(index) \($0)") }
        }
        return self.buckets.withLock { $0.take(keys, at: now) }
    }
}

/// What asks on one event loop.
final class Limiter: PluginWorker {
    private let limit: RateLimit

    init(_ limit: RateLimit) { self.limit = limit }

    func requestHead(_ exchange: Exchange) -> Verdict {
        guard let seconds = self.limit.admit(exchange) else { return .proceed }
        return .respond(
            Answer(
                status: 429,
                fields: [
                    ("Retry-After", "\(seconds)"), ("Content-Type", "application/problem+json"),
                ],
                text: #"{"type":"about:blank","title":"Too Many Requests","status":429}"#
            )
        )
    }
}

/// How many requests a client may make.
struct Rule: Sendable {
    /// Nanoseconds for one request.
    var interval: UInt64 = 1
    /// Requests at once.
    var burst: UInt64 = 1
    /// The field that tells clients apart; nil: their addresses.
    var field: String?

    /// Reads a rule.
    init(_ settings: inout Settings, at path: String) {
        if let rate = settings.text("\(path)/rate") {
            if let (count, seconds) = Self.rate(rate) {
                self.interval = seconds * 1_000_000_000 / count
                self.burst = count
            } else {
                settings.report(
                    "\(path)/rate",
                    "is a number of requests in a time, as 100/s, 10/m or 5/h"
                )
            }
        } else {
            settings.report(path, "needs a 'rate'")
        }
        if let burst = settings.integer("\(path)/burst", in: 1...1_000_000) {
            self.burst = UInt64(burst)
        }
        self.field = settings.text("\(path)/header")
    }

    /// `10/m` as 10 and 60.
    private static func rate(_ text: String) -> (count: UInt64, seconds: UInt64)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = UInt64(parts[0]), (1...1_000_000).contains(count) else {
            return nil
        }
        switch parts[1] {
        case "s": return (count, 1)
        case "m": return (count, 60)
        case "h": return (count, 3600)
        default: return nil
        }
    }

    /// Who the request is of; nil if the rule is not about it.
    func client(_ exchange: Exchange) -> String? {
        if let field { return exchange[field: field] }
        return exchange[.clientAddress] ?? "unix"
    }
}

/// The token buckets of all clients.
///
/// A bucket is kept as the time at which it will be full again: one that is full is like none.
struct Buckets {
    private var fullAt: [String: UInt64] = [:]
    private let max: Int

    init(max: Int) { self.max = max }

    /// Takes a token of each, or none; then gives the seconds until there is one of each.
    mutating func take(_ keys: [(rule: Rule, key: String)], at now: UInt64) -> Int? {
        var wait: UInt64 = 0
        for (rule, key) in keys {
            let full = Swift.max(self.fullAt[key] ?? 0, now) + rule.interval
            let allowed = now + rule.burst * rule.interval
            if full > allowed { wait = Swift.max(wait, full - allowed) }
        }
        if wait > 0 { return Int((wait + 999_999_999) / 1_000_000_000) }
        if self.fullAt.count + keys.count > self.max { self.makeRoom(at: now) }
        for (rule, key) in keys {
            self.fullAt[key] = Swift.max(self.fullAt[key] ?? 0, now) + rule.interval
        }
        return nil
    }

    /// Forgets the buckets that are full, and all of them if that is not enough: who comes with ever new names must not
    /// take all memory.
    private mutating func makeRoom(at now: UInt64) {
        self.fullAt = self.fullAt.filter { $0.value > now }
        if self.fullAt.count > self.max / 2 { self.fullAt.removeAll(keepingCapacity: true) }
    }
}

/// What relay looks for.
@_cdecl("relay_plugin_entry")
public func entry(_ host: OpaquePointer) -> OpaquePointer? {
    unsafe export(RateLimit.self, to: host)
}
