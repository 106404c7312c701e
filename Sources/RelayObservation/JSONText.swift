/// Appends JSON to bytes: what logs, problem documents and the admin pages need of it.
package enum JSONText {
    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Appends `text` as a JSON string with its quotes (RFC 8259 section 7).
    package static func appendString(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 { self.appendEscaped(byte, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends bytes as a JSON string with its quotes; what is not UTF-8 becomes U+FFFD.
    package static func appendString(utf8 text: Span<UInt8>, to bytes: inout [UInt8]) {
        var copy: [UInt8] = []
        copy.reserveCapacity(text.count)
        for index in text.indices { copy.append(text[index]) }
        self.appendString(String(decoding: copy, as: UTF8.self), to: &bytes)
    }

    private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case UInt8(ascii: "\n"):
            bytes.append(contentsOf: "\\n".utf8)
        case UInt8(ascii: "\r"):
            bytes.append(contentsOf: "\\r".utf8)
        case UInt8(ascii: "\t"):
            bytes.append(contentsOf: "\\t".utf8)
        // DEL needs no escape in JSON, but a terminal that shows a log would obey it.
        case 0..<0x20, 0x7f:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(self.hexDigits[Int(byte >> 4)])
            bytes.append(self.hexDigits[Int(byte & 15)])
        default:
            bytes.append(byte)
        }
    }
}
