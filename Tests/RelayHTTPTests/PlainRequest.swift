import RelayHTTP

/// A request head read in the plainest way, to compare with: whole arrays, one rule after the other.
///
/// Differs from the real parser in that it needs a whole head, knows no limits, and only says that a
/// head is refused, not why.
struct PlainRequest: Equatable {
    var method: String
    var target: String
    var fields: [String]
    var framing: BodyFraming
    var authority: String?
    var isKeepAlive: Bool

    private static let tokenBytes = Set(
        bytes("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    )

    static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { self.tokenBytes.contains($0) }
    }

    /// The lines of the first head in `all`, without line ends; nil if there is no whole one.
    static func lines(_ all: [UInt8]) -> [[UInt8]]? {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var index = all.starts(with: [13, 10]) ? 2 : 0
        while index < all.count {
            if all[index] == 13, index + 1 < all.count, all[index + 1] == 10 {
                if line.isEmpty && !lines.isEmpty { return lines }
                lines.append(line)
                line = []
                index += 2
            } else {
                line.append(all[index])
                index += 1
            }
        }
        return nil
    }

    init?(_ all: [UInt8]) {
        guard let lines = Self.lines(all) else { return nil }
        for line in lines where line.contains(where: { ($0 < 32 && $0 != 9) || $0 == 127 }) {
            return nil
        }
        let parts = lines[0].split(separator: 32, omittingEmptySubsequences: false).map(text)
        guard parts.count == 3, Self.isToken(bytes(parts[0])) else { return nil }
        guard parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0" else { return nil }
        self.method = parts[0]
        self.target = parts[1]

        var named: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: 58), Self.isToken(line[..<colon]) else {
                return nil
            }
            var value = line[(colon + 1)...]
            let framing = ["content-length", "transfer-encoding"]
            if framing.contains(text(line[..<colon]).lowercased()), value.contains(9) { return nil }
            while let byte = value.first, byte == 32 || byte == 9 { value.removeFirst() }
            while let byte = value.last, byte == 32 || byte == 9 { value.removeLast() }
            named.append((text(line[..<colon]).lowercased(), text(value)))
        }
        self.fields = named.map { "\($0.name): \($0.value)" }
        let isHTTP11 = parts[2] == "HTTP/1.1"
        let values = { (name: String) in named.filter { $0.name == name }.map(\.value) }

        let hosts = values("host")
        guard hosts.count <= 1, !isHTTP11 || hosts.count == 1 else { return nil }
        if let host = hosts.first, !Self.isAuthority(host) { return nil }
        guard let targetAuthority = Self.authority(of: parts[1], method: parts[0]) else {
            return nil
        }
        self.authority = targetAuthority ?? hosts.first

        let options = values("connection").flatMap { Self.members($0) }
        let names = options.filter { !["close", "keep-alive", "upgrade"].contains($0) }
        guard names.count <= 32, names.allSatisfy({ Self.isToken(bytes($0)) }) else { return nil }
        let kept = ["host", "content-length", "authorization", "cookie"]
        guard !names.contains(where: { kept.contains($0) || $0.hasPrefix("x-forwarded-") }) else {
            return nil
        }
        self.isKeepAlive =
            !options.contains("close") && (isHTTP11 || options.contains("keep-alive"))

        let lengths = values("content-length")
        let codings = values("transfer-encoding")
        switch (lengths.count, codings.count) {
        case (0, 0):
            self.framing = .none
        case (1, 0):
            guard !lengths[0].isEmpty, lengths[0].utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
                let length = Int64(lengths[0])
            else { return nil }
            self.framing = .length(UInt64(length))
        case (0, 1):
            guard isHTTP11, codings[0].lowercased() == "chunked" else { return nil }
            self.framing = .chunked
        default:
            return nil
        }
    }

    static func members(_ list: String) -> [String] {
        bytes(list.lowercased()).split(separator: 44).map { member in
            var member = member
            while let byte = member.first, byte == 32 || byte == 9 { member.removeFirst() }
            while let byte = member.last, byte == 32 || byte == 9 { member.removeLast() }
            return text(member)
        }.filter { !$0.isEmpty }
    }

    /// The authority of a target: nil if the target is refused, `.some(nil)` if it has none.
    static func authority(of target: String, method: String) -> String?? {
        guard !target.isEmpty, bytes(target).allSatisfy({ $0 > 32 && $0 < 127 && $0 != 35 }) else {
            return nil
        }
        if method == "CONNECT" {
            guard Self.isAuthority(target), let colon = target.lastIndex(of: ":"),
                !target[colon...].contains("]")
            else { return nil }
            return target
        }
        if target.hasPrefix("/") { return .some(nil) }
        if target == "*" { return method == "OPTIONS" ? .some(nil) : nil }
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            let rest = target.dropFirst(scheme.count)
            let authority = String(rest.prefix { $0 != "/" && $0 != "?" })
            guard Self.isAuthority(authority) else { return nil }
            return authority
        }
        return nil
    }

    static func isAuthority(_ value: String) -> Bool {
        var host = value
        var port: String?
        if value.hasPrefix("[") {
            guard let bracket = value.firstIndex(of: "]") else { return false }
            host = String(value[...bracket])
            let rest = value[value.index(after: bracket)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return false }
            if !rest.isEmpty { port = String(rest.dropFirst()) }
        } else if let colon = value.firstIndex(of: ":") {
            host = String(value[..<colon])
            port = String(value[value.index(after: colon)...])
        }
        if let port {
            guard !port.isEmpty, port.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
                UInt16(port) != nil
            else { return false }
        }
        if host.hasPrefix("[") { return Self.isIPv6(String(host.dropFirst().dropLast())) }
        return Self.isName(bytes(host))
    }

    private static func isName(_ host: [UInt8]) -> Bool {
        let plain = Set(bytes("-._~!$&'()*+,;=")).union(48...57).union(65...90).union(97...122)
        var rest = host[...]
        while let byte = rest.popFirst() {
            if byte == 37 {
                guard rest.count >= 2, rest.prefix(2).allSatisfy(Self.isHexadecimal) else {
                    return false
                }
                rest = rest.dropFirst(2)
            } else if !plain.contains(byte) {
                return false
            }
        }
        return !host.isEmpty
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    /// Counts groups around at most one gap.
    private static func isIPv6(_ text: String) -> Bool {
        guard !text.contains(":::") else { return false }
        var sides: [String] = [""]
        var rest = Substring(text)
        while !rest.isEmpty {
            if rest.hasPrefix("::") {
                sides.append("")
                rest = rest.dropFirst(2)
            } else {
                sides[sides.count - 1].append(rest.removeFirst())
            }
        }
        guard sides.count <= 2 else { return false }
        var groups = 0
        for (position, side) in sides.enumerated() where !side.isEmpty {
            let parts = side.split(separator: ":", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() {
                if part.contains(".") {
                    let isLast = position == sides.count - 1 && index == parts.count - 1
                    let numbers = part.split(separator: ".", omittingEmptySubsequences: false)
                    guard isLast, numbers.count == 4,
                        numbers.allSatisfy({ UInt8($0).map(String.init) == String($0) })
                    else { return false }
                    groups += 2
                } else {
                    guard (1...4).contains(part.utf8.count),
                        part.utf8.allSatisfy(Self.isHexadecimal)
                    else { return false }
                    groups += 1
                }
            }
        }
        return sides.count == 2 ? groups <= 7 : groups == 8
    }
}
