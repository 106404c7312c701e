package import RelayHTTP

/// The fields of a message that is passed on as it comes: all but those of one hop, framing, and what relay says
/// itself (RFC 9110 section 7.6.1), and what header filters make of them.
package enum ProxiedFields {
    /// Appends the fields that go to a target, with relay's own `X-Request-Id`, `X-Forwarded-For`, `-Proto`, `-Host`
    /// and `X-Real-IP` set from the connection; without `Host` and framing.
    ///
    /// Where a filter writes one of relay's own, the filter's word stands.
    package static func appendRequest(
        of exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        let fields = request.head.fields
        if case .none = exchange.requestFilters {
            for index in 0..<fields.count where Self.goesToTarget(fields[index], exchange, bytes) {
                output.appendField(fields[index], of: bytes)
            }
            exchange.appendOwnFields(request, bytes, to: &output) { _ in false }
            return
        }
        var lines = FieldLines()
        for index in 0..<fields.count where Self.goesToTarget(fields[index], exchange, bytes) {
            lines.append(
                bytes.extracting(fields[index].name),
                bytes.extracting(fields[index].value)
            )
        }
        exchange.requestFilters.applyToRequest(&lines, unfiltered: nil)
        lines.append(to: &output) { name, _ in
            let known = KnownField(name: name)
            return known.isHopByHop || known == .host || known == .expect
        }
        exchange.appendOwnFields(request, bytes, to: &output) { lines.isWrittenByFilter($0) }
    }

    /// Appends the fields of a target's response that go to the client.
    ///
    /// Without framing, and without `Date`, which the answer carries already.
    package static func appendResponse(
        of exchange: Exchange,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        if case .none = exchange.responseFilters {
            for index in 0..<head.fields.count {
                let field = head.fields[index]
                if field.isHopByHop || field.known == .date { continue }
                output.appendField(field, of: bytes)
            }
            return
        }
        var lines = FieldLines()
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            if field.isHopByHop || field.known == .date { continue }
            lines.append(bytes.extracting(field.name), bytes.extracting(field.value))
        }
        exchange.responseFilters.applyToResponse(&lines, unfiltered: nil)
        lines.append(to: &output) { name, _ in
            let known = KnownField(name: name)
            return known.isHopByHop || known == .date
        }
    }

    /// Whether a client's field is passed on: what relay says of the client is not taken from it, nor from an alias
    /// with `_` or `.` that a target's gateway interface would read as the same.
    private static func goesToTarget(
        _ field: FieldPosition,
        _ exchange: Exchange,
        _ bytes: Span<UInt8>
    ) -> Bool {
        if field.isHopByHop { return false }
        switch field.known {
        case .host, .expect:
            return false
        case .forwarded:
            return exchange.isPeerTrusted
        case .other:
            return FieldStanding(bytes.extracting(field.name), known: .other) != .ofRelay
        default:
            return FieldStanding(Span(), known: field.known) != .ofRelay
        }
    }
}
