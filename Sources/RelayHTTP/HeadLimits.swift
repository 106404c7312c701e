/// The largest head that is accepted.
package struct HeadLimits: Equatable, Sendable {
    // Every connection has its limits beside its parser, so they are kept small.
    private let bytes: UInt32
    private let fields: UInt16

    /// Bytes of the whole head, from the first byte to the empty line, 1 to 16 MiB.
    package var bytesMax: Int { Int(self.bytes) }
    /// Number of field lines, 1 to 65,535.
    package var fieldsMax: Int { Int(self.fields) }

    /// Makes limits; values out of bounds are moved to the nearest bound.
    package init(bytesMax: Int = 32 << 10, fieldsMax: Int = 100) {
        self.bytes = UInt32(min(max(bytesMax, 1), 16 << 20))
        self.fields = UInt16(min(max(fieldsMax, 1), 65_535))
    }
}
