import Testing

@testable import RelayConfig

struct SuggestionTests {
    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "abd", 1),
        ("abc", "acb", 1), ("abc", "ab", 1), ("ab", "abc", 1), ("ca", "abc", 3),
        ("kitten", "sitting", 3),
    ])
    func `counts mistakes`(first: String, second: String, expected: Int) {
        #expect(Suggestion.distance(first, second) == expected)
        #expect(Suggestion.distance(second, first) == expected)
    }

    @Test(arguments: [
        ("timout", "timeout"), ("TIMEOUT", "timeout"), ("tmieout", "timeout"), ("bnd", "bind"),
        ("time_out", "timeout"),
    ])
    func `finds what was meant`(word: String, expected: String) {
        #expect(Suggestion.nearest(to: word, among: ["bind", "timeout", "pool"]) == expected)
    }

    @Test(arguments: ["", "x", "frobnicate", String(repeating: "timeout", count: 20)])
    func `says nothing where nothing is near`(word: String) {
        #expect(Suggestion.nearest(to: word, among: ["bind", "timeout", "pool", "on"]) == nil)
    }
}
