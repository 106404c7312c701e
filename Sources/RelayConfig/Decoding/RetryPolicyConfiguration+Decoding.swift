extension RetryPolicyConfiguration {
    /// The keys of a retry policy.
    static let section = Section<Self>(
        "retry_policies",
        [
            Key(
                "attempts",
                \.attemptsMax,
                Form<Int>.count(1...1_000_000).orWord("unlimited", else: "a number")
            ),
            Key("on", \.conditions, .conditions),
            Key("methods", \.methods, .word()),
            Key("backoff", \.backoff, BackoffConfiguration.section),
            Key(
                optional: "per_try_timeout",
                \.perTryTimeout,
                .duration(.milliseconds(10) ... .days(1))
            ),
            Key("budget", \.budgetPercent, .percent(0...100)),
        ]
    )
}

extension BackoffConfiguration {
    /// The keys of `backoff`.
    static let section = Section<Self>(
        "backoff",
        [
            Key("initial", \.initial, .duration(.milliseconds(1) ... .hours(1))),
            Key("max", \.max, .duration(.milliseconds(1) ... .days(1))),
        ]
    ) { backoff, node, reading in
        guard backoff.max < backoff.initial else { return }
        let place = node["max"] ?? node["initial"] ?? node
        reading.error(at: place, "'max' is below 'initial'; make it at least as long")
    }
}

extension Form<Set<RetryPolicyConfiguration.Condition>> {
    /// A list of conditions, which may be empty.
    fileprivate static let conditions = Form<[RetryPolicyConfiguration.Condition]>
        .oneOrMore(.condition, allowsNone: true)
        .map({ Set($0) }, back: { $0.sorted { $0.rank < $1.rank } })
}

extension Form<RetryPolicyConfiguration.Condition> {
    /// `connect`, `reset`, `timeout`, or a status.
    fileprivate static let condition = scalar("a condition") { word throws(Rejection) in
        switch word.text {
        case "connect": return .connect
        case "reset": return .reset
        case "timeout": return .timeout
        default: break
        }
        guard let status = Quantity(word.text), status.unit.isEmpty else {
            throw Rejection(unknown: word, known: ["connect", "reset", "timeout", "503"])
        }
        guard (400...599).contains(status.number) else {
            throw Rejection("takes statuses of 400 to 599, not \(word.shown)")
        }
        return .status(status.number)
    } print: { condition in
        switch condition {
        case .connect: "connect"
        case .reset: "reset"
        case .timeout: "timeout"
        case .status(let status): "\(status)"
        }
    }
}

extension RetryPolicyConfiguration.Condition {
    /// The order in which conditions are printed.
    fileprivate var rank: Int {
        switch self {
        case .connect: 0
        case .reset: 1
        case .timeout: 2
        case .status(let status): status
        }
    }
}
