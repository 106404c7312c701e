package import RelayConfig
import RelayEngine
import RelayHTTP

/// What relay tells a backend about the request and the connection that it came by.
extension Exchange {
    /// Appends `X-Request-Id`, `X-Forwarded-For`, `-Proto` and `-Host` and `X-Real-IP`, each unless it
    /// `isGiven` already.
    ///
    /// What a trusted proxy said is extended (`X-Forwarded-For`) or kept; what anybody else said is not
    /// looked at. A peer on a unix socket has no address, so nothing is said of one.
    func appendOwnFields(
        _ request: Request,
        _ bytes: Span<UInt8>,
        to output: inout [UInt8],
        unless isGiven: (KnownField) -> Bool
    ) {
        if !isGiven(.xRequestID) {
            output.appendName(of: .xRequestID)
            output.append(self.requestID)
            output.append("\r\n")
        }
        if !isGiven(.xForwardedFor) { self.appendForwardedFor(request, bytes, to: &output) }
        if !isGiven(.xForwardedProto),
            !self.appendKept(.xForwardedProto, request, bytes, to: &output)
        {
            output.appendField(.xForwardedProto, "http")
        }
        if !isGiven(.xForwardedHost),
            !self.appendKept(.xForwardedHost, request, bytes, to: &output),
            let authority = request.head.authority
        {
            output.appendField(.xForwardedHost, bytes.extracting(authority.whole))
        }
        if !isGiven(.xRealIP), !self.appendKept(.xRealIP, request, bytes, to: &output),
            case .ip(let address) = self.clientAddress
        {
            output.appendName(of: .xRealIP)
            output.append(address)
            output.append("\r\n")
        }
    }

    /// Appends what a trusted proxy said once; false if it is not trusted, or said nothing or several things.
    private func appendKept(
        _ field: KnownField,
        _ request: Request,
        _ bytes: Span<UInt8>,
        to output: inout [UInt8]
    ) -> Bool {
        guard self.isPeerTrusted, !request.head.fields.isRepeated(field),
            let value = request.head.fields.value(of: field), !value.isEmpty
        else { return false }
        output.appendField(field, bytes.extracting(value))
        return true
    }

    private func appendForwardedFor(
        _ request: Request,
        _ bytes: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        let start = output.count
        output.appendName(of: .xForwardedFor)
        let valueStart = output.count
        var next = self.isPeerTrusted ? request.head.fields.firstIndex(of: .xForwardedFor) : nil
        while let index = next {
            let value = bytes.extracting(request.head.fields[index].value)
            if value.count > 0 {
                if output.count > valueStart { output.append(", ") }
                output.append(value)
            }
            next = request.head.fields.nextIndex(of: .xForwardedFor, after: index)
        }
        if case .ip(let address) = self.peerAddress {
            if output.count > valueStart { output.append(", ") }
            output.append(address)
        }
        if output.count > valueStart {
            output.append("\r\n")
        } else {
            output.removeLast(output.count - start)
        }
    }
}

extension [UInt8] {
    /// Appends the id as it stands in a header or a log.
    package mutating func append(_ id: RequestID) {
        switch id {
        case .given(let text):
            self.append(contentsOf: text)
        case .made(let high, let low):
            self.append(addingCapacity: 32) { output in
                output.append(sixteenDigitsOf: high)
                output.append(sixteenDigitsOf: low)
            }
        }
    }

    /// Appends an address as a log or a header field shows it.
    package mutating func append(_ address: IPAddress) {
        switch address {
        case .v4(let bits):
            self.append(addingCapacity: 15) { output in
                for index in 0..<4 as Range<UInt32> {
                    if index > 0 { output.append(0x2E) }
                    output.append(decimal: UInt64((bits >> (24 - 8 * index)) & 255))
                }
            }
        case .v6(let high, let low):
            let address = SocketAddress.v6(high: high, low: low, port: 0, zone: 0)
            self.append(contentsOf: address.host.utf8)
        }
    }

    fileprivate mutating func appendName(of field: KnownField) {
        let name = field.name
        self.append(addingCapacity: name.utf8CodeUnitCount + 2) { output in
            output.append(name)
            output.append(": ")
        }
    }
}

extension OutputSpan<UInt8> {
    fileprivate mutating func append(sixteenDigitsOf word: UInt64) {
        for index in 0..<16 as Range<UInt64> {
            let digit = UInt8(truncatingIfNeeded: (word >> (60 - 4 * index)) & 15)
            self.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }
}
