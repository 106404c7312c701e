extension ListenerConfiguration {
    /// The keys of a listener.
    static let section = Section<Self>(
        "listeners",
        [
            Key("bind", \.bind, .bind, required: true),
            Key("limits", \.limits, LimitsConfiguration.section),
            Key(
                optional: "cors",
                \.crossOrigin,
                .section(
                    CrossOriginConfiguration.section,
                    draft: CrossOriginConfiguration(origins: [])
                )
            ),
            Key("merge_slashes", \.mergesSlashes, .flag),
            Key("trusted_proxies", \.trustedProxies, .oneOrMore(.addressRange, allowsNone: true)),
            Key("pipeline", \.pipeline, .list(of: .stage), required: true),
        ],
        later: ["tls"]
    ) { listener, node, reading in
        guard let written = node["pipeline"], case .sequence = written.content else { return }
        let check = PipelineCheck(listener.pipeline, written)
        check.run(&reading)
        listener.pipeline = check.stages.map(\.stage)
        if let crossOrigin = node["cors"] { check.checkCrossOrigin(crossOrigin, &reading) }
    }

    /// A listener that stands in until its required keys are read.
    static func draft(name: String, location: SourceLocation) -> ListenerConfiguration {
        let bind = BindAddress.tcp(host: "", port: 0)
        var listener = ListenerConfiguration(name: name, bind: bind, pipeline: [])
        listener.location = location
        return listener
    }
}
