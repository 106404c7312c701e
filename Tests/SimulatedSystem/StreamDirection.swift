import RelayEngine

/// One direction of a connection: a stream of bytes, and how far each party has come with it.
///
/// ```
///   0 ─── read ─── arrived ─── sent ─── written        bytes, from the start of the stream
///           └ acknowledged is anywhere up to arrived ┘
/// ```
///
/// `written - acknowledged` is what `SIOCOUTQ` gives and what fills the send buffer;
/// `arrived - read` is what the receiver may read and what, left unread at close, makes a reset;
/// `sent - read` fills the receive buffer.
struct StreamDirection {
    /// Bytes from `read` to `written`.
    private var bytes = ByteQueue()
    /// Written by the sender's process.
    private(set) var written = 0
    /// Put on the wire by the sender's kernel.
    private(set) var sent = 0
    /// Received by the receiver's kernel.
    private(set) var arrived = 0
    /// Known to the sender's kernel to have arrived.
    private(set) var acknowledged = 0
    /// Read by the receiver's process.
    private(set) var read = 0
    /// How far FIN has come, which follows the last byte.
    private(set) var fin = Fin.none
    /// When the last segment on its way arrives; later ones arrive later.
    var lastArrival = MonotonicTime(nanoseconds: 0)
    /// Whether the receiver has read since its buffer was full, and the sender was not told yet.
    var windowUpdateIsOnItsWay = false

    /// How far the end of a stream has come.
    enum Fin: Int, Comparable {
        /// The sender has not ended its stream.
        case none
        /// It has, and its kernel still has bytes to send before.
        case queued
        /// On the wire.
        case sent
        /// The receiver's kernel has it.
        case arrived
        /// The sender's kernel knows that.
        case acknowledged

        static func < (left: Fin, right: Fin) -> Bool { left.rawValue < right.rawValue }
    }

    /// `SIOCOUTQ`: bytes not acknowledged, FIN counted as one.
    var unacknowledged: Int {
        self.written - self.acknowledged + (self.fin > .none && self.fin < .acknowledged ? 1 : 0)
    }

    /// Whether something was put on the wire and not acknowledged.
    var isInFlight: Bool {
        self.sent > self.acknowledged || self.fin == .sent || self.fin == .arrived
    }

    /// Whether bytes or FIN wait to be put on the wire.
    var isWaitingToSend: Bool { self.written > self.sent || self.fin == .queued }

    /// How many bytes the receiver may read.
    var readable: Int { self.arrived - self.read }

    /// The sender's process writes.
    mutating func write(_ new: ArraySlice<UInt8>) {
        self.bytes.append(new)
        self.written += new.count
    }

    /// The sender's process ends the stream.
    mutating func end() {
        if self.fin == .none { self.fin = .queued }
    }

    /// A segment of `count` bytes goes out, and FIN with it if it is the last; tells what it carries.
    mutating func segmentSent(_ count: Int) -> (upTo: Int, fin: Bool) {
        self.sent += count
        let carriesFin = self.fin == .queued && self.sent == self.written
        if carriesFin { self.fin = .sent }
        return (self.sent, carriesFin)
    }

    /// A segment arrives.
    mutating func segmentArrived(upTo position: Int, fin: Bool) {
        self.arrived = max(self.arrived, position)
        if fin { self.fin = max(self.fin, .arrived) }
    }

    /// An acknowledgement comes back; false if it says nothing new.
    mutating func acknowledgementArrived(upTo position: Int, fin: Bool) -> Bool {
        guard position > self.acknowledged || (fin && self.fin < .acknowledged) else {
            return false
        }
        self.acknowledged = max(self.acknowledged, position)
        if fin { self.fin = .acknowledged }
        return true
    }

    /// The receiver's process reads `count` bytes, at most `readable`.
    mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        self.read += count
        return self.bytes.take(count)
    }

    /// A reset leaves: what was not sent never will be; what is under way may still arrive before it.
    mutating func cutUnsent() {
        self.bytes.truncate(to: self.sent - self.read)
    }

    /// A reset has arrived: what has not arrived never will.
    mutating func cut() {
        self.bytes.truncate(to: self.readable)
    }
}
