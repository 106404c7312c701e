import Testing

@testable import RelayConfig

struct ExpansionTests {
    private static let environment = [
        "NAME": "value", "EMPTY": "", "NESTED": "${NAME}", "A_1": "x",
    ]

    @Test(arguments: [
        ("", ""),
        ("plain", "plain"),
        ("$", "$"),
        ("$$", "$$"),
        ("a $5 b", "a $5 b"),
        ("$NAME", "$NAME"),
        ("${NAME}", "value"),
        ("<${NAME}${A_1}>", "<valuex>"),
        ("${NAME:-other}", "value"),
        ("${NONE:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY}", ""),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b}", "a:-b"),
        ("${NONE:-$${}", "$${"),
        ("${NESTED}", "${NAME}"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("$${", "${"),
        ("é${NAME}é", "évalueé"),
    ])
    func `replaces references`(written: String, expected: String) {
        let expansion = Expansion(of: written, environment: Self.environment)
        #expect(expansion.text == expected)
        #expect(expansion.problems.isEmpty)
    }

    @Test(arguments: [
        "${NONE}", "${name}", "${}", "${:-x}", "${1A}", "${A-B}", "${NAME", "x ${", "${NÄME}",
    ])
    func `refuses references that mean nothing`(written: String) {
        let expansion = Expansion(of: written, environment: Self.environment)
        #expect(expansion.problems.count == 1)
    }

    @Test func `counts equal references, so that each is found`() {
        let expansion = Expansion(of: "${A} ${B} ${A}", environment: [:])
        #expect(expansion.problems.map(\.text) == ["${A}", "${B}", "${A}"])
        #expect(expansion.problems.map(\.occurrence) == [0, 0, 1])
    }
}
