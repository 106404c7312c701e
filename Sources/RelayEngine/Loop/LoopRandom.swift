/// Random numbers for jitter, from a seed that the system gives once (SplitMix64).
///
/// Guessing them gains nothing; asking the kernel for each would cost a system call.
package struct LoopRandom: RandomNumberGenerator {
    private var state: UInt64

    /// From a seed of the system's.
    package init(_ system: SystemCalls) {
        var seed = InlineArray<8, UInt8>(repeating: 0)
        var span = seed.mutableSpan
        system.fillWithRandomBytes(&span)
        self.state = 0
        for index in seed.indices { self.state = self.state << 8 | UInt64(seed[index]) }
    }

    /// From a seed of the caller's.
    package init(seed: UInt64) { self.state = seed }

    /// The next number.
    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
