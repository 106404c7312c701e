import SimulatedSystem

/// How a backend behaves for a while.
enum BackendMood: CaseIterable {
    /// Answers at once.
    case healthy
    /// Holds its answers.
    case holding
    /// Sends its answers in small pieces.
    case slow
    /// Answers with an error.
    case failing
    /// Says that some packets are at fault.
    case rejecting
    /// Resets connections when something comes.
    case resettingEarly
    /// Resets connections when a request was read.
    case resettingLate
    /// Breaks off in the middle of answers.
    case breakingOff
    /// Does not listen.
    case refusing
    /// Ends all its connections, then goes on.
    case restarting
    /// Cannot be reached.
    case silent
    /// Closes its connections behind answers, and idle ones at any time.
    case closing
    /// Reads requests and does not answer.
    case mute

    static func any(_ generator: inout SeededGenerator) -> BackendMood {
        generator.chance(0.4)
            ? .healthy : Self.allCases.randomElement(using: &generator) ?? .healthy
    }
}
