extension BufferConfiguration {
    /// The keys of `buffer`.
    static let section = Section<Self>(
        "buffer",
        [
            Key("hold", \.hold, .duration(.zero ... .hours(1))),
            Key("path", \.path, .path),
            Key("ordering", \.ordering, .word(), ofRealm: true),
            Key("packet_size", \.packetBytesMax, .size(1...1 << 30), ofRealm: true),
            Key("packet_ttl", \.packetTTL, .duration(.seconds(1) ... .days(3650)), ofRealm: true),
            Key("client_packets", \.clientPacketsMax, .count(1...100_000_000), ofRealm: true),
            Key("client_bytes", \.clientBytesMax, .size(1 << 10...1 << 40), ofRealm: true),
            Key("overflow", \.overflow, .word(), ofRealm: true),
            Key("inbox_packets", \.inboxPacketsMax, .count(1...100_000_000), ofRealm: true),
            Key("inbox_bytes", \.inboxBytesMax, .size(1 << 10...1 << 40), ofRealm: true),
            Key("outbox_packets", \.outboxPacketsMax, .count(1...1_000_000_000), ofRealm: true),
            Key("outbox_bytes", \.outboxBytesMax, .size(1 << 10...1 << 40), ofRealm: true),
            Key("unknown_clients", \.unknownClientsMax, .count(0...100_000_000), ofRealm: true),
            Key("dedupe_window", \.dedupeWindow, .duration(.zero ... .days(365)), ofRealm: true),
            Key("dedupe_keys", \.dedupeKeysMax, .count(0...1_000_000), ofRealm: true),
        ]
    ) { buffer, node, reading in
        if buffer.hold > .seconds(55), let hold = node["hold"] {
            let message = "'hold' is above 55s; a proxy in between is likely to cut at 60s"
            reading.warning(at: hold, message)
        }
        for (key, limit) in [
            ("client_bytes", buffer.clientBytesMax), ("inbox_bytes", buffer.inboxBytesMax),
        ] where buffer.packetBytesMax > limit {
            let place = node["packet_size"] ?? node[key] ?? node
            let message = "'packet_size' is above '\(key)'; lower it or raise '\(key)'"
            reading.error(at: place, message)
        }
    }
}
