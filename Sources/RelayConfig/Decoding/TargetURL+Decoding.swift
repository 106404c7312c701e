extension Form<TargetURL> {
    /// `http://HOST[:PORT][/PATH]` or `http://unix:SOCKET:/PATH`.
    ///
    /// One with a password in it is refused, and not shown.
    static let targetURL = Form(
        sections: [],
        read: { node, name, reading in
            if node.scalar?.text.contains("@") ?? false { reading.hide(node) }
            return plainTargetURL.read(node, name, &reading)
        },
        print: plainTargetURL.print
    )

    private static let plainTargetURL = located { word, directory throws(Rejection) in
        try TargetURL(word, directory)
    } print: { url, directory in
        guard case .unix(let path) = url.address else { return url.text }
        return "http://unix:\(Path.relative(path, to: directory)):\(url.path)"
    }
}

extension TargetURL {
    /// Reads a URL; `directory` is where a relative socket is.
    init(_ word: Word, _ directory: String) throws(Rejection) {
        if word.text.hasPrefix("https://") {
            throw Rejection(sentence: "'https' is not supported yet")
        }
        guard word.text.hasPrefix("http://") else {
            throw Rejection("begins with 'http://', not so \(word.shown)")
        }
        let rest = word.text.dropFirst(7)
        if rest.contains("?") || rest.contains("#") {
            throw Rejection("is without query and fragment, not so \(word.shown)")
        }
        if rest.hasPrefix("unix:") {
            try self.init(unix: rest.dropFirst(5), word, directory)
            return
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = String(rest[..<slash])
        if authority.contains("@") {
            throw Rejection("cannot hold a user or password; remove what stands before '@'")
        }
        let (host, port) = try HostAndPort.split(authority, of: word)
        guard port != 0 else { throw Rejection("has port 0 in \(word.shown)") }
        let path = try Self.path(rest[slash...], word)
        self.init(
            text: "http://\(authority)\(path)",
            address: .tcp(host: host, port: port ?? 80),
            authority: authority,
            path: path
        )
    }

    /// Reads what stands behind `http://unix:`.
    private init(unix rest: Substring, _ word: Word, _ directory: String) throws(Rejection) {
        let colon = rest.firstIndex(of: ":") ?? rest.endIndex
        let socket = try UnixPath.joined(String(rest[..<colon]), directory, word)
        let path = try Self.path(rest[colon...].dropFirst(), word)
        self.init(
            text: "http://unix:\(socket):\(path)",
            address: .unix(path: socket),
            authority: "localhost",
            path: path
        )
    }

    private static func path(_ path: Substring, _ word: Word) throws(Rejection) -> String {
        if path.isEmpty { return "" }
        guard let normal = RequestPath.normalized(String(path)) else {
            throw Rejection("has no valid path in \(word.shown)")
        }
        guard normal == path else {
            let remedy = word.isExpanded ? "" : "; write '\(normal)'"
            throw Rejection("has a path that is not in its normal form: \(word.shown)\(remedy)")
        }
        return normal
    }
}
