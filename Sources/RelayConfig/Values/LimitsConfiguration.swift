/// `limits` of a listener: what a client may send, and how fast.
package struct LimitsConfiguration: Sendable, Equatable {
    /// `header_size`: the bytes of a request's head; more is a 431.
    ///
    /// Default 32KiB; 1KiB to 1MiB.
    package var headerBytesMax = 32 << 10

    /// `header_count`: the fields of a request's head; more is a 431.
    ///
    /// Default 100; 1 to 10000.
    package var headerCountMax = 100

    /// `body_size`: the bytes of a request's body, except a packet's, which `packet_size` of
    /// `buffer` limits; more is a 413.
    ///
    /// Default 1MiB; 0 to 1TiB. 0 allows no body.
    package var bodyBytesMax = 1 << 20

    /// `buffered`: the bytes of bodies kept in memory for all requests of this listener together;
    /// beyond it requests with a body get a 503.
    ///
    /// Default 256MiB; 64KiB to 1TiB.
    package var bufferedBytesMax = 256 << 20

    /// `header_timeout`: from a request's first byte to the end of its head; then 408 and close.
    ///
    /// Also the time a new connection has for its first byte. Default 10s; 10ms to 1h.
    package var headerTimeout: Duration = .seconds(10)

    /// `body_rate`: the least average of bytes per second of a body after its first 5 s; a slower
    /// one is a 408.
    ///
    /// Default 1KiB/s; 0/s to 1GiB/s. 0 allows any.
    package var bodyBytesPerSecondMin = 1 << 10

    /// `stall_timeout`: how long a client may send no byte of a body, or take none of an answer that waits for it.
    ///
    /// Default 60s; 10ms to 1d.
    package var stallTimeout: Duration = .seconds(60)

    /// `idle_timeout`: how long a connection may wait for its next request; a held poll is not
    /// idle.
    ///
    /// Default 75s; 10ms to 1d.
    package var idleTimeout: Duration = .seconds(75)

    /// `max_connections`: connections at a time; accepting pauses at the limit.
    ///
    /// Default 100000; 1 to 10000000.
    package var connectionsMax = 100_000

    /// `source_connections`: connections at a time from one address, or from one /64 of IPv6; one more is answered
    /// with 429 and closed.
    ///
    /// `trusted_proxies` and unix sockets have no such limit. Absent: only `max_connections` counts. 1 to 10000000.
    package var sourceConnectionsMax: Int?

    /// The defaults.
    package init() {}
}
