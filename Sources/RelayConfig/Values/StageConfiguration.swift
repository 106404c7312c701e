/// One stage of a listener's `pipeline`.
package struct StageConfiguration: Sendable, Equatable {
    /// What the stage does.
    package var kind: Kind

    /// `when`: the requests for which the stage exists.
    ///
    /// Absent: all.
    package var when: MatchConfiguration?

    /// Where it is written; nil if it was made by hand.
    ///
    /// Not compared.
    @Uncompared package var location: SourceLocation? = nil

    /// A stage for every request.
    package init(_ kind: Kind, when: MatchConfiguration? = nil) {
        self.kind = kind
        self.when = when
    }

    /// What a stage does.
    package enum Kind: Sendable, Equatable {
        /// Logs clients in, at its own paths.
        case auth(AuthConfiguration)
        /// Changes the headers of what passes.
        case headers(HeaderFilterConfiguration)
        /// Takes packets and polls, at its own path.
        ///
        /// Has an `auth` before it.
        case buffer(BufferConfiguration)
        /// Takes packets for clients, at its own path.
        case push(PushConfiguration)
        /// Says where requests and packets go.
        ///
        /// The last of its pipeline.
        case route(RouteConfiguration)
        /// Calls a plugin.
        case plugin(PluginUse)
    }
}
