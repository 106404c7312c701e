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

    /// Does something with dead letters.
    ///
    /// `completion` is called once, on any thread, perhaps before this returns.
    func deadLetters(
        _ request: DeadLetterRequest,
        _ completion: @escaping @Sendable (DeadLetterAnswer) -> Void
    )
}

/// What is to be done with dead letters, each named by its id.
package enum DeadLetterRequest: Sendable, Hashable {
    /// All are told, a line for each.
    case list
    /// One is told, with its header fields.
    case show(UInt64)
    /// The body of one is given.
    case body(UInt64)
    /// Its packet waits again, behind all others of its client.
    case retry(UInt64)
    /// It is forgotten.
    case drop(UInt64)

    /// Whether something is different afterwards.
    package var changesSomething: Bool {
        switch self {
        case .list, .show, .body: false
        case .retry, .drop: true
        }
    }
}

/// What became of it.
package enum DeadLetterAnswer: Sendable, Hashable {
    /// Lines of JSON.
    case lines([UInt8])
    /// Text for people.
    case text([UInt8])
    /// The bytes as they came.
    case bytes([UInt8])
    /// There is no such dead letter.
    case unknown
    /// It cannot be tried again: nobody knows for whom it is, or what it carried is gone.
    case useless
    /// The store cannot say, or cannot write, now.
    case unavailable
}

/// How a reload ended.
package enum ReloadResult: Sendable, Hashable {
    /// The new configuration is in force, as this generation.
    case success(generation: Int)
    /// Nothing has changed; the sentences say why, each in the form of the log.
    case failure([String])
}
