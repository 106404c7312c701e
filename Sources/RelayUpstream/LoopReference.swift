import RelayEngine

/// A reference to something of one loop that other threads may keep, and use only by a message to that loop.
///
/// `@unchecked Sendable`: `object` is read on the loop alone, and weakly, so that a stale reference is
/// refused.
final class LoopReference<Object: AnyObject>: @unchecked Sendable {
    /// Where the object lives.
    let loop: EventLoop
    /// The object, nil if it is gone; on the loop only.
    private(set) weak var object: Object?

    /// Refers to `object`, which lives on `loop`.
    init(_ object: Object, loop: EventLoop) {
        self.object = object
        self.loop = loop
    }

    /// Calls `body` on the loop, in a later turn, with the object or with nil if it is gone.
    func post(_ body: @escaping @Sendable (Object?) -> Void) {
        self.loop.post { _ in body(self.object) }
    }
}
