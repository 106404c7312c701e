extension HealthConfiguration {
    /// The keys of `health`.
    static let section = Section<Self>(
        "health",
        [
            Key(
                optional: "active",
                \.active,
                .section(ActiveHealthConfiguration.section, draft: ActiveHealthConfiguration())
            ),
            Key(optional: "passive", \.passive, .passive),
        ]
    )
}

extension ActiveHealthConfiguration {
    /// The keys of `active`.
    static let section = Section<Self>(
        "health.active",
        [
            Key("path", \.path, .path),
            Key("interval", \.interval, .duration(.milliseconds(10) ... .hours(1))),
            Key("timeout", \.timeout, .duration(.milliseconds(1) ... .minutes(10))),
            Key("rise", \.rise, .count(1...1000)),
            Key("fall", \.fall, .count(1...1000)),
            Key("status", \.statuses, .oneOrMore(.statusRange)),
        ]
    )
}

extension Form<ClosedRange<Int>> {
    /// A status, or two with `-` between them.
    fileprivate static let statusRange = scalar("a status or a range like '200-399'") {
        word throws(Rejection) in
        let parts = word.text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            part.utf8.count == 3 ? Int(part).flatMap { 100...599 ~= $0 ? $0 : nil } : nil
        }
        guard (1...2).contains(parts.count), numbers.count == parts.count,
            let first = numbers.first, let last = numbers.last, first <= last
        else {
            throw Rejection("is a status, 100 to 599, or a range like '200-399', not \(word.shown)")
        }
        return first...last
    } print: { range in
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }
}

extension PassiveHealthConfiguration {
    /// The keys of `passive`.
    static let section = Section<Self>(
        "health.passive",
        [
            Key("failures", \.failures, .count(1...1000)),
            Key("within", \.within, .duration(.milliseconds(10) ... .hours(1))),
            Key("eject_for", \.ejectFor, .duration(.milliseconds(10) ... .days(1))),
            Key("max_ejected", \.maxEjectedPercent, .percent(0...100)),
        ]
    )
}

extension Form<HealthConfiguration> {
    /// A section that may be absent.
    static let health = Form(
        sections: HealthConfiguration.section.sections,
        read: { node, name, reading in
            var health = HealthConfiguration()
            HealthConfiguration.section.read(node, as: "'\(name)'", into: &health, &reading)
            return health
        },
        print: { health, node, printing in
            HealthConfiguration.section.print(health, node, printing)
        }
    )
}

extension Form<PassiveHealthConfiguration> {
    /// A section that may be absent.
    fileprivate static let passive = Form(
        sections: PassiveHealthConfiguration.section.sections,
        read: { node, name, reading in
            var passive = PassiveHealthConfiguration()
            PassiveHealthConfiguration.section.read(node, as: "'\(name)'", into: &passive, &reading)
            return passive
        },
        print: { passive, node, printing in
            PassiveHealthConfiguration.section.print(passive, node, printing)
        }
    )
}
