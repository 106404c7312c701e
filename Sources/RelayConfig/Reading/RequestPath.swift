/// The path of a request, as the configuration names it.
enum RequestPath {
    /// The path in the form in which requests are matched: escapes of unreserved characters
    /// decoded, other escapes in upper case, dot segments resolved, empty segments merged.
    ///
    /// Nil if no request can have such a path: it leaves the root, holds `%00`, a malformed escape,
    /// a backslash, or a character that must be escaped (RFC 3986, 3.3).
    static func normalized(_ path: String) -> String? {
        guard path.hasPrefix("/"), let decoded = decoded(path) else { return nil }
        var segments: [Substring] = []
        let given = decoded.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for segment in given {
            switch segment {
            case "", ".":
                continue
            case "..":
                guard segments.popLast() != nil else { return nil }
            default:
                segments.append(segment)
            }
        }
        // What ends with a slash, or with a dot segment, is a directory.
        let isDirectory = ["", ".", ".."].contains(given.last ?? "") && !segments.isEmpty
        return "/" + segments.joined(separator: "/") + (isDirectory ? "/" : "")
    }

    private static func decoded(_ path: String) -> String? {
        var result: [UInt8] = []
        var bytes = Array(path.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == 0x25 else {
                guard byte.isPathCharacter else { return nil }
                result.append(byte)
                continue
            }
            guard let high = bytes.popFirst()?.hexValue, let low = bytes.popFirst()?.hexValue else {
                return nil
            }
            let value = high << 4 | low
            guard value != 0 else { return nil }
            if value.isLetterOrDigit || "-._~".utf8.contains(value) {
                result.append(value)
            } else {
                let digits = Array("0123456789ABCDEF".utf8)
                result += [0x25, digits[Int(high)], digits[Int(low)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension UInt8 {
    /// Whether it stands in a path as itself (`pchar` of RFC 3986, and the slash).
    fileprivate var isPathCharacter: Bool {
        self.isLetterOrDigit || "/-._~!$&'()*+,;=:@".utf8.contains(self)
    }

    /// The value of a hexadecimal digit.
    fileprivate var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}
