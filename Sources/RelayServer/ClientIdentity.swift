import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline

/// Who asks: the peer, and the client that it speaks for if it is a trusted proxy.
struct ClientIdentity: Equatable {
    /// The other end of the connection.
    let peer: ClientAddress
    /// The peer, or the rightmost address of `X-Forwarded-For` that is no trusted proxy.
    let client: ClientAddress
    /// Whether the peer is a trusted proxy.
    let isPeerTrusted: Bool

    init(
        _ address: SocketAddress,
        trusting proxies: [AddressRange],
        _ fields: borrowing FieldPositions,
        _ head: Span<UInt8>
    ) {
        self.peer = ClientAddress(address)
        guard case .ip(let ip) = self.peer, proxies.contains(where: { $0.contains(ip) }) else {
            self.client = self.peer
            self.isPeerTrusted = false
            return
        }
        self.isPeerTrusted = true
        self.client = .ip(Self.rightmostUntrusted(ip, proxies, fields, head))
    }

    /// Goes back through the list from the peer on, for as long as what is named is trusted.
    private static func rightmostUntrusted(
        _ peer: IPAddress,
        _ proxies: [AddressRange],
        _ fields: borrowing FieldPositions,
        _ head: Span<UInt8>
    ) -> IPAddress {
        var members: [ByteRange] = []
        var next = fields.firstIndex(of: .xForwardedFor)
        while let index = next {
            var list = ListMembers(fields[index].value)
            while let member = list.next(in: head) { members.append(member) }
            next = fields.nextIndex(of: .xForwardedFor, after: index)
        }
        var client = peer
        for member in members.reversed() {
            // Behind what is no address nothing can be trusted.
            guard let address = IPAddress(forwarded: head.extracting(member)) else { break }
            client = address
            if !proxies.contains(where: { $0.contains(address) }) { break }
        }
        return client
    }
}

extension ClientAddress {
    /// The address of the other end of a connection.
    init(_ address: SocketAddress) {
        switch address {
        case .v4(let bits, _): self = .ip(.v4(bits))
        case .v6(let high, let low, _, _): self = .ip(IPAddress(high: high, low: low))
        case .unix: self = .unix
        }
    }
}

extension IPAddress {
    /// Reads a member of `X-Forwarded-For`: `10.0.0.1`, `10.0.0.1:80`, `::1`, `[::1]` or `[::1]:80`.
    init?(forwarded member: Span<UInt8>) {
        // The longest address has 45 bytes; with brackets and port, 53.
        guard member.count <= 53 else { return nil }
        var text: [UInt8] = []
        text.append(member)
        if text.first == 0x5B, let end = text.firstIndex(of: 0x5D) {
            text = Array(text[1..<end])
        } else if let colon = text.firstIndex(of: 0x3A), text.lastIndex(of: 0x3A) == colon {
            text = Array(text[..<colon])
        }
        let host = String(decoding: text, as: UTF8.self)
        switch SocketAddress(numericHost: host, port: 0) {
        case .v4(let bits, _): self = .v4(bits)
        case .v6(let high, let low, _, _): self.init(high: high, low: low)
        case .unix, nil: return nil
        }
    }
}

extension RequestID {
    /// What `X-Request-Id` says, if it is given once and has 1 to 128 visible ASCII characters.
    init?(_ fields: borrowing FieldPositions, _ head: Span<UInt8>) {
        guard let value = fields.value(of: .xRequestID), !fields.isRepeated(.xRequestID),
            (1...128).contains(Int(value.count))
        else { return nil }
        var text: [UInt8] = []
        text.append(head.extracting(value))
        guard text.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self = .given(text)
    }
}
