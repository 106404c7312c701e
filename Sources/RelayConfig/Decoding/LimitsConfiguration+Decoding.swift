extension LimitsConfiguration {
    /// The keys of `limits`.
    static let section = Section<Self>(
        "limits",
        [
            Key("header_size", \.headerBytesMax, .size(1 << 10...1 << 20)),
            Key("header_count", \.headerCountMax, .count(1...10_000)),
            Key("body_size", \.bodyBytesMax, .size(0...1 << 40)),
            Key("buffered", \.bufferedBytesMax, .size(64 << 10...1 << 40)),
            Key("header_timeout", \.headerTimeout, .duration(.milliseconds(10) ... .hours(1))),
            Key("body_rate", \.bodyBytesPerSecondMin, .byteRate(0...1 << 30)),
            Key("stall_timeout", \.stallTimeout, .duration(.milliseconds(10) ... .days(1))),
            Key("idle_timeout", \.idleTimeout, .duration(.milliseconds(10) ... .days(1))),
            Key("max_connections", \.connectionsMax, .count(1...10_000_000)),
            Key(optional: "source_connections", \.sourceConnectionsMax, .count(1...10_000_000)),
        ]
    )
}
