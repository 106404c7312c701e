/// `health` of a pool: how relay finds out which targets to leave alone.
///
/// Without it a target is left alone only while it cannot be connected to.
package struct HealthConfiguration: Sendable, Equatable {
    /// `active`: by requests of relay's own.
    ///
    /// Absent: relay asks nothing.
    package var active: ActiveHealthConfiguration?

    /// `passive`: by the answers to requests.
    ///
    /// Absent: answers are not judged.
    package var passive: PassiveHealthConfiguration?

    /// Nothing is looked at.
    package init() {}
}

/// `active` of `health`: relay asks every target again and again whether it is well.
///
/// A target is well until `fall` checks in a row say otherwise.
package struct ActiveHealthConfiguration: Sendable, Equatable {
    /// `path`: what is asked for, by GET; not put behind the path of the target's URL.
    ///
    /// Default /.
    package var path = "/"

    /// `interval`: from the beginning of a check to the beginning of the next.
    ///
    /// Default 5s; 10ms to 1h.
    package var interval: Duration = .seconds(5)

    /// `timeout`: how long a check may take, connecting included.
    ///
    /// Default 1s; 1ms to 10m.
    package var timeout: Duration = .seconds(1)

    /// `rise`: so many good checks in a row make an unwell target well.
    ///
    /// Default 2; 1 to 1000.
    package var rise = 2

    /// `fall`: so many bad checks in a row make a well target unwell.
    ///
    /// Default 3; 1 to 1000.
    package var fall = 3

    /// `status`: the statuses of a good answer.
    ///
    /// Default 200-399; each 100 to 599.
    package var statuses = [200...399]

    /// The defaults.
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
