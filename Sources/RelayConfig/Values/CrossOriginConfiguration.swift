/// `cors` of a listener: which pages of other origins may speak the packet protocol with it.
package struct CrossOriginConfiguration: Sendable, Equatable {
    /// The word for all origins.
    package static let anyOrigin = "*"

    /// `origins`: the origins of these pages, each as browsers send it, or `*` alone for all.
    ///
    /// Required, at least one. Compared byte by byte.
    package var origins: [String]

    /// `max_age`: for how long a browser may keep the answer to a preflight, in whole
    /// seconds.
    ///
    /// Default 10m; 0s to 1d. Browsers have maxima of their own.
    package var maxAge: Duration = .seconds(600)

    /// The pages of these origins, with every default.
    package init(origins: [String]) {
        self.origins = origins
    }

    /// Whether pages of all origins may.
    package var allowsAnyOrigin: Bool { self.origins == [Self.anyOrigin] }
}
