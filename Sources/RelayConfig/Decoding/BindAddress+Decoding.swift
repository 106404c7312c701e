extension Form<BindAddress> {
    /// `HOST:PORT`, `"[IPV6]:PORT"` or `unix:PATH`.
    static let bind = located { word, directory throws(Rejection) in
        try BindAddress(word, directory)
    } print: { address, directory in
        guard case .unix(let path) = address else { return address.description }
        return "unix:\(Path.relative(path, to: directory))"
    }
}

extension BindAddress {
    /// Reads an address; `directory` is where a relative socket is.
    init(_ word: Word, _ directory: String) throws(Rejection) {
        if word.text.hasPrefix("unix:") {
            let path = String(word.text.dropFirst(5))
            self = .unix(path: try UnixPath.joined(path, directory, word))
            return
        }
        let isPort = word.text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let isAny =
            word.text.hasPrefix("*:") || (word.text.hasPrefix(":") && !word.text.hasPrefix("::"))
        if isPort || isAny {
            let remedy = "write '0.0.0.0:PORT' or '\"[::]:PORT\"' for all"
            throw Rejection("has no host in \(word.shown); \(remedy)")
        }
        let (host, port) = try HostAndPort.split(word.text, of: word)
        guard let port else {
            throw Rejection("has no port in \(word.shown); write HOST:PORT")
        }
        self = .tcp(host: host, port: port)
    }
}

extension Form {
    /// A form of one scalar that may hold a path relative to its file.
    ///
    /// It is printed as it was written only if it means the same in the main file.
    static func located(
        parse: @escaping @Sendable (Word, _ directory: String) throws(Rejection) -> Value,
        print: @escaping @Sendable (Value, _ directory: String) -> String
    ) -> Form {
        Form(
            sections: [],
            read: { node, name, reading in
                let directory = Path.directory(of: node.location.file)
                let form = Form.scalar("a text", isText: true) { word throws(Rejection) in
                    try parse(word, directory)
                } print: {
                    print($0, directory)
                }
                return form.read(node, name, &reading)
            },
            print: { value, node, printing in
                if let node, node.isExpanded,
                    Path.directory(of: node.location.file) == printing.directory
                {
                    return Printed(node)
                }
                return .text(print(value, printing.directory))
            }
        )
    }
}

/// The path of a unix socket.
enum UnixPath {
    /// What fits in a `sockaddr_un` with its final zero (unix(7)).
    static let bytesMax = 107

    /// The path, seen from where relay runs.
    static func joined(
        _ path: String,
        _ directory: String,
        _ word: Word
    ) throws(Rejection) -> String {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw Rejection("has no path behind 'unix:' in \(word.shown)")
        }
        let joined = Path.joined(directory, path)
        guard joined.utf8.count <= self.bytesMax else {
            throw Rejection("has a path above \(self.bytesMax) bytes; use a shorter one")
        }
        return joined
    }
}

/// A host and a port, as addresses and URLs have them.
enum HostAndPort {
    /// Splits `HOST`, `HOST:PORT` or `[IPV6]:PORT`, a part of a text or the whole; the host comes
    /// without brackets.
    static func split(
        _ text: String,
        of word: Word
    ) throws(Rejection) -> (host: String, port: UInt16?) {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else {
                throw Rejection("has no closing bracket in \(word.shown)")
            }
            let host = String(text[..<end].dropFirst())
            let rest = text[text.index(after: end)...]
            guard host.utf8.contains(0x3A), IPAddress(host) != nil else {
                throw Rejection("has no IPv6 address in the brackets of \(word.shown)")
            }
            guard rest.isEmpty || rest.hasPrefix(":") else {
                throw Rejection("has something behind the brackets of \(word.shown)")
            }
            return (host, rest.isEmpty ? nil : try self.port(rest.dropFirst(), word))
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first else {
            throw Rejection("has an IPv6 address in \(word.shown); write '\"[IPV6]:PORT\"'")
        }
        guard String(host).isHost else {
            throw Rejection(
                "has no valid host in \(word.shown); write a name or an address"
            )
        }
        return (String(host), parts.count == 2 ? try self.port(parts[1], word) : nil)
    }

    private static func port(_ text: Substring, _ word: Word) throws(Rejection) -> UInt16 {
        guard let quantity = Quantity(String(text)), quantity.unit.isEmpty,
            let port = UInt16(exactly: quantity.number)
        else {
            throw Rejection("has no port of 0 to 65535 in \(word.shown)")
        }
        return port
    }
}

extension String {
    /// Whether it is an IPv4 address or the name of a host (RFC 1123, 2.1, and `_`).
    var isHost: Bool {
        if IPAddress(self) != nil { return true }
        let labels = self.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { $0.isLetterOrDigit || $0 == 0x2D || $0 == 0x5F }
        }
        // Digits and dots alone are an address, and not a valid one.
        let isNumeric = labels.last?.utf8.allSatisfy { (0x30...0x39).contains($0) } ?? true
        return areLabels && !isNumeric && self.utf8.count <= 253
    }
}
