extension HealthConfiguration {
    /// The keys of `health`.
    static let section = Section<Self>(
        "health",
        [Key(optional: "passive", \.passive, .passive)],
        later: ["active"]
    )
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
