/// A plugin of relay: a stage of a pipeline in a shared library (relay-plugin(3)).
///
/// ```swift
/// @_cdecl("relay_plugin_entry")
/// public func entry(_ host: OpaquePointer) -> OpaquePointer? { unsafe export(Hello.self, to: host) }
/// ```
///
/// One value of the type is an instance: what one entry of `plugins` in relay.yaml has configured. It is used on all event
/// loops at once; what belongs to one loop stands in a worker.
public protocol Plugin: Sendable {
    /// What works on one event loop.
    associatedtype Worker: PluginWorker

    /// What the plugin is called in the log.
    static var name: String { get }

    /// Its version, for the log.
    static var version: String { get }

    /// Whether it protects what is behind it, so that a stage may not skip it when it fails.
    ///
    /// Default false.
    static var isGuard: Bool { get }

    /// Takes the settings.
    ///
    /// What is wrong is reported to `settings`, all in one go; a key that was not asked for is an error by itself. An instance
    /// of which anything was reported is not used.
    init(_ settings: inout Settings)

    /// The worker for an event loop, on that loop.
    func makeWorker(loop: Int) -> Worker
}

extension Plugin {
    /// No.
    public static var isGuard: Bool { false }
}

/// A plugin at work on one event loop, which calls it from one thread only: what it keeps needs no lock.
///
/// No function may block, and no argument may be kept.
public protocol PluginWorker: AnyObject {
    /// The head of a request has come.
    func requestHead(_ exchange: Exchange) -> Verdict

    /// The head of a response is about to go out: of a target, or of relay itself.
    func responseHead(_ exchange: Exchange, status: Int, isOwn: Bool) -> Verdict

    /// The exchange is over.
    func exchangeEnded(_ exchange: EndedExchange)
}

extension PluginWorker {
    /// Goes on.
    public func requestHead(_ exchange: Exchange) -> Verdict { .proceed }

    /// Goes on.
    public func responseHead(_ exchange: Exchange, status: Int, isOwn: Bool) -> Verdict { .proceed }

    /// Does nothing.
    public func exchangeEnded(_ exchange: EndedExchange) {}
}

/// What a hook decides.
public enum Verdict: Sendable {
    /// Go on.
    case proceed
    /// Answer this.
    case respond(Answer)
    /// The plugin has failed; `on_error` says what becomes of the exchange.
    case fail
}

/// An answer of a plugin.
public struct Answer: Sendable {
    /// 200 to 599.
    public var status: Int
    /// Names and values.
    public var fields: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// An answer with a text as its body.
    public init(status: Int, fields: [(name: String, value: String)] = [], text: String = "") {
        self.status = status
        self.fields = fields
        self.body = Array(text.utf8)
    }
}

/// What is known of an exchange at its end.
public struct EndedExchange: Sendable {
    /// Its name, as `Exchange.id`.
    public let id: UInt64
    /// The response's status; 0 if there was none.
    public let status: Int
    /// From the request's head to the end.
    public let duration: Duration
    /// Bytes of the bodies.
    public let requestBytes: UInt64
    /// Bytes of the bodies.
    public let responseBytes: UInt64
}
