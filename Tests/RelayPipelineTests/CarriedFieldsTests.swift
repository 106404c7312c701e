import RelayConfig
import RelayHTTP
import RelayPipeline
import Testing

struct CarriedFieldsTests {
    private func filter(
        request: [HeaderRuleConfiguration] = [],
        response: [HeaderRuleConfiguration] = []
    ) -> HeaderFilterConfiguration {
        var configuration = HeaderFilterConfiguration()
        configuration.request = request
        configuration.response = response
        return configuration
    }

    private func list(_ configurations: HeaderFilterConfiguration...) -> HeaderFilterList {
        var list = HeaderFilterList.none
        for configuration in configurations {
            list.append(HeaderFilter(configuration, isForPackets: true))
        }
        return list
    }

    /// What of `fields` goes towards a backend, without what relay sets itself.
    private func carried(_ fields: String, _ filters: HeaderFilterList = .none) throws -> [String] {
        try PipelineBed("POST / HTTP/1.1\nHost: a\n\(fields)\n").carried(filters).filter { line in
            !["X-Request-Id", "X-Forwarded", "X-Real-IP"].contains { line.hasPrefix($0) }
        }
    }

    private func delivered(_ stored: String, _ filters: HeaderFilterList = .none) -> [String] {
        let bytes = Array(stored.split(separator: "\n").map { $0 + "\r\n" }.joined().utf8)
        var output: [UInt8] = []
        CarriedFields.appendDelivered(filters, stored: bytes.span, to: &output)
        return lines(output)
    }

    private static let everything = HeaderRuleConfiguration.pass([
        HeaderNamePattern(name: "", isPrefix: true)
    ])

    private static let neverCarried = [
        "Type", "From", "To", "Debug", "Permissions", "Client-Id", "Packet-Id", "Ack", "Attempt",
        "More", "Lost", "Redelivered", "Duplicate", "Stored", "End-Session", "Connection",
        "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer", "Upgrade",
        "Expect", "Authorization", "Cookie",
    ]

    @Test func `carries X fields alone, as they were spelt`() throws {
        #expect(try self.carried("X-One: 1\nAccept: */*\nx-two:2\n") == ["X-One: 1", "x-two: 2"])
    }

    @Test(arguments: Self.neverCarried)
    func `never carries a field of the protocol or of the connection`(name: String) throws {
        let everything = self.list(self.filter(request: [Self.everything]))
        for spelling in [name, name.uppercased(), name.lowercased()] {
            #expect(try self.carried("\(spelling): x\n", everything).isEmpty)
        }
    }

    @Test(arguments: Self.neverCarried.filter { $0.contains("-") })
    func `never carries an alias of one`(name: String) throws {
        let everything = self.list(self.filter(request: [Self.everything]))
        for separator in ["_", "."] {
            let alias = name.split(separator: "-").joined(separator: separator)
            #expect(try self.carried("\(alias): x\n", everything).isEmpty)
            #expect(try self.carried("\(alias.lowercased()): x\n", everything).isEmpty)
        }
    }

    @Test(arguments: ["X-Forwarded_For", "X_Forwarded_For", "x.forwarded.for", "X-Real.IP"])
    func `takes no alias of what relay sets`(name: String) throws {
        let everything = self.list(self.filter(request: [Self.everything]))
        #expect(try self.carried("\(name): 6.6.6.6\n", everything).isEmpty)
        #expect(try self.carried("\(name): 6.6.6.6\n").isEmpty)
    }

    @Test func `carries no field that Connection names`() throws {
        #expect(try self.carried("Connection: X-One\nX-One: 1\nX-Two: 2\n") == ["X-Two: 2"])
    }

    @Test func `lets through what a pass names, and nothing else`() throws {
        let list = self.list(
            self.filter(request: [
                .pass([HeaderNamePattern(name: "Accept", isPrefix: false)]),
                .pass([HeaderNamePattern(name: "X-A", isPrefix: true)]),
            ])
        )
        #expect(
            try self.carried("X-Ab: 1\nX-B: 2\nAccept: 3\nAccept-Language: 4\n", list)
                == ["X-Ab: 1", "Accept: 3"]
        )
    }

    @Test func `makes changes in the order of the file`() throws {
        let list = self.list(
            self.filter(request: [
                .set([.init(name: "X-A", value: "set")]),
                .add([.init(name: "X-A", value: "added")]),
                .rename([.init(from: "X-B", to: "X-C")]),
                .remove([HeaderNamePattern(name: "X-D", isPrefix: true)]),
                .add([.init(name: "X-D", value: "new")]),
            ])
        )
        #expect(
            try self.carried("X-A: 1\nX-B: 2\nX-a: 3\nX-Dd: 4\nX-C: 5\n", list)
                == ["X-A: set", "X-C: 2", "X-C: 5", "X-A: added", "X-D: new"]
        )
    }

    @Test func `requests meet the filters in order, responses in reverse`() throws {
        let list = self.list(
            self.filter(
                request: [.rename([.init(from: "X-A", to: "X-B")])],
                response: [.rename([.init(from: "X-B", to: "X-C")])]
            ),
            self.filter(
                request: [.rename([.init(from: "X-B", to: "X-C")])],
                response: [.rename([.init(from: "X-A", to: "X-B")])]
            )
        )
        #expect(try self.carried("X-A: 1\n", list) == ["X-C: 1"])
        #expect(self.delivered("X-A: 1\n", list) == ["X-C: 1"])
    }

    // MARK: What relay sets

    @Test func `says who asks, whatever a stranger says`() throws {
        let bed = try PipelineBed(
            "GET / HTTP/1.1\nHost: a:80\nX-Forwarded-For: 6.6.6.6\nX-Forwarded-Proto: https\n"
                + "X-Forwarded-Host: evil\nX-Real-IP: 6.6.6.6\nX-Request-Id: x\n\n"
        )
        #expect(
            bed.carried()
                == [
                    "X-Request-ID: 0123456789abcdef000000000000000f", "X-Forwarded-For: 10.0.0.1",
                    "X-Forwarded-Proto: http", "X-Forwarded-Host: a:80", "X-Real-IP: 10.0.0.1",
                ].map { $0.replacingRequestID }
        )
    }

    @Test func `extends what a trusted proxy says`() throws {
        let bed = try PipelineBed(
            "GET / HTTP/1.1\nHost: a\nX-Forwarded-For: 1.2.3.4\nX-Forwarded-For: 10.0.0.9\n"
                + "X-Forwarded-Proto: https\nX-Forwarded-Host: b\n\n",
            client: .ip(.v4(0x0102_0304)),
            peer: .ip(.v4(0x0a00_0001)),
            isPeerTrusted: true
        )
        #expect(
            Array(bed.carried().dropFirst()) == [
                "X-Forwarded-For: 1.2.3.4, 10.0.0.9, 10.0.0.1", "X-Forwarded-Proto: https",
                "X-Forwarded-Host: b", "X-Real-IP: 1.2.3.4",
            ]
        )
    }

    @Test func `says nothing of an address that there is not`() throws {
        let bed = try PipelineBed("GET / HTTP/1.0\n\n", client: .unix)
        #expect(Array(bed.carried().dropFirst()) == ["X-Forwarded-Proto: http"])
    }

    @Test func `a filter's word on what relay sets stands`() throws {
        let list = self.list(
            self.filter(request: [.set([.init(name: "X-Forwarded-Proto", value: "https")])])
        )
        let bed = try PipelineBed("GET / HTTP/1.1\nHost: a\nX-Forwarded-Proto: x\n\n")
        #expect(
            bed.carried(list).filter { $0.hasPrefix("X-Forwarded-Proto") } == [
                "X-Forwarded-Proto: https"
            ]
        )
    }

    // MARK: Towards clients

    @Test func `delivers X fields, but nothing that proxies or servers obey`() {
        let stored =
            "X-A: 1\nX-Accel-Redirect: /x\nX-Accel_Buffering: no\nX-Sendfile: /y\n"
            + "X-Forwarded-For: 1\nX-Real-IP: 1\nContent-Language: de\nX-Request-Id: 7\n"
        #expect(self.delivered(stored) == ["X-A: 1", "X-Request-Id: 7"])
    }

    @Test func `delivers what servers obey if a filter names it`() {
        let everything = self.list(self.filter(response: [Self.everything]))
        let named = self.list(
            self.filter(response: [
                .pass([
                    HeaderNamePattern(name: "X-Accel-", isPrefix: true),
                    HeaderNamePattern(name: "X-Sendfile", isPrefix: false),
                ])
            ])
        )
        let stored = "X-Accel-Redirect: /x\nX-Sendfile: /y\nX-A: 1\n"
        #expect(self.delivered(stored, everything) == ["X-A: 1"])
        #expect(self.delivered(stored, named) == ["X-Accel-Redirect: /x", "X-Sendfile: /y"])
    }

    @Test func `delivers nothing that the answer says by itself`() {
        let everything = self.list(self.filter(response: [Self.everything]))
        let stored = "Date: x\nServer: y\nContent-Type: z\nCache-Control: w\nMore: 3\nVia: v\n"
        #expect(self.delivered(stored, everything) == ["Via: v"])
    }

    @Test func `stores what some filter lets through`() throws {
        let response = Array(
            "HTTP/1.1 200 OK\r\nX-A: 1\r\nVia: v\r\nTo: x\r\nX-Forwarded-For: 1\r\nLink: l\r\n\r\n"
                .utf8
        )
        var head = ResponseHead()
        var parser = ResponseParser()
        let outcome = parser.parse(response.span, answering: .post, into: &head)
        try #require(outcome == .head)
        func stored(_ filters: [HeaderFilterConfiguration]) -> [String] {
            var output: [UInt8] = []
            CarriedFields.appendResponse(
                KeptNames(filters),
                of: head,
                response.span,
                to: &output
            )
            return lines(output)
        }
        let via = self.filter(response: [.pass([HeaderNamePattern(name: "Via", isPrefix: false)])])
        #expect(stored([]) == ["X-A: 1"])
        #expect(stored([via]) == ["Via: v"])
        #expect(stored([via, self.filter()]) == ["X-A: 1", "Via: v"])
        #expect(
            stored([self.filter(response: [Self.everything])]) == ["X-A: 1", "Via: v", "Link: l"]
        )
    }
}

extension String {
    /// The name as relay spells it.
    fileprivate var replacingRequestID: String {
        self.hasPrefix("X-Request-ID") ? "\(KnownField.xRequestID.name)" + self.dropFirst(12) : self
    }
}
