package import RelayStore
import Synchronization

/// Dead letters that are tried again.
extension PacketRelay {
    /// Puts the packet of a dead letter at the end of its client's queue.
    ///
    /// The backend knows it by the name that it had; for a client it is a new one. `completion` is called once, on
    /// any thread, when it is stored, with its number; 0 if it became a dead letter again at once. From any thread.
    ///
    /// - Parameter contents: what it carries.
    /// - Returns: false if there is no such dead letter, or one that cannot be tried again; then nobody is called.
    package func retry(
        _ letter: DeadLetter,
        _ contents: PacketContents,
        at now: StoreInstant,
        _ completion: @escaping @Sendable (PacketNumber) -> Void
    ) -> Bool {
        let contents =
            letter.direction == .toBackend
            ? PacketIdentity.keeping(letter.number, contents) : contents
        let isFirst = self.retries.withLock { retries in
            guard retries[letter.id] == nil else { return false }
            retries[letter.id] = completion
            return true
        }
        guard isFirst else { return false }
        let isRetried = self.store.retryDeadLetter(letter.id, contents, at: now, to: self)
        if !isRetried { self.retries.withLock { _ = $0.removeValue(forKey: letter.id) } }
        return isRetried
    }

    /// The packet is stored.
    func retried(_ id: UInt64, _ number: PacketNumber) {
        self.retries.withLock { $0.removeValue(forKey: id) }?(number)
    }
}

extension DeadLetter.Reason {
    /// What people read: a few words.
    package var text: String { self.logText }
}
