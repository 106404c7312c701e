import Synchronization

/// What people do with dead letters.
extension PacketStore {
    /// The dead letter with this id, if it is kept.
    package func deadLetter(_ id: UInt64) -> DeadLetter? {
        self.deadLetters.withLock { $0.letter(id) }
    }

    /// Forgets the dead letter with this id; false if there is none.
    package func dropDeadLetter(_ id: UInt64) -> Bool {
        guard self.deadLetters.withLock({ $0.remove(id) }) != nil else { return false }
        self.journal?.record([.letterForgotten(id)])
        return true
    }

    /// Puts the packet of a dead letter at the end of its client's queue, under a new number, with `contents` and
    /// as new as any.
    ///
    /// It is a dead letter no more as soon as it is called. Effects, through `events`: `.retried` when the packet
    /// is stored; and for others. What limits how much may wait for a pool does not hold for it. From any thread.
    ///
    /// - Returns: false if there is no such dead letter, or one that cannot be tried again.
    package func retryDeadLetter(
        _ id: UInt64,
        _ contents: PacketContents,
        at now: StoreInstant,
        to events: any StoreEvents
    ) -> Bool {
        let letter = self.deadLetters.withLock { letters in
            letters.letter(id)?.canBeRetried == true ? letters.remove(id) : nil
        }
        guard let letter else { return false }
        var effects = Effects()
        if self.journaled(.retry(letter, contents), &effects) == nil {
            self.retryWritten(letter, contents, at: now, &effects)
        }
        self.publish(&effects, to: events)
        return true
    }

    func retryWritten(
        _ letter: DeadLetter,
        _ contents: PacketContents,
        number: PacketNumber? = nil,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let client = letter.client else { return }
        let stored = self.withShard(of: client, in: letter.realm) { shard -> PacketNumber? in
            switch (letter.direction, letter.pool) {
            case (.toBackend, let pool?):
                shard.sendAgain(
                    contents,
                    from: client,
                    in: letter.realm,
                    to: pool,
                    number: number,
                    at: now,
                    &effects
                )
            case (.toBackend, nil): nil
            case (.toClient, _):
                shard.store(
                    contents,
                    for: client,
                    in: letter.realm,
                    from: nil,
                    number: number,
                    at: now,
                    &effects
                )
            }
        }
        effects.append(.retried(letter.id, stored ?? 0))
        self.bury(&effects)
    }

    // MARK: For a journal

    /// So many ids that follow each other.
    ///
    /// - Returns: the first.
    func takeLetterIDs(_ count: Int) -> UInt64 {
        self.letterIDs.wrappingAdd(UInt64(count), ordering: .relaxed).oldValue &+ 1
    }

    /// Keeps a letter that has its id and is in the journal.
    func keepDeadLetter(_ letter: DeadLetter) {
        self.letterIDs.max(letter.id, ordering: .relaxed)
        self.deadLetters.withLock { $0.append(letter) }
    }
}

extension DeadLetter {
    /// Whether it says for whom it is, and what it carries is there.
    package var canBeRetried: Bool {
        guard self.reason != .tooLarge, self.reason != .damaged, self.client != nil else {
            return false
        }
        return self.direction == .toClient || self.pool != nil
    }
}
