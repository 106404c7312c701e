import RelayConfig
import RelayHTTP
import Synchronization

/// How much of `memory.limit` is used.
package enum MemoryLevel: UInt8, Sendable, Comparable {
    /// Nothing is refused.
    case ample
    /// New packets, large uploads and logins are refused, and idle connections closed.
    case short
    /// And no connection is accepted.
    case critical

    package static func < (a: MemoryLevel, b: MemoryLevel) -> Bool { a.rawValue < b.rawValue }
}

/// What all loops know of the memory: the level that was measured last.
///
/// From any thread; one relaxed load to read.
package final class MemoryPressure: Sendable {
    private let state = Atomic<UInt8>(MemoryLevel.ample.rawValue)

    /// Ample memory.
    package init() {}

    /// The level.
    package var level: MemoryLevel {
        get { MemoryLevel(rawValue: self.state.load(ordering: .relaxed)) ?? .ample }
        set { self.state.store(newValue.rawValue, ordering: .relaxed) }
    }
}

/// Keeps from a listener what would take more memory while there is little.
///
/// What takes none, or gives some back, is let through: polls and acknowledgements, logout, small requests to
/// applications. Decided on the head, before a byte of the body is kept.
struct MemoryGate {
    /// The largest body that is no large upload.
    private static let smallBodyBytesMax: UInt64 = 64 << 10

    private let pressure: MemoryPressure
    private let loginPaths: [[UInt8]]
    private let packetPaths: [[UInt8]]

    /// The gate of a listener.
    init(_ listener: ListenerConfiguration, _ pressure: MemoryPressure) {
        self.pressure = pressure
        self.loginPaths = listener.loginPaths.map { Array($0.utf8) }
        self.packetPaths = listener.packetPaths.map { Array($0.utf8) }
    }

    /// Whether the request is refused at present.
    func refuses(_ request: Request, _ bytes: Span<UInt8>) -> Bool {
        guard self.pressure.level > .ample else { return false }
        return request.withPath(bytes) { path in
            if self.loginPaths.contains(where: { path.equals($0.span) }) { return true }
            if self.packetPaths.contains(where: { path.equals($0.span) }) {
                return request.announcesBody
            }
            switch request.head.framing {
            case .none: return false
            case .length(let count): return count > Self.smallBodyBytesMax
            case .chunked, .untilClose: return true
            }
        }
    }

    /// Answers a request that is refused.
    func refuse(_ exchange: Exchange) {
        var fields: [UInt8] = []
        fields.appendField(.retryAfter, 1)
        exchange.respond(
            Problem(status: 503),
            detail: "relay is short of memory; try again.",
            fields: fields.span
        )
    }
}

extension ListenerConfiguration {
    /// Where clients log in and register.
    fileprivate var loginPaths: [String] {
        for stage in self.pipeline {
            if case .auth(let auth) = stage.kind { return [auth.authPath, auth.registerPath] }
        }
        return []
    }

    /// Where packets are sent and pushed.
    fileprivate var packetPaths: [String] {
        self.pipeline.compactMap { stage in
            switch stage.kind {
            case .buffer(let buffer): buffer.path
            case .push: PushConfiguration.path
            case .auth, .headers, .route, .plugin: nil
            }
        }
    }
}
