import RelayConfig
import RelayHTTP
import RelayPipeline
import Testing

struct PathRewriteTests {
    /// The path behind the change; nil if it was refused.
    private func path(
        _ path: String,
        mergingSlashes: Bool = true,
        _ configure: (inout RewriteConfiguration) throws -> Void
    ) throws -> String? {
        var configuration = RewriteConfiguration()
        try configure(&configuration)
        let bed = try PipelineBed("GET \(path) HTTP/1.1\nHost: a\n\n")
        let bytes = bed.bytes
        let fault = PathRewrite(configuration)
            .apply(to: bed.request, bytes.span, mergingSlashes: mergingSlashes)
        guard fault == nil else { return nil }
        return bed.request.withPath(bytes.span) { path in
            var copy: [UInt8] = []
            copy.append(path)
            return String(decoding: copy, as: UTF8.self)
        }
    }

    @Test(arguments: [
        ("/api/x", "/api", "/x"), ("/api", "/api", "/"), ("/api/", "/api", "/"),
        ("/apiary", "/api", "/apiary"), ("/x/api", "/api", "/x/api"), ("/api/x", "/api/", "/x"),
        ("/api", "/api/", "/api"), ("/x", "/", "/x"), ("/", "/", "/"),
        ("/a/b/c?d=/a", "/a/b", "/c"),
    ])
    func `takes a prefix away by whole segments`(
        given: String,
        prefix: String,
        expected: String
    ) throws {
        #expect(try self.path(given) { $0.strippedPrefix = prefix } == expected)
    }

    @Test(arguments: [
        ("/x", "/api", "/api/x"), ("/", "/api", "/api/"), ("/x", "/api/", "/api/x"),
        ("/x", "/", "/x"),
    ])
    func `puts a prefix before`(given: String, prefix: String, expected: String) throws {
        #expect(try self.path(given) { $0.prefix = prefix } == expected)
    }

    @Test(
        arguments: [
            ("^/u/([0-9]+)$", "/users/$1", "/u/17", "/users/17"),
            ("^/u/([0-9]+)$", "/users/$1", "/u/x", "/u/x"),
            ("b", "$$1", "/abcb", "/a$1cb"),
            ("^/(.*)\\.html$", "/$1", "/a/b.html", "/a/b"),
            ("^/a", "", "/a", "/"), ("^/a/", "", "/a/b", "/b"), ("x|(y)", "%00", "/x", nil),
            ("x|(y)", "($0$1)", "/x", "/(x)"), ("x|(y)", "($0$1)", "/y", "/(yy)"),
        ] as [(String, String, String, String?)]
    )
    func `replaces what is found first`(
        expression: String,
        replacement: String,
        given: String,
        expected: String?
    ) throws {
        let result = try self.path(given) {
            $0.expression = try RegularExpression(expression)
            $0.replacement = PathTemplate(replacement)
        }
        #expect(result == expected)
    }

    @Test func `strips, replaces, then puts before`() throws {
        let result = try self.path("/old/a.html") {
            $0.prefix = "/new"
            $0.strippedPrefix = "/old"
            $0.expression = try RegularExpression("^/(.*)\\.html$")
            $0.replacement = PathTemplate("/$1.htm")
        }
        #expect(result == "/new/a.htm")
    }

    @Test func `what becomes dot segments is resolved, and never leaves the root`() throws {
        let configure: (inout RewriteConfiguration) throws -> Void = {
            $0.expression = try RegularExpression("^/(.)x(.)/")
            $0.replacement = PathTemplate("/a/$1$2/")
            $0.prefix = "/b"
        }
        #expect(try self.path("/.x./etc", configure) == "/b/etc")
        let upwards = try self.path("/.x./etc") {
            $0.expression = try RegularExpression("^/(.)x(.)/")
            $0.replacement = PathTemplate("/$1$2/")
        }
        #expect(upwards == nil)
    }

    @Test func `the star of OPTIONS stays`() throws {
        let bed = try PipelineBed("OPTIONS * HTTP/1.1\nHost: a\n\n")
        var configuration = RewriteConfiguration()
        configuration.prefix = "/api"
        let bytes = bed.bytes
        let fault = PathRewrite(configuration)
            .apply(to: bed.request, bytes.span, mergingSlashes: true)
        #expect(fault == nil)
        let isStar = bed.request.withPath(bytes.span) { $0.equals("*") }
        #expect(isStar)
    }
}
