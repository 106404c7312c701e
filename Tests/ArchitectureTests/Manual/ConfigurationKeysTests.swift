import RelayConfig
import Testing

/// Every key that relay.yaml may have stands in relay.yaml(5), and no other.
struct ConfigurationKeysTests {
    private func manual() throws -> ConfigurationManual {
        ConfigurationManual(try #require(Repository().text(of: "man/relay.yaml.5")))
    }

    /// The page's name for a section, where it is not the section's own.
    private static let names = [
        "relay.yaml": "The top level",
        "header_filters.rules": "Changes of header filters",
        "match": "match and when",
    ]

    private static func name(of section: String) -> String {
        self.names[section] ?? String(section.split(separator: ".").last ?? "")
    }

    /// The keys of a section; `include` is gone when the sections are read.
    private static func keys(of section: String) -> Set<String> {
        Set(ConfigurationKeys.all[section] ?? []).union(section == "relay.yaml" ? ["include"] : [])
    }

    @Test func `the page has every key and no other`() throws {
        let manual = try self.manual()
        for section in ConfigurationKeys.all.keys.sorted() {
            let known = Self.keys(of: section)
            guard !known.isEmpty else { continue }
            let name = Self.name(of: section)
            let documented = Set(manual.section(named: name)?.keys.map(\.name) ?? [])
            #expect(
                documented == known,
                """
                '\(name)' of relay.yaml(5) lacks \(known.subtracting(documented).sorted()), \
                and has \(documented.subtracting(known).sorted()), which do not exist
                """
            )
        }
    }

    @Test func `the page has no section that does not exist`() throws {
        let known = Set(ConfigurationKeys.all.keys.map { Self.name(of: $0) })
        for section in try self.manual().sections {
            #expect(known.contains(section.name), "\(section.title)")
        }
    }
}
