import RelayHTTP
import RelayPipeline
import RelayUpstream

extension UpstreamFailure.Kind {
    /// What the client hears of it.
    var problem: Problem {
        switch self {
        case .unreachable, .noCapacity: Problem(status: 503)
        case .reset, .malformed, .cancelled: Problem(status: 502)
        case .timedOut: Problem(status: 504)
        }
    }

    /// The same in a sentence.
    var detail: String {
        switch self {
        case .unreachable: "No target of the service can be reached at the moment."
        case .noCapacity: "The service has no free connection at the moment."
        case .reset, .cancelled: "The service has broken off before it answered."
        case .malformed: "The service's answer was not understood."
        case .timedOut: "The service has not answered in time."
        }
    }
}
