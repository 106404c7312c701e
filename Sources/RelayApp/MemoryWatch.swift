import RelayPipeline

/// Judges how much memory is used, as a share of `memory.limit`.
///
/// | level | begins at | ends below |
/// |---|---|---|
/// | `short` | 80 % | 75 % |
/// | `critical` | 95 % | 90 % |
///
/// The gap keeps relay from changing its mind with every packet.
struct MemoryWatch {
    /// `memory.limit`, in bytes.
    let limitBytes: Int

    /// What was measured last.
    private(set) var level = MemoryLevel.ample

    /// Watches a limit; more than 0.
    init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// What `limit: auto` means where so many bytes are available: 70 %.
    static func automaticLimit(of availableBytes: Int) -> Int { availableBytes / 10 * 7 }

    /// So many bytes are used; the level if it has changed.
    mutating func measured(_ bytes: Int) -> MemoryLevel? {
        let share = Double(bytes) / Double(self.limitBytes)
        let level: MemoryLevel =
            if share >= (self.level == .critical ? 0.90 : 0.95) {
                .critical
            } else if share >= (self.level == .ample ? 0.80 : 0.75) {
                .short
            } else {
                .ample
            }
        guard level != self.level else { return nil }
        self.level = level
        return level
    }
}
