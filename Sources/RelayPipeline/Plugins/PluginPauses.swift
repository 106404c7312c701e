import RelayEngine
import Synchronization

/// The exchanges that wait for a plugin: what `resume` is told by, from any thread.
///
/// Each ends once: by who resumes it first, its deadline, or the end of the exchange.
final class PluginPauses: Sendable {
    static let shared = PluginPauses()

    /// How far a pause is.
    private enum Progress {
        /// Nobody has resumed it.
        case waiting
        /// Somebody has; the loop will hear of it.
        case resumed(data: UInt64)
    }

    private struct Pause {
        let exchange: UInt64
        let calls: PluginCalls
        var progress: Progress
    }

    private struct State {
        var lastToken: UInt64 = 0
        var pauses: [UInt64: Pause] = [:]
    }

    private let state = Mutex(State())

    /// Makes a pause and gives its token, which is never used again.
    func begin(_ exchange: UInt64, of calls: PluginCalls) -> UInt64 {
        self.state.withLock { state in
            state.lastToken += 1
            state.pauses[state.lastToken] = Pause(
                exchange: exchange,
                calls: calls,
                progress: .waiting
            )
            return state.lastToken
        }
    }

    /// Ends a pause; false if it is over, or of another exchange.
    func resume(_ exchange: UInt64, token: UInt64, data: UInt64) -> Bool {
        let calls: PluginCalls? = self.state.withLock { state in
            guard let pause = state.pauses[token], pause.exchange == exchange,
                case .waiting = pause.progress
            else { return nil }
            state.pauses[token]?.progress = .resumed(data: data)
            return pause.calls
        }
        guard let calls else { return false }
        calls.loop.post { _ in calls.pauseResumed(token) }
        return true
    }

    /// Forgets a pause; gives the data of who has resumed it, if anybody has.
    func end(_ token: UInt64) -> UInt64? {
        self.state.withLock { state in
            guard case .resumed(let data) = state.pauses.removeValue(forKey: token)?.progress else {
                return nil
            }
            return data
        }
    }
}
