package import RelayConfig
package import RelayHTTP

/// `rewrite` of a rule, made ready for one event loop.
package final class PathRewrite {
    private let strippedPrefix: [UInt8]
    private let prefix: [UInt8]
    private let search: RegularExpressionSearch?
    private let replacement: [PathTemplate.Part]
    /// Where the next path is put together; kept, so that warm ones allocate nothing.
    private var path: [UInt8] = []

    /// By what relay.yaml says.
    package init(_ configuration: RewriteConfiguration) {
        self.strippedPrefix = configuration.strippedPrefix.map { Array($0.utf8) } ?? []
        // The path that follows brings its own slash.
        let prefix = configuration.prefix.map { Array($0.utf8) } ?? []
        self.prefix = prefix.last == 0x2F ? prefix.dropLast() : prefix
        self.search = configuration.expression.map { RegularExpressionSearch($0) }
        self.replacement = configuration.replacement?.parts ?? []
    }

    /// Gives the request another path, in its normal form; nil, or why there is no such path.
    ///
    /// What comes of it is looked at like a path that came from outside, because pieces of that may have come
    /// together to dot segments. `*` of OPTIONS is no path and stays.
    package func apply(
        to request: Request,
        _ bytes: Span<UInt8>,
        mergingSlashes: Bool
    ) -> RequestFault? {
        guard request.head.targetForm != .asterisk else { return nil }
        self.path.removeAll(keepingCapacity: true)
        self.path.append(contentsOf: self.prefix)
        request.withPath(bytes) { self.append($0) }
        let path = self.path
        return request.replacePath(with: path.span, mergingSlashes: mergingSlashes)
    }

    private func append(_ whole: Span<UInt8>) {
        let prefix = self.strippedPrefix
        let stripped = whole.isBelow(prefix.span) ? prefix.count : 0
        // Of `/api/` the slash stays, which begins the rest.
        let start = stripped > 0 && prefix.last == 0x2F ? stripped - 1 : stripped
        let path = whole.extracting(start..<whole.count)
        guard let search, search.find(in: path), let found = search.range(ofGroup: 0) else {
            self.append(path, from: self.path.count)
            return
        }
        let rewrittenStart = self.path.count
        self.path.append(path.extracting(0..<found.lowerBound))
        for part in self.replacement {
            switch part {
            case .literal(let literal):
                self.path.append(contentsOf: literal)
            case .group(let group):
                if let range = search.range(ofGroup: group) {
                    self.path.append(path.extracting(range))
                }
            }
        }
        self.append(path.extracting(found.upperBound..<path.count), from: rewrittenStart)
    }

    /// Appends the end of a path, and puts a slash where it begins if there is none.
    private func append(_ end: Span<UInt8>, from start: Int) {
        self.path.append(end)
        if start == self.path.count || self.path[start] != 0x2F {
            self.path.insert(0x2F, at: start)
        }
    }
}

@available(*, unavailable) extension PathRewrite: Sendable {}
