import RelayConfig
import RelayStore

/// What relay.yaml says, in the store's words.
extension RealmSettings {
    /// What holds for the clients of a realm; all `buffer` stages of one agree.
    init(_ buffer: BufferConfiguration) {
        self.init()
        self.packetTTL = buffer.packetTTL
        self.clientPacketsMax = buffer.clientPacketsMax
        self.clientBytesMax = buffer.clientBytesMax
        self.unknownClientsMax = buffer.unknownClientsMax
        self.dedupeWindow = buffer.dedupeWindow
        self.dedupeKeysMax = buffer.dedupeKeysMax
        self.keepsOrder = buffer.ordering == .client
        switch buffer.overflow {
        case .deadLetter: self.overflow = .deadLetter
        case .dropOldest: self.overflow = .dropOldest
        }
    }
}

extension DiskSettings {
    /// Where the store is on disk.
    init(_ disk: DiskConfiguration) {
        self.init(path: disk.path)
        self.reserveBytes = disk.reserveBytes
    }
}

extension InboxLimits {
    /// How much may wait for a pool that packets of this `buffer` go to.
    init(_ buffer: BufferConfiguration) {
        self.init()
        self.packetsMax = buffer.inboxPacketsMax
        self.bytesMax = buffer.inboxBytesMax
    }
}

extension StoreLimits {
    /// What holds for the whole store.
    ///
    /// Realms may name different totals for the outboxes of all clients together: the largest counts.
    init(_ configuration: Configuration) {
        self.init()
        let buffers = configuration.listeners.compactMap(\.buffer)
        if let packetsMax = buffers.map(\.outboxPacketsMax).max() {
            self.outboxPacketsMax = packetsMax
        }
        if let bytesMax = buffers.map(\.outboxBytesMax).max() { self.outboxBytesMax = bytesMax }
        self.deadLettersKept = configuration.store.deadLetters.keep
        self.deadLettersMax = configuration.store.deadLetters.packetsMax
        self.deadLetterBytesMax = configuration.store.deadLetters.bytesMax
    }
}
