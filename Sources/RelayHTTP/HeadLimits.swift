/// The largest head that is accepted.
package struct HeadLimits: Equatable, Sendable {
    /// Bytes of the whole head, from the first byte to the empty line, 1 to 16 MiB.
    package let bytesMax: Int
    /// Number of field lines, 1 to 65,535.
    package let fieldsMax: Int

    /// Makes limits; values out of bounds are moved to the nearest bound.
    package init(bytesMax: Int = 32 << 10, fieldsMax: Int = 100) {
        self.bytesMax = min(max(bytesMax, 1), 16 << 20)
        self.fieldsMax = min(max(fieldsMax, 1), 65_535)
    }
}
