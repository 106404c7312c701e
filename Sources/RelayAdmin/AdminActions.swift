/// What the admin address asks of the running relay.
///
/// Implemented by RelayApp; from any loop.
package protocol AdminActions: AnyObject, Sendable {
    /// Whether relay accepts: a configuration is up, and nobody has told it to stop.
    var isReady: Bool { get }

    /// How relay and its targets do; on the loop of the admin address, which is the control loop.
    func status() -> RelayStatus

    /// Reads the configuration again and takes it over if it is good.
    ///
    /// `completion` is called once, on any thread.
    func reload(_ completion: @escaping @Sendable (ReloadResult) -> Void)
}

/// How a reload ended.
package enum ReloadResult: Sendable, Hashable {
    /// The new configuration is in force, as this generation.
    case success(generation: Int)
    /// Nothing has changed; the sentences say why, each in the form of the log.
    case failure([String])
}
