/// The version of an HTTP/1 message; every other version is refused.
package enum HTTPVersion: UInt8, Sendable {
    case http10, http11
}

extension HTTPVersion {
    /// What eight bytes that should be a version are.
    enum Reading {
        case version(HTTPVersion)
        /// `HTTP/` and two digits, but another version.
        case unsupported
        case malformed
    }

    /// Reads the eight bytes at `offset`, all of which are within `bytes`.
    static func read(at offset: Int, in bytes: Span<UInt8>) -> Reading {
        // "HTTP/1.1" and "HTTP/1.0" as words, the first byte lowest.
        switch Scanner.partialWord(in: bytes, at: offset, count: 8) {
        case 0x312E_312F_5054_5448: return .version(.http11)
        case 0x302E_312F_5054_5448: return .version(.http10)
        default: break
        }
        let text = bytes.extracting(offset..<(offset + 8))
        guard text.extracting(first: 5).equals("HTTP/"), text[5].isDigit, text[6] == 0x2E,
            text[7].isDigit
        else { return .malformed }
        return .unsupported
    }
}
