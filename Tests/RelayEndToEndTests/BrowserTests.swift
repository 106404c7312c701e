import Testing

/// The packet protocol spoken by a page in a real browser, from another origin than relay's.
@Suite(.enabled(if: InstalledProgram.chromium != nil, "there is no Chromium on this machine"))
struct BrowserTests {
    /// Logs in, sends a packet, gets the echo, acknowledges it, and is refused once; writes down what
    /// it could read.
    private static func page(relay: Address) -> String {
        """
        <!doctype html>
        <meta charset="utf-8">
        <title>A page at another origin</title>
        <h1>A page at another origin</h1>
        <pre></pre>
        <script type="module">
        const note = (text) => { document.querySelector("pre").textContent += text + "\\n"; };
        const post = (path, headers, body) =>
            fetch("http://\(relay)" + path, { method: "POST", headers, body });
        try {
            const login = await post("/auth", { "X-Device": "browser" }, "alice");
            note(`login: ${login.status}`);
            const bearer = { Authorization: `Bearer ${await login.text()}` };
            const answer = await post("/", { ...bearer, "Content-Type": "application/octet-stream",
                "Packet-Id": "first", "X-Mood": "good", Ack: "0" }, "hello");
            const [number, more, mood] =
                ["Packet-Id", "More", "X-Mood"].map((name) => answer.headers.get(name));
            note(`packet: ${await answer.text()}, ${number > 0}, ${more}, ${mood}`);
            const empty = await post("/", { ...bearer, Ack: number, Prefer: "wait=0" });
            note(`acknowledged: ${empty.status}, ${empty.headers.get("Packet-Id")}`);
            const refused = await post("/", { Authorization: "Bearer wrong" }, "lost");
            const problem = await refused.json();
            note(`refused: ${problem.status}, ${refused.headers.get("WWW-Authenticate")}`);
        } catch (error) {
            note(`failed: ${error.name}`);
        }
        </script>
        """
    }

    /// What the page has written when it comes from `origin`.
    private func text(from origin: Address, _ folder: TemporaryFolder) throws -> [String] {
        let chromium = try #require(InstalledProgram.chromium)
        let browser = try ChildProcess(
            chromium,
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--user-data-dir=\(folder.path)/browser", "--dump-dom",
                "--virtual-time-budget=5000", "http://\(origin)/page",
            ],
            environment: ["HOME": folder.path]
        )
        let exit = try browser.waitForExit(by: .after(.seconds(60)))
        #expect(exit == .code(0))
        let document = browser.outputText
        let parts = document.split(separator: "<pre>", maxSplits: 1)
        guard parts.count == 2, let end = parts[1].firstRange(of: "</pre>") else {
            throw Failure("the browser shows no page: \(document)\n\(browser.errorText)")
        }
        return parts[1][..<end.lowerBound].split(separator: "\n").map(String.init)
    }

    private func serving(_ page: String) -> TestBackend.Script {
        { request, backend in
            if request.message.startLine.hasPrefix("GET /page ") {
                return .answer(200, fields: [("Content-Type", "text/html")], body: page)
            }
            if request.message.startLine.hasPrefix("GET ") { return .answer(404) }
            return TestBackend.demonstration(request, backend)
        }
    }

    @Test(arguments: [false, true])
    func `a page of a listed origin logs in, sends and receives`(isAnyAllowed: Bool) throws {
        try PacketSystem.run({ file in
            let origin = isAnyAllowed ? "*" : "http://\(file.targets[0])"
            file.listenerKeys = ["cors: { origins: [\"\(origin)\"] }"]
        }) { system in
            system.backend.setScript(self.serving(Self.page(relay: system.address)))
            let text = try self.text(from: system.backend.address, system.folder)
            #expect(
                text == [
                    "login: 200", "packet: hello, true, 0, good", "acknowledged: 200, null",
                    "refused: 401, Bearer",
                ]
            )
            #expect(system.backend.packets.map(\.message.text) == ["hello"])
        }
    }

    @Test func `a page of another origin gets nowhere`() throws {
        try PacketSystem.run({ file in
            file.listenerKeys = ["cors: { origins: [\"https://app.example.com\"] }"]
        }) { system in
            system.backend.setScript(self.serving(Self.page(relay: system.address)))
            let text = try self.text(from: system.backend.address, system.folder)
            #expect(text == ["failed: TypeError"])
            #expect(!system.backend.received.contains { $0.message.startLine.hasPrefix("POST") })
        }
    }
}
