import RelayAdmin

/// Reloads one after the other: what is asked while one is under way becomes one more after it, because the one
/// under way may have read the file before it was changed.
struct ReloadQueue {
    /// Whom a reload answers to.
    typealias Completion = @Sendable (ReloadResult) -> Void

    private var current: [Completion] = []
    private var next: [Completion] = []

    /// Whether a reload is under way, or has to begin.
    private(set) var isUnderWay = false

    /// Somebody wants a reload; true: one is to begin now.
    mutating func asked(_ completion: @escaping Completion) -> Bool {
        if self.isUnderWay {
            self.next.append(completion)
            return false
        }
        self.isUnderWay = true
        self.current = [completion]
        return true
    }

    /// The reload is over: whom to answer.
    ///
    /// If `isUnderWay` still holds, another one is to begin.
    mutating func ended() -> [Completion] {
        let answered = self.current
        self.current = self.next
        self.next = []
        self.isUnderWay = !self.current.isEmpty
        return answered
    }
}
