import RelayConfig
import Testing

struct RegularExpressionTests {
    private func found(_ expression: String, in text: String) throws -> [String?]? {
        let expression = try RegularExpression(expression)
        let search = RegularExpressionSearch(expression)
        let bytes = Array(text.utf8)
        guard search.find(in: bytes.span) else { return nil }
        return (0...expression.groupCount).map { group in
            search.range(ofGroup: group).map { String(decoding: bytes[$0], as: UTF8.self) }
        }
    }

    @Test func `finds the first place and its groups`() throws {
        #expect(try self.found("b(c)?(d)?", in: "abdbc") == ["bd", nil, "d"])
        #expect(try self.found("^/v([0-9]+)/", in: "/v12/x") == ["/v12/", "12"])
        #expect(try self.found("^b", in: "ab") == nil)
        #expect(try self.found("", in: "") == [""])
    }

    @Test func `the end is the end, not a line end before it`() throws {
        #expect(try self.found("a$", in: "a\n") == nil)
        #expect(try self.found("a$", in: "a") == ["a"])
    }

    @Test func `bytes that are not UTF-8 are bytes`() throws {
        let search = RegularExpressionSearch(try RegularExpression("^[\\x80-\\xff]a$"))
        let bytes: [UInt8] = [0xFF, 0x61]
        let isFound = search.find(in: bytes.span)
        #expect(isFound)
        #expect(throws: RegularExpression.Fault.self) { try RegularExpression("(*UTF)a") }
    }

    @Test func `says what is wrong, and where`() throws {
        let fault = #expect(throws: RegularExpression.Fault.self) { try RegularExpression("a(b") }
        #expect(fault?.problem == "missing closing parenthesis")
        #expect(fault?.position == 4)
    }

    @Test func `a search that would take forever ends, and has found nothing`() throws {
        let text = String(repeating: "a", count: 5000) + "b"
        #expect(try self.found("^(a+)+$", in: text) == nil)
        // The same search finds again what is easy.
        let search = RegularExpressionSearch(try RegularExpression("^(a+)+$"))
        let (hard, easy) = (Array(text.utf8), Array("aaa".utf8))
        let isHardFound = search.find(in: hard.span)
        #expect(!isHardFound)
        #expect(search.range(ofGroup: 0) == nil)
        let isEasyFound = search.find(in: easy.span)
        #expect(isEasyFound)
        #expect(search.range(ofGroup: 0) == 0..<3)
    }

    @Test func `a long path is searched to its end`() throws {
        let path = String(repeating: "/segment", count: 1000) + "/admin"
        #expect(try self.found("^(/[^/]+)*/admin$", in: path) != nil)
    }

    @Test func `a template names groups by a digit`() throws {
        #expect(
            try #require(PathTemplate("/a$1$$b$0")).parts
                == [.literal(Array("/a".utf8)), .group(1), .literal(Array("$b".utf8)), .group(0)]
        )
        #expect(PathTemplate("$")?.parts == nil)
        #expect(PathTemplate("$x")?.parts == nil)
        #expect(PathTemplate("")?.parts == [])
        #expect(PathTemplate("$3$12")?.groupMax == 3)
    }
}
