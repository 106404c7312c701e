extension PushConfiguration {
    /// The keys of `push`.
    static let section = Section<Self>(
        "push",
        [
            Key("realm", \.realm, .realm, required: true),
            Key("secrets", \.secrets, .list(of: .secret), required: true),
        ],
        later: ["client_certificates"]
    )

    /// A stage that stands in until its required keys are read.
    static let draft = PushConfiguration(realm: "", secrets: [])
}
