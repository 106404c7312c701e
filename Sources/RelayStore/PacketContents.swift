/// What a packet carries: its header fields as relay writes them, and its body.
///
/// Never changes. Copies share the bytes, which stand in one piece of memory.
package struct PacketContents: Sendable, Equatable {
    /// The header fields, then the body.
    package let bytes: [UInt8]

    /// How many of the bytes are header fields.
    package let headerCount: Int

    /// Contents whose bytes are copied.
    package init(headers: Span<UInt8>, body: Span<UInt8>) {
        let (total, tooMany) = headers.count.addingReportingOverflow(body.count)
        precondition(!tooMany, "two pieces of memory fit into memory")
        self.headerCount = headers.count
        self.bytes = [UInt8](capacity: total) { output in
            for index in headers.indices { output.append(headers[index]) }
            for index in body.indices { output.append(body[index]) }
        }
    }

    /// Contents that take `bytes` over without a copy.
    ///
    /// - Parameter headerCount: how many of `bytes` are header fields, at most all of them.
    package init(bytes: consuming [UInt8], headerCount: Int) {
        precondition(0...bytes.count ~= headerCount, "header fields lie inside of the bytes")
        self.bytes = bytes
        self.headerCount = headerCount
    }

    /// What a shard has of them.
    init(stored bytes: [UInt8], headerCount: Int) {
        self.bytes = bytes
        self.headerCount = headerCount
    }

    /// Contents of so many bytes that are in the journal only.
    static func absent(byteCount: Int) -> PacketContents {
        PacketContents(stored: [], headerCount: byteCount)
    }

    /// Whether they are in the journal only; then there is nothing to lend.
    package var isAbsent: Bool { self.bytes.isEmpty && self.headerCount > 0 }

    /// No header fields and no body.
    package static let empty = PacketContents(bytes: [], headerCount: 0)

    /// How long the body is, in bytes.
    package var bodyCount: Int { self.bytes.count &- self.headerCount }

    /// What limits count: the bytes of the header fields and of the body.
    package var byteCount: Int { self.bytes.isEmpty ? self.headerCount : self.bytes.count }

    /// Lends the header fields.
    package func withHeaders<Result>(_ read: (Span<UInt8>) throws -> Result) rethrows -> Result {
        try read(self.bytes.span.extracting(0..<self.headerCount))
    }

    /// Lends the body.
    package func withBody<Result>(_ read: (Span<UInt8>) throws -> Result) rethrows -> Result {
        try read(self.bytes.span.extracting(self.headerCount..<self.bytes.count))
    }
}
