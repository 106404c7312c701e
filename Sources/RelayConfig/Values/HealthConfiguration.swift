/// `health` of a pool: how relay finds out which targets to leave alone.
///
/// Without it a target is left alone only while it cannot be connected to.
package struct HealthConfiguration: Sendable, Equatable {
    /// `passive`: by the answers to requests.
    ///
    /// Absent: answers are not judged.
    package var passive: PassiveHealthConfiguration?

    /// Nothing is looked at.
    package init() {}
}

/// `passive` of `health`: a target that fails too often is ejected for a while.
///
/// Failures are connects that fail, connections that break, answers that are not HTTP or do not come in
/// time, and the statuses 502, 503 and 504; a fetch that is held until its timeout is none.
package struct PassiveHealthConfiguration: Sendable, Equatable {
    /// `failures`: so many within `within` eject the target.
    ///
    /// Default 5; 1 to 1000.
    package var failures = 5

    /// `within`: how long a failure counts.
    ///
    /// Default 10s; 10ms to 1h.
    package var within: Duration = .seconds(10)

    /// `eject_for`: how long the target is ejected.
    ///
    /// Default 30s; 10ms to 1d.
    package var ejectFor: Duration = .seconds(30)

    /// `max_ejected`: the share of the targets that may be ejected at a time; where all are, all are
    /// used.
    ///
    /// Default 50%; 0% to 100%.
    package var maxEjectedPercent = 50

    /// The defaults.
    package init() {}
}
