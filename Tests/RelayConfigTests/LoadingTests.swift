import Glibc
import RelayConfig
import Testing

struct LoadingTests {
    @Test func `says which file cannot be read, and why`() {
        let loaded = Configuration.load(
            path: "conf/relay.yaml",
            environment: [:],
            files: FilesInMemory(texts: [:])
        )
        #expect(
            loaded.report == """
                error: cannot read 'conf/relay.yaml': No such file or directory; name another file \
                with -c

                """
        )
        #expect(loaded.configuration == nil)
        #expect(loaded.files == [])
    }

    @Test func `reads files of the disk`() {
        let missing = Configuration.load(path: "/nonexistent/relay.yaml", environment: [:])
        #expect(missing.diagnostics.first?.message.contains("No such file or directory") == true)
        let directory = Configuration.load(path: "/", environment: [:])
        #expect(directory.diagnostics.first?.message.contains("Is a directory") == true)
    }

    @Test func `does not wait for ever for a pipe that gives nothing`() throws {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer { ends.forEach { _ = close($0) } }
        let path = "/proc/self/fd/\(ends[0])"
        let files = DiskFiles(patience: .milliseconds(1))
        let empty = Configuration.load(path: path, environment: [:], files: files)
        #expect(empty.diagnostics.first?.message.contains("nothing comes from it") == true)

        let text = Array(configuration(top: "workers: 2").utf8)
        try #require(unsafe write(ends[1], text, text.count) == text.count)
        _ = close(ends[1])
        ends.removeLast()
        let full = Configuration.load(path: path, environment: [:])
        #expect(full.configuration?.workers == 2)
    }

    @Test func `names the files it read, the main one first`() {
        let files = FilesInMemory(texts: [
            "conf/relay.yaml": configuration(top: "include: more/*"),
            "conf/more/b": "workers: 2\n",
            "conf/more/a": "log: { level: debug }\n",
        ])
        let loaded = Configuration.load(path: "conf/relay.yaml", environment: [:], files: files)
        #expect(loaded.files == ["conf/relay.yaml", "conf/more/a", "conf/more/b"])
        #expect(loaded.configuration?.workers == 2)
        #expect(loaded.configuration?.log.level == .debug)
    }

    @Test func `takes the name of a directory as it is, not as a pattern`() {
        let path = GoldenFolder.root + "/good/odd [names]/relay.yaml"
        let loaded = Configuration.load(path: path, environment: [:])
        #expect(loaded.report == "")
        #expect(loaded.files.count == 2)
        #expect(loaded.configuration?.workers == 3)
    }

    @Test func `joins paths with the directory of their file, and takes it off when printing`()
        throws
    {
        let file = configuration().replacing("127.0.0.1:8080", with: "unix:relay.sock")
        let loaded = Configuration.load(text: file, path: "conf/relay.yaml")
        let configuration = try #require(loaded.configuration)
        #expect(configuration.listeners.first?.bind == .unix(path: "conf/relay.sock"))
        let printed = try #require(loaded.printed)
        #expect(printed.contains("bind: unix:relay.sock\n"))
        let again = Configuration.load(text: printed, path: "conf/relay.yaml")
        #expect(again.configuration == configuration)
    }

    @Test func `does not print an unexpanded path that would mean another file`() throws {
        let files = FilesInMemory(texts: [
            "relay.yaml": configuration(top: "include: conf/socket.yaml"),
            "conf/socket.yaml": """
            listeners:
              socket:
                bind: unix:${NAME}.sock
                pipeline: [{ route: app }]
            """,
        ])
        let environment = ["NAME": "relay"]
        let loaded = Configuration.load(path: "relay.yaml", environment: environment, files: files)
        let printed = try #require(loaded.printed)
        #expect(printed.contains("bind: unix:conf/relay.sock\n"))
        let again = Configuration.load(text: printed, environment: environment)
        #expect(again.configuration == loaded.configuration)
    }

    @Test func `fills in every default`() throws {
        let listener = ListenerConfiguration(
            name: "web",
            bind: .tcp(host: "127.0.0.1", port: 8080),
            pipeline: [StageConfiguration(.route(RouteConfiguration(pool: "app")))]
        )
        let url = TargetURL(
            text: "http://127.0.0.1:9000",
            address: .tcp(host: "127.0.0.1", port: 9000),
            authority: "127.0.0.1:9000",
            path: ""
        )
        let pool = PoolConfiguration(name: "app", targets: [TargetConfiguration(url: url)])
        let expected = Configuration(listeners: [listener], pools: [pool])
        #expect(Configuration.load(text: configuration()).configuration == expected)
    }

    @Test func `remembers where things are written`() throws {
        let loaded = Configuration.load(text: configuration())
        let configuration = try #require(loaded.configuration)
        let listener = try #require(configuration.listeners.first)
        let pool = try #require(configuration.pools.first)
        #expect(listener.location?.description == "relay.yaml:4:3")
        #expect(listener.pipeline.first?.location?.description == "relay.yaml:7:9")
        #expect(pool.location?.description == "relay.yaml:9:3")
        #expect(pool.targets.first?.location?.description == "relay.yaml:10:15")
    }

    @Test func `knows every key that it prints, and prints every key`() throws {
        let printed = try #require(GoldenFolder(name: "good").text(of: "everything.printed"))
        let lines = printed.split(separator: "\n").map {
            $0.drop { $0 == " " || $0 == "-" }
        }
        for (section, keys) in ConfigurationKeys.all {
            for key in keys where key != "include" {
                #expect(lines.contains { $0.hasPrefix("\(key):") }, "\(key) of \(section)")
            }
        }
        #expect(ConfigurationKeys.all["relay.yaml"]?.contains("include") == true)
        #expect(ConfigurationKeys.all["auth.paths"] == ["auth", "register", "logout"])
        #expect(ConfigurationKeys.all["store.memory"] == [])
        #expect(ConfigurationKeys.all.count == 34)
    }
}
