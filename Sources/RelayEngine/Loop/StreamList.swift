/// Where a stream can wait; each has a link of its own in the stream.
enum StreamLink: Int {
    /// For its turn to read.
    case ready
    /// For its output to be sent at the end of the turn.
    case unflushed
    /// For its end, at the end of the turn.
    case ending
}

/// Streams that wait for the same thing, in order, each at most once.
///
/// The links are the streams' own, so that entering and leaving allocate nothing.
///
/// `@safe`: `last` is unmanaged to spare a reference count on the hot path; it is in the list, so
/// that `first`, or the link of the stream before it, keeps it alive.
@safe
struct StreamList {
    private let link: StreamLink
    private var first: Stream?
    private var last: Unmanaged<Stream>?

    init(_ link: StreamLink) {
        self.link = link
    }

    var isEmpty: Bool { self.first == nil }

    /// Appends a stream that is not in the list.
    mutating func append(_ stream: Stream) {
        if let last = unsafe self.last {
            unsafe last._withUnsafeGuaranteedRef { $0.setNext(stream, self.link) }
        } else {
            self.first = stream
        }
        unsafe self.last = Unmanaged.passUnretained(stream)
    }

    /// Takes the first stream out.
    mutating func popFirst() -> Stream? {
        guard let stream = self.first.take() else { return nil }
        self.first = stream.takeNext(self.link)
        if self.first == nil { unsafe self.last = nil }
        return stream
    }
}
