extension Configuration {
    /// The keys of the whole file.
    ///
    /// What is named stands before what names it, since keys are read in this order.
    static let section = Section<Self>(
        "relay.yaml",
        [
            Key("version", \.self, .version),
            Key(readElsewhere: "include"),
            Key("workers", \.workers, Form<Int>.count(1...256).orWord("auto", else: "a number")),
            Key("shutdown", \.shutdown, ShutdownConfiguration.section),
            Key("memory", \.memory, MemoryConfiguration.section),
            Key("log", \.log, LogConfiguration.section),
            Key(
                optional: "admin",
                \.admin,
                .section(AdminConfiguration.section, draft: AdminConfiguration.draft)
            ),
            Key("store", \.store, StoreConfiguration.section),
            Key("retry_policies", \.retryPolicies, .retryPolicies),
            Key("header_filters", \.headerFilters, .headerFilters),
            Key(optional: "plugins_path", \.givenPluginFolders, .list(of: .folder)),
            Key(optional: "plugins", \.givenPlugins, .plugins),
            Key("pools", \.pools, .pools, required: true),
            Key("listeners", \.listeners, .listeners, required: true),
        ],
        check: { configuration, node, reading in
            if node["version"] == nil {
                reading.error(at: node, "'version' is missing; begin with 'version: 1'")
            }
            ConfigurationCheck(configuration, node).run(&reading)
        }
    )
}

extension Configuration {
    /// `plugins_path`, if there is any: none is not printed.
    fileprivate var givenPluginFolders: [String]? {
        get { self.pluginFolders.isEmpty ? nil : self.pluginFolders }
        set { self.pluginFolders = newValue ?? [] }
    }

    /// `plugins`, if there are any.
    fileprivate var givenPlugins: [PluginConfiguration]? {
        get { self.plugins.isEmpty ? nil : self.plugins }
        set { self.plugins = newValue ?? [] }
    }
}
