import RelayAdmin
import RelayConfig
import Synchronization

/// The text of relay.yaml as relay reads it, and what came of reading it again.
final class ConfigurationText: Sendable {
    private struct State {
        var text: String
        /// Whether the text is good, and what was read last.
        var isGood = true
        var wasGood = true
        var fault: String?
    }

    private let state: Mutex<State>

    init(_ text: String) { self.state = Mutex(State(text: text)) }

    /// Reads the file.
    func load() -> LoadedConfiguration {
        let text = self.state.withLock { state in
            state.wasGood = state.isGood
            return state.text
        }
        return Configuration.load(text: text)
    }

    /// The file is written anew.
    func replace(_ text: String, isGood: Bool) {
        self.state.withLock { state in
            state.text = text
            state.isGood = isGood
        }
    }

    /// A reload has ended; the next one has not begun to read.
    func ended(_ result: ReloadResult) {
        self.state.withLock { state in
            switch result {
            case .success where !state.wasGood: state.fault = "a bad file was taken over"
            case .failure(["relay is stopping"]): break
            case .failure(let sentences) where state.wasGood:
                state.fault = "a good file was refused: \(sentences)"
            case .success, .failure: break
            }
        }
    }

    /// How a reload ended that must not.
    var fault: String? { self.state.withLock { $0.fault } }
}
