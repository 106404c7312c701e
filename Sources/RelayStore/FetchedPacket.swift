/// What tells the packets that answer fetches apart: a backend's own name for one, in its pool.
package struct FetchKey: Sendable, Hashable {
    /// The pool, whose targets share their keys.
    package let pool: PoolID

    /// 1 to 128 visible ASCII characters, as the backend wrote them.
    package let text: [UInt8]

    /// The key `text` of a pool.
    package init(pool: PoolID, text: [UInt8]) {
        self.pool = pool
        self.text = text
    }
}

/// Who fetched a packet, and is told when it has been dealt with.
package struct FetchOrigin: Sendable {
    /// The packet's key.
    package let key: FetchKey

    /// The target that gave it: a number that means something to the caller alone.
    package let target: Int

    /// The event loop.
    package let loop: UInt16

    /// A packet of this key, from this target, fetched by this loop.
    package init(key: FetchKey, target: Int, loop: UInt16) {
        self.key = key
        self.target = target
        self.loop = loop
    }
}

/// A packet with a key that answered a fetch.
package enum FetchedPacket: Sendable {
    /// For a client.
    case reply(Reply)
    /// For nobody, or too large: why it becomes a dead letter or is lost, and for whom it would have been.
    case unusable(PacketContents, DeadLetter.Reason, for: Recipients?)
}
