/// A set of ASCII bytes as 128 bits, for asking about one byte in a few instructions.
struct ByteClass: Sendable {
    private let low: UInt64
    private let high: UInt64

    private init(_ low: UInt64, _ high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Bytes of a token (RFC 9110 section 5.6.2).
    static var token: ByteClass { ByteClass(0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe) }

    /// Bytes accepted in a request target: visible ASCII but `#`.
    ///
    /// RFC 3986 allows fewer, but `[`, `|` and the like come unescaped from real clients and are
    /// harmless here: nothing that ends or splits a target is among them.
    static var target: ByteClass { ByteClass(0xffff_fff6_0000_0000, 0x7fff_ffff_ffff_ffff) }

    /// Bytes that need no escape anywhere in a URI (RFC 3986 section 2.3).
    static var unreserved: ByteClass { ByteClass(0x03ff_6000_0000_0000, 0x47ff_fffe_87ff_fffe) }

    /// Bytes of a registered name without escapes: unreserved and sub-delims (RFC 3986 section 3.2.2).
    static var registeredName: ByteClass {
        ByteClass(0x2bff_7fd2_0000_0000, 0x47ff_fffe_87ff_fffe)
    }

    /// Whether `byte` is in the set; never true above 0x7F.
    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? self.low : self.high
        return byte < 128 && (word >> UInt64(byte & 63)) & 1 == 1
    }
}

extension UInt8 {
    /// Whether this is SP or HTAB: optional white space (RFC 9110 section 5.6.3).
    var isWhiteSpace: Bool { self == 0x20 || self == 0x09 }

    /// Whether this is `0` to `9`.
    var isDigit: Bool { self &- 0x30 < 10 }

    /// Whether this is an ASCII letter.
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// An upper-case letter in lower case, every other byte as it is.
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// The value of a hexadecimal digit.
    var hexadecimalValue: UInt8? {
        if self.isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    /// Whether this may not stand in a line of a head: a control byte other than HTAB.
    var isForbiddenControl: Bool { (self < 0x20 && self != 0x09) || self == 0x7F }
}
