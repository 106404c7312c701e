import RelayHTTP
import Testing

struct PathNormalizationTests {
    /// The normal form, nil if the path is refused.
    private func normal(_ path: String, merging: Bool = true) -> String? {
        var output = bytes("kept")
        switch PathNormalization.normalize(
            bytes(path).span,
            mergingSlashes: merging,
            into: &output
        )
        {
        case .unchanged:
            #expect(text(output) == "kept")
            return path
        case .rewritten:
            let normal = text(output.dropFirst(4))
            #expect(normal != path)
            return normal
        case .refused(let fault):
            #expect(text(output) == "kept")
            #expect(fault == .malformedPath)
            return nil
        }
    }

    @Test(arguments: [
        ("/", "/"), ("", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/.well-known/x", "/.well-known/x"),
        ("/a.b/..c/...", "/a.b/..c/..."), ("/%7euser", "/~user"), ("/%41%2d%5F", "/A-_"),
        ("/a%2fb", "/a%2Fb"), ("/a%2Fb", "/a%2Fb"), ("/%c3%a9", "/%C3%A9"), ("/%20", "/%20"),
        ("/%5c", "/%5C"), ("/%25%32%45", "/%252E"), ("/%252e%252e/", "/%252e%252e/"),
        ("/.", "/"), ("/./", "/"), ("/a/.", "/a/"), ("/a/./b", "/a/b"), ("/a/..", "/"),
        ("/a/../", "/"), ("/a/../b", "/b"), ("/a/b/../../c", "/c"), ("/a/b/..", "/a/"),
        ("/a/%2e%2E/b", "/b"), ("/a/.%2e/b", "/b"), ("/a/%2e/b", "/a/b"), ("//", "/"),
        ("//a", "/a"), ("/a//b", "/a/b"), ("/a///", "/a/"), ("/a//../b", "/b"),
        ("/a/b//..//c", "/a/c"), ("/a;p=1/b:@!$&'()*+,=", "/a;p=1/b:@!$&'()*+,="),
    ])
    func `brings a path to its normal form`(path: String, normal: String) {
        #expect(self.normal(path) == normal)
    }

    @Test(arguments: [
        ("//", "//"), ("//a", "//a"), ("/a//b", "/a//b"), ("/a//..", "/a/"), ("//..", "/"),
        ("/a//../..", "/"), ("/./a//%2e", "/a//"),
    ])
    func `keeps empty segments if they are not merged`(path: String, normal: String) {
        #expect(self.normal(path, merging: false) == normal)
    }

    @Test(arguments: [
        "/..", "/../", "/../a", "/a/../..", "/a/../../b", "/%2e%2e", "/./..", "//..", "/%2E./x",
        "/%00", "/a%00b", "/%", "/%2", "/%zz", "/a%2", "/%2g", "/%%41", "/\\", "/a\\..\\b", "a",
        "a/b", "*", "/a b", "/a?b", "/a#b", "/\u{E9}", "/\u{7}", "/./\\", "/a/%2e/\u{0}",
    ])
    func `refuses a path that leaves the root or is malformed`(path: String) {
        #expect(self.normal(path) == nil)
    }

    @Test func `a normal path stays as it is and never leaves the root`() {
        let parts = [
            "/", "//", ".", "..", "a", "bc", "%2e", "%2E%2e", "%2f", "%41", "%7F", "%20", "%00",
            "\\", "%",
        ]
        for seed in UInt64(0)..<4000 {
            var generator = SeededGenerator(seed: seed)
            let path = "/" + (0..<generator.below(12)).map { _ in generator.pick(parts) }.joined()
            for merging in [true, false] {
                guard let once = self.normal(path, merging: merging) else { continue }
                #expect(self.normal(once, merging: merging) == once, "seed \(seed)")
                let segments = once.split(separator: "/", omittingEmptySubsequences: false)
                #expect(!segments.contains(".") && !segments.contains(".."), "seed \(seed)")
                #expect(once.hasPrefix("/"), "seed \(seed)")
                #expect(!merging || !once.contains("//"), "seed \(seed)")
            }
        }
    }
}
