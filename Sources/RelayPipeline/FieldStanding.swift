import RelayHTTP

/// How a field stands with those who are not to forge it (DESIGN 2.6).
///
/// Names are compared in any case, and with `_` and `.` as if they were `-`, because the gateway interfaces of
/// many backends see no difference.
enum FieldStanding: Equatable {
    /// Whoever sends it may.
    case free
    /// Of the packet protocol, of framing or of one hop, or `Host`, `Expect`, `Authorization`, `Cookie`: never
    /// carried.
    case protected
    /// `X-Forwarded-For`, `-Proto`, `-Host`, `X-Real-IP` or `X-Request-Id`: set by relay.
    case ofRelay
    /// `X-Accel-*` or `X-Sendfile`: reaches a client only if a filter names it.
    case ofServers

    /// The standing of the field with this name; `known` is what the parser said of it.
    init(_ name: Span<UInt8>, known: KnownField) {
        if known != .other {
            self.init(known)
        } else if name.hasSeparatorOtherThanHyphen {
            self.init(alias: name)
        } else {
            self = name.beginsIgnoringCase("x-accel-") ? .ofServers : .free
        }
    }

    /// The standing of the field with this name.
    init(_ name: Span<UInt8>) {
        self.init(name, known: KnownField(name: name))
    }

    private init(_ field: KnownField) {
        if field.isForwarding || field == .xRequestID {
            self = .ofRelay
        } else if field == .xSendfile {
            self = .ofServers
        } else if field.isHopByHop || field.isPacketProtocol || field == .host
            || field == .expect
            || field == .authorization || field == .cookie
        {
            self = .protected
        } else {
            self = .free
        }
    }

    /// The standing of what `name` is an alias of.
    ///
    /// No name that matters is longer than 32 bytes.
    private init(alias name: Span<UInt8>) {
        var folded = InlineArray<32, UInt8>(repeating: 0)
        let count = min(name.count, 32)
        for index in 0..<count {
            let byte = name[index]
            folded[index] = byte == 0x5F || byte == 0x2E ? 0x2D : byte
        }
        let text = folded.span.extracting(0..<count)
        if text.beginsIgnoringCase("x-accel-") {
            self = .ofServers
        } else {
            self = name.count > 32 ? .free : FieldStanding(KnownField(name: text))
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the bytes begin with `text`, in any case.
    func beginsIgnoringCase(_ text: StaticString) -> Bool {
        self.extracting(first: text.utf8CodeUnitCount).equalsIgnoringCase(text)
    }

    /// Whether this is the name of an `X-*` field.
    var isXName: Bool {
        self.count > 2 && self[1] == 0x2D && self[0] | 0x20 == 0x78
    }

    fileprivate var hasSeparatorOtherThanHyphen: Bool {
        for index in self.indices where self[index] == 0x5F || self[index] == 0x2E { return true }
        return false
    }
}
