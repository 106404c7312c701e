package import RelayConfig
import RelayHTTP

/// `match` and `when`, compiled: whether a request is meant.
///
/// For one event loop: searching by a regular expression takes memory of its own.
package final class Matcher {
    private let hosts: [HostCondition]
    private let paths: [[UInt8]]
    private let pathPrefixes: [[UInt8]]
    private let pathSearches: [RegularExpressionSearch]
    private let methods: [[UInt8]]
    private let headers: [FieldCondition]
    private let queries: [FieldCondition]
    private let clientAddresses: [AddressRange]

    /// Compiles what relay.yaml says.
    package init(_ configuration: MatchConfiguration) {
        self.hosts = configuration.hosts.map(HostCondition.init)
        self.paths = configuration.paths.map { Array($0.utf8) }
        self.pathPrefixes = configuration.pathPrefixes.map { Array($0.utf8) }
        self.pathSearches = configuration.pathExpressions.map { RegularExpressionSearch($0) }
        self.methods = configuration.methods.map { Array($0.utf8) }
        self.headers = configuration.headers.map(FieldCondition.init)
        self.queries = configuration.queries.map(FieldCondition.init)
        self.clientAddresses = configuration.clientAddresses
    }

    /// Whether all that is given holds for the request.
    package func holds(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>) -> Bool {
        self.holdsForMethod(request, bytes)
            && request.withPath(bytes) { self.holdsForPath($0) }
            && self.holdsForHost(request, bytes)
            && self.holdsForClient(exchange.clientAddress)
            && self.holdsForFields(exchange, request, bytes)
            && self.holdsForQuery(request, bytes)
    }

    /// Plugins before may have changed the fields.
    private func holdsForFields(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Bool {
        if self.headers.isEmpty { return true }
        guard exchange.filters.hasEdits else {
            return self.headers.allSatisfy { $0.holds(forFieldsOf: request.head, bytes) }
        }
        var lines = FieldLines()
        for index in 0..<request.head.fields.count {
            let field = request.head.fields[index]
            lines.append(bytes.extracting(field.name), bytes.extracting(field.value))
        }
        exchange.filters.applyEdits(to: &lines)
        return self.headers.allSatisfy { $0.holds(forAnyOf: lines) }
    }

    private func holdsForMethod(_ request: Request, _ bytes: Span<UInt8>) -> Bool {
        if self.methods.isEmpty { return true }
        let name = bytes.extracting(request.head.methodName)
        return self.methods.contains { $0.span.equals(name) }
    }

    private func holdsForPath(_ path: Span<UInt8>) -> Bool {
        if !self.paths.isEmpty, !self.paths.contains(where: { $0.span.equals(path) }) {
            return false
        }
        guard
            self.pathPrefixes.isEmpty
                || self.pathPrefixes.contains(where: { path.isBelow($0.span) })
        else { return false }
        return self.pathSearches.isEmpty || self.pathSearches.contains { $0.find(in: path) }
    }

    private func holdsForHost(_ request: Request, _ bytes: Span<UInt8>) -> Bool {
        if self.hosts.isEmpty { return true }
        guard let authority = request.head.authority else { return false }
        let host = bytes.extracting(authority.host)
        return self.hosts.contains { $0.holds(for: host) }
    }

    private func holdsForClient(_ address: ClientAddress) -> Bool {
        if self.clientAddresses.isEmpty { return true }
        guard case .ip(let address) = address else { return false }
        return self.clientAddresses.contains { $0.contains(address) }
    }

    private func holdsForQuery(_ request: Request, _ bytes: Span<UInt8>) -> Bool {
        if self.queries.isEmpty { return true }
        guard let query = request.head.query else { return false }
        let parameters = QueryParameters(bytes.extracting(query))
        return self.queries.allSatisfy { $0.holds(forAnyOf: parameters) }
    }
}

@available(*, unavailable) extension Matcher: Sendable {}

/// A host, or all hosts below one, in lower case.
private struct HostCondition: Sendable {
    let text: [UInt8]
    let isSuffix: Bool

    init(_ pattern: MatchConfiguration.HostPattern) {
        switch pattern {
        case .exactly(let host):
            // An IPv6 address is compared without its brackets.
            self.text = host.utf8.filter { $0 != 0x5B && $0 != 0x5D }
            self.isSuffix = false
        case .below(let suffix):
            self.text = Array(suffix.utf8)
            self.isSuffix = true
        }
    }

    func holds(for host: Span<UInt8>) -> Bool {
        guard self.isSuffix else { return host.equalsIgnoringCase(self.text.span) }
        // At least one byte of a label stands before the suffix, which begins with a dot.
        guard host.count > self.text.count, host[0] != 0x2E else { return false }
        return host.extracting(last: self.text.count).equalsIgnoringCase(self.text.span)
    }
}

/// A header field or a parameter of the query that must be there with one of some values.
private struct FieldCondition: Sendable {
    let name: [UInt8]
    let values: [WildcardPattern]

    init(_ match: MatchConfiguration.FieldMatch) {
        self.name = Array(match.name.utf8)
        self.values = match.values.map(WildcardPattern.init)
    }

    func holds(forFieldsOf head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        var next = head.fields.firstIndex(named: self.name.span, in: bytes)
        while let index = next {
            if self.accepts(bytes.extracting(head.fields[index].value)) { return true }
            next = head.fields.firstIndex(named: self.name.span, in: bytes, from: index + 1)
        }
        return false
    }

    func holds(forAnyOf lines: FieldLines) -> Bool {
        (0..<lines.count).contains { index in
            lines.withField(at: index) { name, value in
                name.equalsIgnoringCase(self.name.span) && self.accepts(value)
            }
        }
    }

    func holds(forAnyOf parameters: QueryParameters) -> Bool {
        parameters.pairs.contains { name, value in
            name == self.name && self.accepts(value.span)
        }
    }

    private func accepts(_ text: Span<UInt8>) -> Bool {
        self.values.contains { $0.matches(text) }
    }
}

/// A wildcard as bytes.
///
/// Each part is taken at its first place behind the one before, which never needs to be taken back: the time
/// grows with the length of the text times that of the longest part, whatever the text.
struct WildcardPattern: Sendable {
    private let parts: [[UInt8]]

    init(_ wildcard: Wildcard) {
        self.parts = wildcard.parts.map { Array($0.utf8) }
    }

    /// Whether all of `text` is matched.
    func matches(_ text: Span<UInt8>) -> Bool {
        guard let first = self.parts.first, let last = self.parts.last else { return false }
        guard self.parts.count > 1 else { return text.equals(first.span) }
        guard text.count >= first.count + last.count,
            text.extracting(first: first.count).equals(first.span),
            text.extracting(last: last.count).equals(last.span)
        else { return false }
        var start = first.count
        let end = text.count - last.count
        for part in self.parts[1..<(self.parts.count - 1)] {
            guard let found = Self.find(part.span, in: text, from: start, to: end) else {
                return false
            }
            start = found + part.count
        }
        return true
    }

    private static func find(
        _ part: Span<UInt8>,
        in text: Span<UInt8>,
        from start: Int,
        to end: Int
    ) -> Int? {
        var offset = start
        while end - offset >= part.count {
            if text.extracting(offset..<(offset + part.count)).equals(part) { return offset }
            offset += 1
        }
        return nil
    }
}

/// The parameters of a query, `name=value&…`, with their escapes decoded and `+` as a space.
struct QueryParameters {
    /// Names and values in order; a malformed escape stays as it is.
    let pairs: [(name: [UInt8], value: [UInt8])]

    init(_ query: Span<UInt8>) {
        var pairs: [(name: [UInt8], value: [UInt8])] = []
        var start = 0
        while start < query.count {
            var end = start
            while end < query.count, query[end] != 0x26 { end += 1 }
            var equals = start
            while equals < end, query[equals] != 0x3D { equals += 1 }
            if end > start {
                pairs.append(
                    (
                        Self.decode(query.extracting(start..<equals)),
                        Self.decode(query.extracting(min(equals + 1, end)..<end))
                    )
                )
            }
            start = end + 1
        }
        self.pairs = pairs
    }

    private static func decode(_ text: Span<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == 0x25, text.count - index > 2,
                let high = Self.digit(text[index + 1]), let low = Self.digit(text[index + 2])
            {
                output.append(high << 4 | low)
                index += 3
            } else {
                output.append(text[index] == 0x2B ? 0x20 : text[index])
                index += 1
            }
        }
        return output
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether this path is `prefix` or lies below it: `/api` holds for `/api/x`, not for `/apiary`.
    func isBelow(_ prefix: Span<UInt8>) -> Bool {
        guard self.count >= prefix.count, prefix.count > 0,
            self.extracting(first: prefix.count).equals(prefix)
        else { return false }
        return self.count == prefix.count || prefix[prefix.count - 1] == 0x2F
            || self[prefix.count] == 0x2F
    }
}
