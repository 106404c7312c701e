/// The keys of a section, for the manual.
struct SectionKeys: Sendable {
    let title: String
    let keys: [String]
}

/// Every key that relay.yaml may have.
package enum ConfigurationKeys {
    /// The keys by section, in the order in which `relay check --print` shows them.
    ///
    /// The whole file is `relay.yaml`; a named thing goes by the key it stands under (`pools`), a
    /// stage by its own, a section within a section by both (`store.dead_letters`).
    package static let all: [String: [String]] = Dictionary(
        Configuration.section.sections.map { ($0.title, $0.keys) },
        uniquingKeysWith: { first, _ in first }
    )
}
