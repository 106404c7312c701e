import HeapModule
import RelayEngine
import RelayStore

/// Whose turn it is in `fetch: { mode: client }`: of the clients that have a poll held, the one not asked for
/// longest, each no more often than the interval, and never twice at a time.
///
/// A value that decides and performs nothing. Knows the clients with a held poll, those that are being asked
/// for, and those whose time has not come, who were one or the other an interval ago. By name, because a
/// client whose session ends may be forgotten while it is being asked for, and known again under another
/// handle before the answer.
struct ClientTurns {
    private struct Client {
        /// Polls held, over all event loops.
        var polls = 0
        /// When it was asked for last.
        var askedAt = MonotonicTime(nanoseconds: .min)
        /// How often in a row that failed.
        var failures = 0
        var isAsked = false
        /// The backend says that it has more for it, which is asked for with a poll or without.
        var mayHaveMore = false
        /// Its place in a queue: one of another number is out of date.
        var turn: UInt64?
    }

    private struct Turn: Comparable {
        let time: MonotonicTime
        let number: UInt64
        let client: ClientName

        static func < (left: Turn, right: Turn) -> Bool {
            (left.time, left.number) < (right.time, right.number)
        }
    }

    private var clients: [ClientName: Client] = [:]

    /// Those who may be asked for, by when they were last.
    private var due = Heap<Turn>()

    /// Those whose time has not come, by when it does.
    private var later = Heap<Turn>()

    private var lastTurn: UInt64 = 0

    /// Whether it knows nobody.
    var isEmpty: Bool { self.clients.isEmpty }

    /// When somebody is due who is not yet.
    var nextDueAt: MonotonicTime? { self.later.min?.time }

    // MARK: Polls

    /// One more poll of the client is held.
    mutating func pollHeld(_ client: ClientName, at now: MonotonicTime) {
        self.change(client, at: now) { $0.polls += 1 }
    }

    /// One of them is held no more.
    mutating func pollReleased(_ client: ClientName) {
        // Where it stands in a queue it is forgotten when its turn comes.
        guard let polls = self.clients[client]?.polls, polls > 0 else { return }
        self.clients[client]?.polls = polls - 1
    }

    /// The backend says that it has more for the client: it is due at once, with a poll or without.
    mutating func moreAnnounced(_ client: ClientName, at now: MonotonicTime) {
        guard self.clients[client]?.failures ?? 0 == 0 else { return }
        self.change(client, at: now) {
            $0.mayHaveMore = true
            if !$0.isAsked { $0.turn = nil }
        }
    }

    private mutating func change(
        _ client: ClientName,
        at now: MonotonicTime,
        _ change: (inout Client) -> Void
    ) {
        change(&self.clients[client, default: Client()])
        guard let record = self.clients[client], !record.isAsked, record.turn == nil else { return }
        self.enqueue(client, dueAt: now, at: now)
    }

    // MARK: Asking

    /// Whether there is somebody to be asked for.
    mutating func isSomebodyDue(at now: MonotonicTime) -> Bool {
        while let turn = self.later.min, turn.time <= now {
            self.later.removeMin()
            guard self.clients[turn.client]?.turn == turn.number else { continue }
            self.enqueue(turn.client, dueAt: now, at: now)
        }
        while let turn = self.due.min {
            if let client = self.clients[turn.client], client.turn == turn.number {
                if client.polls > 0 || client.mayHaveMore { return true }
                self.clients[turn.client] = nil
            }
            self.due.removeMin()
        }
        return false
    }

    /// The client whose turn it is; it is being asked for from now on.
    mutating func takeNext(at now: MonotonicTime) -> ClientName? {
        guard self.isSomebodyDue(at: now), let turn = self.due.popMin(),
            var client = self.clients[turn.client]
        else { return nil }
        client.isAsked = true
        client.askedAt = now
        client.mayHaveMore = false
        client.turn = nil
        self.clients[turn.client] = client
        return turn.client
    }

    /// The fetch for the client was answered, or ended by its own timeout.
    ///
    /// It is due again at once after a packet, or where there is more, else `interval` after it was asked for.
    mutating func answered(
        _ client: ClientName,
        hasPacket: Bool,
        announcesMore: Bool,
        interval: Duration,
        at now: MonotonicTime
    ) {
        guard var record = self.clients[client], record.isAsked else { return }
        record.isAsked = false
        record.failures = 0
        record.mayHaveMore = announcesMore
        self.clients[client] = record
        let isDue = hasPacket || announcesMore
        self.enqueue(client, dueAt: isDue ? now : record.askedAt + interval, at: now)
    }

    /// It failed, or was answered with an error.
    ///
    /// - Parameter delay: how long until the client is due again, by the number of the retry, 1 at first.
    mutating func failed(_ client: ClientName, at now: MonotonicTime, delay: (Int) -> Duration) {
        guard var record = self.clients[client], record.isAsked else { return }
        record.isAsked = false
        record.failures = min(record.failures, Int.max - 1) + 1
        self.clients[client] = record
        self.enqueue(client, dueAt: now + delay(record.failures), at: now)
    }

    private mutating func enqueue(
        _ client: ClientName,
        dueAt: MonotonicTime,
        at now: MonotonicTime
    ) {
        guard var record = self.clients[client] else { return }
        self.lastTurn += 1
        record.turn = self.lastTurn
        self.clients[client] = record
        if dueAt <= now {
            self.due.insert(Turn(time: record.askedAt, number: self.lastTurn, client: client))
        } else {
            self.later.insert(Turn(time: dueAt, number: self.lastTurn, client: client))
        }
    }
}
