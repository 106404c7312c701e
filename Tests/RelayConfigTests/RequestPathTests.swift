import Testing

@testable import RelayConfig

struct RequestPathTests {
    @Test(arguments: [
        ("/", "/"), ("//", "/"), ("/.", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/a//b", "/a/b"),
        ("/a/.", "/a/"), ("/a/./b", "/a/b"), ("/a/b/..", "/a/"), ("/a/../b", "/b"), ("/a/..", "/"),
        ("/%61%2d%7E", "/a-~"), ("/%2f", "/%2F"), ("/%2e%2E/", nil), ("/a/%2e%2e/b", "/b"),
        ("/..", nil), ("/a/../..", nil), ("a", nil), ("", nil), ("/%00", nil), ("/%", nil),
        ("/%4", nil), ("/%zz", nil), ("/a\\b", nil), ("/a b", nil), ("/ä", nil), ("/a?b", nil),
        ("/a:b;c=d,e@f!$&'()*+", "/a:b;c=d,e@f!$&'()*+"), ("/\u{0}", nil),
    ])
    func `brings a path into its normal form`(path: String, expected: String?) {
        #expect(RequestPath.normalized(path) == expected)
        if let expected { #expect(RequestPath.normalized(expected) == expected) }
    }
}
