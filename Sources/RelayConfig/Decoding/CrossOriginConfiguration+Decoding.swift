extension CrossOriginConfiguration {
    /// The keys of `cors`.
    static let section = Section<Self>(
        "cors",
        [
            Key("origins", \.origins, .oneOrMore(.origin), required: true),
            Key("max_age", \.maxAge, .duration(.zero ... .days(1))),
        ]
    ) { crossOrigin, node, reading in
        let items = node["origins"]?.items ?? []
        if items.count > 1,
            let word = items.first(where: { $0.scalar?.text == CrossOriginConfiguration.anyOrigin })
        {
            reading.error(at: word, "'*' allows all origins; remove it or the others")
        }
        if crossOrigin.maxAge.components.attoseconds != 0, let written = node["max_age"] {
            reading.error(at: written, "'max_age' is whole seconds; write '1s' or more, or '0s'")
        }
    }
}

extension Form<String> {
    /// The origin of a page as browsers send it (RFC 6454, 6.2: scheme, host, and the port unless it is
    /// the scheme's own), or `*`.
    fileprivate static let origin = text("an origin") { word in
        do throws(Rejection) {
            if word.text == CrossOriginConfiguration.anyOrigin { return nil }
            let normal = try normalOrigin(word)
            if normal == word.text { return nil }
            let remedy = word.isExpanded ? "" : "; write '\(normal)'"
            return Rejection("is not as browsers send it: \(word.shown)\(remedy)")
        } catch {
            return error
        }
    }

    private static func normalOrigin(_ word: Word) throws(Rejection) -> String {
        if word.text == "null" {
            throw Rejection("cannot be 'null', which every sandboxed page is; remove it")
        }
        if word.text.contains("*") {
            throw Rejection("has no wildcards: \(word.shown); name each origin, or '*' for all")
        }
        let text = word.text.lowercased()
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
            text[..<colon].isScheme
        else {
            throw Rejection("is an origin, not \(word.shown); write 'https://app.example.com'")
        }
        var authority = text[colon...].dropFirst(3)
        if authority.hasSuffix("/") { authority.removeLast() }
        if authority.contains(where: { "/?#@".contains($0) }) {
            throw Rejection("is scheme, host and port, and nothing else, not so \(word.shown)")
        }
        let (host, port) = try HostAndPort.split(String(authority), of: word)
        let shownHost = host.contains(":") ? "[\(host)]" : host
        let scheme = text[..<colon]
        let isOwn = (scheme == "http" && port == 80) || (scheme == "https" && port == 443)
        return "\(scheme)://\(shownHost)\(port.map { isOwn ? "" : ":\($0)" } ?? "")"
    }
}

extension Substring {
    /// Whether it is a URI's scheme in lower case (RFC 3986, 3.1).
    fileprivate var isScheme: Bool {
        guard let first = self.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return self.utf8.allSatisfy { $0.isLetterOrDigit || "+-.".utf8.contains($0) }
    }
}
