/// `shutdown`: how relay stops.
package struct ShutdownConfiguration: Sendable, Equatable {
    /// `drain_timeout`: how long exchanges under way may take to finish before their connections
    /// are closed.
    ///
    /// Default 30s; 0s to 1d. 0s closes them at once.
    package var drainTimeout: Duration = .seconds(30)

    /// `grace`: how long relay still accepts after it was told to stop, while `/readyz` says 503;
    /// held polls are then answered over as long again, at most half of `drain_timeout`.
    ///
    /// Default 0s; 0s to 1d. 0s stops accepting at once.
    package var grace: Duration = .zero

    /// The defaults.
    package init() {}
}
