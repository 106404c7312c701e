import RelayHTTP
import RelayPipeline

extension RequestID {
    /// The id as the log shows it.
    var logText: String {
        switch self {
        case .given(let bytes):
            return String(decoding: bytes, as: UTF8.self)
        case .made(let high, let low):
            let digits = [high, low].map { half in
                let text = String(half, radix: 16)
                return String(repeating: "0", count: 16 - text.count) + text
            }
            return digits.joined()
        }
    }
}

extension ClientAddress {
    /// The address as the log shows it.
    var logText: String {
        switch self {
        case .ip(let address): "\(address)"
        case .unix: "unix"
        }
    }
}
