import Testing

@testable import RelayHTTP

struct ScannerTests {
    @Test func `finds the first control byte wherever it stands`() {
        for count in 0..<40 {
            for place in 0..<max(count, 1) {
                for byte: UInt8 in [0, 9, 10, 13, 31, 32, 126, 127, 128, 159, 255] {
                    var text = [UInt8](repeating: 0x61, count: count)
                    if place < count { text[place] = byte }
                    let plain = text.firstIndex { ($0 < 32 && $0 != 9) || $0 == 127 } ?? count
                    #expect(Scanner.firstControl(in: text.span, from: 0) == plain)
                }
            }
        }
    }

    @Test func `finds what a plain search finds in random bytes`() {
        for seed in UInt64(0)..<3000 {
            var generator = SeededGenerator(seed: seed)
            // Tabs, spaces and bytes around the bounds mislead borrows between the bytes of a word.
            let alphabet: [UInt8] = [0x09, 0x20, 0x21, 0x7E, 0x80, 0xFF, 0x3A, 0x3B, 0x39]
            let rare: [UInt8] = [0x00, 0x0A, 0x1F, 0x7F]
            let text = (0..<generator.below(64)).map { _ in
                generator.oneIn(20) ? generator.pick(rare) : generator.pick(alphabet)
            }
            let start = generator.below(text.count + 1)
            let control =
                text[start...].firstIndex { ($0 < 32 && $0 != 9) || $0 == 127 } ?? text.count
            #expect(Scanner.firstControl(in: text.span, from: start) == control, "seed \(seed)")
            let end = start + generator.below(text.count - start + 1)
            let colon = text[start..<end].firstIndex(of: 0x3A) ?? end
            #expect(Scanner.first(0x3A, in: text.span, start..<end) == colon, "seed \(seed)")
        }
    }

    @Test func `reads partial words without looking behind the end`() {
        let text: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        #expect(Scanner.partialWord(in: text.span, at: 0, count: 3) == 0x03_0201)
        #expect(Scanner.partialWord(in: text.span, at: 1, count: 8) == 0x0908_0706_0504_0302)
        #expect(Scanner.partialWord(in: text.span, at: 7, count: 2) == 0x0908)
        #expect(Scanner.partialWord(in: text.span, at: 9, count: 0) == 0)
    }
}
