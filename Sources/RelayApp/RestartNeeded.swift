import RelayConfig

/// What a reload cannot change, because everything that runs stands on it.
enum RestartNeeded {
    /// One sentence for each section that differs.
    static func sentences(from old: Configuration, to new: Configuration) -> [String] {
        var sections: [String] = []
        if old.store.kind != new.store.kind { sections.append("store") }
        if old.memory != new.memory { sections.append("memory") }
        if old.workers != new.workers { sections.append("workers") }
        return sections.map { "a change of '\($0)' needs a restart" }
    }
}
