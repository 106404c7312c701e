import RelayConfig
import Testing

struct RespondTests {
    @Test func `answers with its status and text`() throws {
        let bed = try ProxyBed("- route: [{ respond: { status: 418, body: \"short and stout\" } }]")
        let answer = try bed.get("/")
        #expect(answer.status == 418)
        #expect(answer["content-type"] == "text/plain; charset=utf-8")
        #expect(answer["content-length"] == "15")
        #expect(answer.body == "short and stout")
    }

    @Test func `counts bytes, not characters`() throws {
        let bed = try ProxyBed("- route: [{ respond: { body: \"grüße\" } }]")
        let answer = try bed.get("/")
        #expect(answer.status == 200)
        #expect(answer["content-length"] == "7")
        #expect(answer.body == "grüße")
    }

    @Test func `says nothing of the type of a body that is not there`() throws {
        let bed = try ProxyBed("- route: [{ respond: { status: 403 } }]")
        let answer = try bed.get("/")
        #expect(answer.status == 403)
        #expect(answer["content-type"] == nil)
        #expect(answer["content-length"] == "0")
        #expect(answer.body.isEmpty)
    }

    @Test func `tells a HEAD the length and keeps the body`() throws {
        let bed = try ProxyBed("- route: [{ respond: { body: hello } }]")
        let answer = try bed.ask("HEAD", "/")
        #expect(answer.status == 200)
        #expect(answer["content-type"] == "text/plain; charset=utf-8")
        #expect(answer["content-length"] == "5")
        #expect(answer.body.isEmpty)
    }

    @Test(arguments: [204, 304])
    func `has neither body nor length where the status has none`(status: Int) throws {
        let bed = try ProxyBed("- route: [{ respond: { status: \(status) } }]")
        let answer = try bed.get("/")
        #expect(answer.status == status)
        // RFC 9110 section 8.6: no Content-Length in a 204.
        #expect(answer["content-length"] == nil)
        #expect(answer.body.isEmpty)
    }

    @Test func `leaves out a body that relay_yaml would have refused`() throws {
        var respond = RespondConfiguration()
        respond.status = 204
        respond.body = "never"
        let answer = try ProxyBed(unchecked: .respond(respond)).get("/")
        #expect(answer.status == 204)
        #expect(answer.body.isEmpty)
    }
}

struct RedirectTests {
    @Test(arguments: [301, 302, 303, 307, 308])
    func `names the place, with an empty body`(status: Int) throws {
        let bed = try ProxyBed("- route: [{ redirect: { to: /new?x=1, status: \(status) } }]")
        let answer = try bed.get("/old")
        #expect(answer.status == status)
        #expect(answer["location"] == "/new?x=1")
        #expect(answer["content-length"] == "0")
        #expect(answer.body.isEmpty)
    }

    @Test func `is temporary unless it says otherwise`() throws {
        let bed = try ProxyBed("- route: [{ redirect: { to: \"https://example.com/\" } }]")
        let answer = try bed.get("/")
        #expect(answer.status == 302)
        #expect(answer["location"] == "https://example.com/")
    }

    @Test(arguments: ["//evil.example", "/\\evil.example", "", "/x\r\nSet-Cookie: a=b", "/x\u{7F}"])
    func `never leads astray, whoever wrote its place`(location: String) throws {
        let redirect = RedirectConfiguration(to: location)
        let answer = try ProxyBed(unchecked: .redirect(redirect)).get("/")
        #expect(answer.status == 500)
        #expect(answer["location"] == nil)
        #expect(answer["set-cookie"] == nil)
    }

    @Test func `to the root is a redirect like any other`() throws {
        let answer = try ProxyBed(unchecked: .redirect(RedirectConfiguration(to: "/"))).get("/a")
        #expect(answer.status == 302)
        #expect(answer["location"] == "/")
    }
}

struct RouteStageTests {
    @Test func `answers 404 where no rule holds`() throws {
        let bed = try ProxyBed("- route: [{ match: { path: /a }, respond: { body: a } }]")
        #expect(try bed.get("/a").body == "a")
        let answer = try bed.get("/b")
        #expect(answer.status == 404)
        #expect(answer["content-type"] == "application/problem+json")
    }

    @Test func `takes the first rule that holds`() throws {
        let bed = try ProxyBed(
            """
            - route:
              - { match: { path_prefix: /api, method: POST }, respond: { body: post } }
              - { match: { path_prefix: /api }, redirect: { to: /docs } }
              - { match: { host: other.example }, respond: { body: other } }
              - { respond: { body: rest } }
            """
        )
        #expect(try bed.ask("POST", "/api/x", ["Content-Length: 0"]).body == "post")
        #expect(try bed.get("/api/x")["location"] == "/docs")
        #expect(try bed.get("/apiary").body == "rest")
        #expect(try bed.get("http://other.example/").body == "other")
    }

    @Test func `matches the path in its normal form`() throws {
        let bed = try ProxyBed("- route: [{ match: { path: /a/b }, respond: { body: hit } }]")
        for target in ["/a/b", "/a//b", "/a/./b", "/x/../a/b", "/%61/b", "/a/%2e/b?q"] {
            #expect(try bed.get(target).body == "hit", "\(target)")
        }
        #expect(try bed.get("/a%2Fb").status == 404)
    }

    @Test func `does not exist for requests that its when excludes`() throws {
        let bed = try ProxyBed(
            """
            - route: [{ respond: { body: inside } }]
              when: { header: { X-Inside: "yes" } }
            """
        )
        #expect(try bed.get("/", ["X-Inside: yes"]).body == "inside")
        #expect(try bed.get("/", ["X-Inside: no"]).status == 404)
        #expect(try bed.get("/").status == 404)
    }

    @Test func `needs both its when and the match of a rule`() throws {
        let bed = try ProxyBed(
            """
            - route: [{ match: { query: { a: "1" } }, respond: { body: both } }]
              when: { path_prefix: /in }
            """
        )
        #expect(try bed.get("/in?a=1").body == "both")
        #expect(try bed.get("/in?a=2").status == 404)
        #expect(try bed.get("/out?a=1").status == 404)
    }

    @Test func `keeps a rule for everything to packets beside a buffer`() throws {
        let bed = try ProxyBed(
            """
            - route:
              - { match: { path: /about }, respond: { body: about } }
              - { pool: app }
            """,
            takesPackets: true
        )
        #expect(try bed.get("/about").body == "about")
        #expect(try bed.get("/other").status == 404)
    }
}
