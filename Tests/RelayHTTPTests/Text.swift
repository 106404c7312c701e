import RelayHTTP

/// The bytes of a text in Latin-1: `\u{80}` to `\u{FF}` are single bytes.
func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

/// The text of bytes in Latin-1.
func text(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
}

/// The text at a range of a head.
func text(_ range: ByteRange, in bytes: [UInt8]) -> String { text(bytes[range.range]) }

/// The cuts that every message must survive: none, after every byte, and every split in two.
func cuts(of count: Int) -> [[Int]] {
    [[], Array(stride(from: 1, to: count, by: 1))] + stride(from: 1, to: count, by: 1).map { [$0] }
}

/// The pieces of `bytes` between `cuts`.
func pieces(_ bytes: [UInt8], cuts: [Int]) -> [[UInt8]] {
    let bounds = [0] + cuts + [bytes.count]
    return zip(bounds, bounds.dropFirst()).map { Array(bytes[$0..<$1]) }
}
