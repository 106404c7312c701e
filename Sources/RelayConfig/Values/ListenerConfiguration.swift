/// A listener: an address relay accepts on, and what it does with what comes in.
package struct ListenerConfiguration: Sendable, Equatable {
    /// Its key under `listeners`: in the log and the metrics.
    package var name: String

    /// `bind`: the address.
    ///
    /// Required; no other listener has it.
    package var bind: BindAddress

    /// `limits`: what a client may send, and how fast.
    package var limits = LimitsConfiguration()

    /// `cors`: which pages of other origins may speak the packet protocol.
    ///
    /// Absent: none, and browsers are told nothing about it.
    package var crossOrigin: CrossOriginConfiguration?

    /// `merge_slashes`: whether empty segments of a path (`//`) are removed before matching.
    ///
    /// Default true.
    package var mergesSlashes = true

    /// `trusted_proxies`: peers whose `X-Forwarded-For` is believed and extended.
    ///
    /// None: that of any peer is replaced.
    package var trustedProxies: [AddressRange] = []

    /// `pipeline`: the stages in order.
    ///
    /// Required, at least one.
    package var pipeline: [StageConfiguration]

    /// Where it is written; nil if it was made by hand.
    ///
    /// Not compared.
    @Uncompared package var location: SourceLocation? = nil

    /// A listener with every default.
    package init(name: String, bind: BindAddress, pipeline: [StageConfiguration]) {
        self.name = name
        self.bind = bind
        self.pipeline = pipeline
    }

    /// Whether packets come in here, from clients or by `push`: then filters write none of the
    /// protocol's fields.
    package var takesPackets: Bool {
        self.pipeline.contains { stage in
            switch stage.kind {
            case .buffer, .push: true
            case .auth, .headers, .route, .plugin: false
            }
        }
    }

    /// The `buffer` stage, if this listener takes packets; at most one.
    package var buffer: BufferConfiguration? {
        for stage in self.pipeline {
            if case .buffer(let buffer) = stage.kind { return buffer }
        }
        return nil
    }
}
