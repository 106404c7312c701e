/// A client's id: 1 to 255 bytes without comma, space or control byte, compared byte by byte.
///
/// Copies share the bytes.
package struct ClientName: Sendable, Hashable {
    /// The id as it came.
    package let bytes: [UInt8]

    /// The hash of the bytes, computed once; see `KeyHash`.
    let keyHash: UInt64

    /// Nil for what cannot be an id.
    package init?(_ bytes: Span<UInt8>) {
        guard Self.isValid(bytes) else { return nil }
        self.bytes = [UInt8](capacity: bytes.count) { output in
            for index in bytes.indices {
                output.append(bytes[index])
            }
        }
        self.keyHash = KeyHash.of(bytes)
    }

    /// Whether `bytes` can be an id.
    package static func isValid(_ bytes: Span<UInt8>) -> Bool {
        guard 1...255 ~= bytes.count else { return false }
        for index in bytes.indices {
            switch bytes[index] {
            case 0...0x20, 0x2C, 0x7F: return false
            default: continue
            }
        }
        return true
    }

    package static func == (one: ClientName, other: ClientName) -> Bool {
        one.keyHash == other.keyHash && one.bytes == other.bytes
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.keyHash)
    }

    /// Whether these are the bytes of this id.
    package func equals(_ bytes: Span<UInt8>) -> Bool {
        KeyHash.areEqual(self.bytes, bytes)
    }
}

extension ClientName: CustomStringConvertible {
    /// The id as text, for the log; bytes that are no UTF-8 are replaced.
    package var description: String { String(decoding: self.bytes, as: UTF8.self) }
}

/// For whom a packet is: nearly always one client, which takes no memory of its own.
package enum Recipients: Sendable, Equatable {
    /// One client.
    case one(ClientName)
    /// Several, each named once; empty is for nobody.
    case several([ClientName])

    /// How many clients.
    package var count: Int {
        switch self {
        case .one: 1
        case .several(let names): names.count
        }
    }

    /// One after the other, in the order in which they were named.
    package func forEach(_ body: (ClientName) -> Void) {
        switch self {
        case .one(let name): body(name)
        case .several(let names): for name in names { body(name) }
        }
    }
}
