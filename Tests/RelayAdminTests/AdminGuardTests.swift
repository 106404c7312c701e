import RelayAdmin
import RelayConfig
import RelayHTTP
import Testing

struct AdminGuardTests {
    /// A request of the admin address, and what becomes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let fields: String
        let expected: AdminGuard.Refusal?
        var testDescription: String { self.fields }

        init(_ fields: String, _ expected: AdminGuard.Refusal?) {
            self.fields = fields
            self.expected = expected
        }
    }

    @Test(arguments: [
        Case("Host: 127.0.0.1:9901", nil),
        Case("Host: [::1]:9901", nil),
        Case("Host: LocalHost", nil),
        Case("Host: relay.internal:9901", nil),
        Case("Host: Relay.Internal", nil),
        Case("Host: evil.example", .foreignHost),
        Case("Host: localhost.evil.example", .foreignHost),
        Case("Host: relay.internal.evil.example", .foreignHost),
    ])
    func `knows its own names`(_ example: Case) throws {
        #expect(try refusal(example.fields) == example.expected)
    }

    @Test(arguments: [
        Case("Host: localhost:9901\r\nOrigin: http://localhost:9901", nil),
        Case("Host: localhost:9901\r\nOrigin: http://LOCALHOST:9901", nil),
        Case("Host: localhost:9901\r\nOrigin: http://localhost", .foreignOrigin),
        Case("Host: localhost:9901\r\nOrigin: https://localhost:9901", .foreignOrigin),
        Case("Host: localhost:9901\r\nOrigin: http://evil.example", .foreignOrigin),
        Case("Host: localhost:9901\r\nOrigin: null", .foreignOrigin),
        Case(
            "Host: localhost:9901\r\nOrigin: http://localhost:9901\r\nOrigin: http://localhost:9901",
            .foreignOrigin
        ),
        Case("Host: localhost\r\nSec-Fetch-Site: same-origin", nil),
        Case("Host: localhost\r\nSec-Fetch-Site: none", nil),
        Case("Host: localhost\r\nSec-Fetch-Site: cross-site", .foreignOrigin),
        Case("Host: localhost\r\nSec-Fetch-Site: same-site", .foreignOrigin),
    ])
    func `refuses pages of another origin`(_ example: Case) throws {
        #expect(try refusal(example.fields) == example.expected)
    }

    @Test(arguments: [
        Case("Host: localhost", .noToken),
        Case("Host: localhost\r\nAuthorization: Bearer wrong-token", .noToken),
        Case("Host: localhost\r\nAuthorization: Bearer right-token2", .noToken),
        Case("Host: localhost\r\nAuthorization: Basic right-token", .noToken),
        Case("Host: localhost\r\nAuthorization: Bearer right-token", nil),
        Case("Host: localhost\r\nauthorization: bearer right-token", nil),
    ])
    func `asks for the token if there is one`(_ example: Case) throws {
        #expect(try refusal(example.fields, token: "right-token") == example.expected)
    }

    @Test(arguments: [
        Case("Host: localhost", .noAdminField),
        Case("Host: localhost\r\nRelay-Admin: 0", .noAdminField),
        Case("Host: localhost\r\nRelay-Admin: 1, 1", .noAdminField),
        Case("Host: localhost\r\nRelay-Admin: 1\r\nRelay-Admin: 1", .noAdminField),
        Case("Host: localhost\r\nRelay-Admin: 1", nil),
    ])
    func `changes something only for who says Relay-Admin`(_ example: Case) throws {
        #expect(try refusal(example.fields, changesSomething: true) == example.expected)
    }

    /// What the guard says to a request with these fields.
    private func refusal(
        _ fields: String,
        token: String? = nil,
        changesSomething: Bool = false
    ) throws -> AdminGuard.Refusal? {
        var configuration = AdminConfiguration(bind: .tcp(host: "127.0.0.1", port: 9901))
        configuration.hosts = ["relay.internal"]
        configuration.token = token.map { Secret($0) }
        let access = AdminGuard(configuration)
        let bytes = Array("POST /reload HTTP/1.1\r\n\(fields)\r\n\r\n".utf8)
        var head = RequestHead()
        var parser = RequestParser()
        try #require(parser.parse(bytes.span, into: &head) == .head)
        return access.refusal(of: head, bytes.span, changesSomething: changesSomething)
    }
}
