/// `memory`: how much of it relay may use.
package struct MemoryConfiguration: Sendable, Equatable {
    /// `limit`: the bytes at which relay begins to refuse work.
    ///
    /// Nil is `auto`, the default: 70 % of the memory of the control group or the machine. At least
    /// 32MiB.
    package var limitBytes: Int?

    /// The defaults.
    package init() {}
}
