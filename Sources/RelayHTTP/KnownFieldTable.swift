/// Finds known fields by name: a hash table of names of up to 32 bytes, built once.
///
/// Names are compared as four words with bit 0x20 set in every byte. That folds the case of letters, and
/// confuses nothing else that matters: of the bytes in known names (letters and `-`) the only other
/// preimages are control bytes, which no scanned line holds.
struct KnownFieldTable: Sendable {
    /// A folded name, zero behind its end.
    private struct Key: Sendable {
        var words: (UInt64, UInt64, UInt64, UInt64)

        /// The name at `range`, which has at most 32 bytes.
        ///
        /// Most have no more than two words, and what is not there is not asked for.
        @inline(__always)
        init(_ range: Range<Int>, in span: Span<UInt8>) {
            self.words = (Self.word(0, range, span), 0, 0, 0)
            guard range.count > 8 else { return }
            self.words.1 = Self.word(1, range, span)
            guard range.count > 16 else { return }
            self.words.2 = Self.word(2, range, span)
            if range.count > 24 { self.words.3 = Self.word(3, range, span) }
        }

        /// The word at `index`, which has at least one byte unless the whole name is empty.
        @inline(__always)
        private static func word(_ index: Int, _ range: Range<Int>, _ span: Span<UInt8>) -> UInt64 {
            let count = min(range.count - 8 * index, 8)
            let offset = range.lowerBound + 8 * index
            let word = Scanner.partialWord(in: span, at: offset, count: count)
            return word | 0x2020_2020_2020_2020 &>> UInt64(8 * (8 - count))
        }

        @inline(__always)
        var slot: Int {
            let mixed =
                (self.words.0 ^ (self.words.1 &* 31) ^ (self.words.2 &* 131))
                &* 0x9E37_79B9_7F4A_7C15
            return Int(mixed >> 56)
        }

        @inline(__always)
        static func == (left: Key, right: Key) -> Bool {
            left.words.0 == right.words.0 && left.words.1 == right.words.1
                && left.words.2 == right.words.2 && left.words.3 == right.words.3
        }
    }

    /// The longest known name.
    private static let nameBytesMax = 32
    private static let shared = KnownFieldTable()

    /// `KnownField` raw values by slot; 0 is an empty slot.
    private var slots = InlineArray<256, UInt8>(repeating: 0)
    private var keys: InlineArray<64, Key>

    private init() {
        self.keys = InlineArray(repeating: Key(0..<0, in: Span()))
        for field in KnownField.allCases where field != .other {
            let key = field.name.withUTF8Buffer { buffer in
                unsafe Key(0..<buffer.count, in: buffer.span)
            }
            var slot = key.slot
            while self.slots[slot] != 0 { slot = (slot + 1) & 255 }
            self.slots[slot] = field.rawValue
            self.keys[Int(field.rawValue)] = key
        }
    }

    /// The field whose name stands at `range`, which holds no control byte.
    ///
    /// Reads elements of the global in place: a method on it would be handed a copy of all 2 KiB.
    static func field(at range: Range<Int>, in span: Span<UInt8>) -> KnownField {
        guard range.count <= Self.nameBytesMax else { return .other }
        let key = Key(range, in: span)
        var slot = key.slot
        while true {
            let candidate = Self.shared.slots[slot]
            if candidate == 0 { return .other }
            if Self.shared.keys[Int(candidate)] == key {
                return KnownField(rawValue: candidate) ?? .other
            }
            slot = (slot + 1) & 255
        }
    }
}
