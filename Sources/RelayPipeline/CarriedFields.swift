package import RelayConfig
package import RelayHTTP

/// The fields that are carried with a packet or a login, both ways (DESIGN 2.6): what the filters let through
/// of a head (default without a filter: `X-*`), without the protocol's, framing, hop-by-hop and forwarding fields,
/// `Authorization` and `Cookie`, nor any alias of them with `_` or `.`; as complete field lines.
package enum CarriedFields {
    /// Appends what goes from a client's request towards a backend: filtered by the `request` lists, with relay's own
    /// `X-Request-Id` and `X-Forwarded-For`, `-Proto`, `-Host`, `X-Real-IP` set from the connection.
    ///
    /// Where a filter writes one of relay's own, the filter's word stands.
    package static func appendRequest(
        _ filters: HeaderFilterList,
        of exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        if filters.carriesXAloneInRequests {
            let fields = request.head.fields
            for index in 0..<fields.count {
                let field = fields[index]
                guard field.isXField, !field.isHopByHop else { continue }
                let name = bytes.extracting(field.name)
                let standing = FieldStanding(name, known: field.known)
                guard standing == .free || standing == .ofServers else { continue }
                output.appendField(field, of: bytes)
            }
            exchange.appendOwnFields(request, bytes, to: &output) { _ in false }
            return
        }
        var fields = FieldLines()
        for index in 0..<request.head.fields.count {
            let field = request.head.fields[index]
            if field.isHopByHop { continue }
            let name = bytes.extracting(field.name)
            switch FieldStanding(name, known: field.known) {
            case .protected, .ofRelay: continue
            case .free, .ofServers: fields.append(name, bytes.extracting(field.value))
            }
        }
        filters.applyToRequest(&fields)
        fields.append(to: &output) { name, isOfFilter in
            let standing = FieldStanding(name)
            return standing == .protected || (standing == .ofRelay && !isOfFilter)
        }
        exchange.appendOwnFields(request, bytes, to: &output) { fields.isWrittenByFilter($0) }
    }

    /// Appends what is stored of a backend's response, before any filter: the fields of `kept`, less those that are
    /// never carried, so that response filters can run at delivery.
    package static func appendResponse(
        _ kept: KeptNames,
        of head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            if field.isHopByHop { continue }
            let name = bytes.extracting(field.name)
            guard kept.contains(name, isXField: field.isXField) else { continue }
            guard Self.mayReachClients(name, known: field.known) else { continue }
            output.appendField(field, of: bytes)
        }
    }

    /// Appends what a client gets of stored field lines: filtered by the `response` lists, forwarding fields and
    /// (unless a filter names them) `X-Accel-*` and `X-Sendfile` left out.
    ///
    /// Nor does it append what an answer says by itself: `Date`, `Server`, `Content-Type`, `Cache-Control`.
    package static func appendDelivered(
        _ filters: HeaderFilterList,
        stored fields: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        var stored = StoredFields(fields)
        if filters.carriesXAloneInResponses {
            while let line = stored.next(in: fields) {
                let name = fields.extracting(line.name)
                guard name.isXName else { continue }
                let known = KnownField(name: name)
                guard known == .xRequestID || FieldStanding(name, known: known) == .free else {
                    continue
                }
                output.append(fields.extracting(line.whole))
            }
            return
        }
        var lines = FieldLines()
        while let line = stored.next(in: fields) {
            let name = fields.extracting(line.name)
            guard Self.mayReachClients(name, known: KnownField(name: name)) else { continue }
            lines.append(name, fields.extracting(line.value))
        }
        filters.applyToResponse(&lines)
        lines.append(to: &output) { name, _ in
            !Self.mayReachClients(name, known: KnownField(name: name))
        }
    }

    /// Whether a field of a packet may be in an answer to a client, if the filters let it through.
    private static func mayReachClients(_ name: Span<UInt8>, known: KnownField) -> Bool {
        switch known {
        case .date, .server, .contentType, .cacheControl: return false
        case .xRequestID: return true
        default: break
        }
        switch FieldStanding(name, known: known) {
        case .free, .ofServers: return true
        case .protected, .ofRelay: return false
        }
    }
}

/// Walks over field lines as they are stored: `Name: value\r\n`, one behind the other.
struct StoredFields {
    /// Where a line and its parts stand.
    struct Line {
        /// With its line end.
        var whole: Range<Int>
        /// Before the colon.
        var name: Range<Int>
        /// Behind the colon and the space.
        var value: Range<Int>
    }

    private var position = 0

    init(_ fields: Span<UInt8>) {}

    /// The next line; nil at the end, or where the text is not one of field lines.
    mutating func next(in fields: Span<UInt8>) -> Line? {
        let start = self.position
        var colon = start
        while colon < fields.count, fields[colon] != 0x3A { colon += 1 }
        var end = colon
        while end < fields.count, fields[end] != 0x0D { end += 1 }
        guard colon > start, fields.count - end >= 2, end - colon >= 2 else { return nil }
        self.position = end + 2
        return Line(whole: start..<(end + 2), name: start..<colon, value: (colon + 2)..<end)
    }
}

/// The names of fields that some response filter of a realm's listeners lets through (`X-*`
/// where none says otherwise): what is worth storing with a packet.
///
/// Never changes.
package final class KeptNames: Sendable {
    /// Whether all of `X-*` are kept, as nearly always.
    private let keepsXFields: Bool
    /// What is kept besides.
    private let patterns: [NamePattern]

    /// The union of what the filters pass.
    package init(_ filters: [HeaderFilterConfiguration]) {
        var patterns: [NamePattern] = []
        var keepsXFields = filters.isEmpty
        for filter in filters {
            let passed = filter.response.flatMap { rule -> [HeaderNamePattern] in
                if case .pass(let patterns) = rule { patterns } else { [] }
            }
            if passed.isEmpty { keepsXFields = true }
            for pattern in passed.map(NamePattern.init) {
                if pattern == .xFields {
                    keepsXFields = true
                } else if !patterns.contains(pattern) {
                    patterns.append(pattern)
                }
            }
        }
        self.keepsXFields = keepsXFields
        self.patterns = patterns
    }

    /// Whether fields of this name are kept.
    func contains(_ name: Span<UInt8>, isXField: Bool) -> Bool {
        (self.keepsXFields && isXField) || self.patterns.contains { $0.matches(name) }
    }
}
