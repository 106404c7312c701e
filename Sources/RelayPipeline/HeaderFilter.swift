package import RelayConfig
import RelayHTTP

/// A header filter, compiled: what it does to the fields of a message on its way.
///
/// Never changes.
package final class HeaderFilter: Sendable {
    /// Changes to what goes to a pool.
    let request: HeaderRules
    /// Changes to what goes to the client.
    let response: HeaderRules

    /// Compiles one; `isForPackets` on listeners with `buffer`, where a list without `pass` carries `X-*`
    /// alone, elsewhere everything.
    package init(_ configuration: HeaderFilterConfiguration, isForPackets: Bool) {
        self.request = HeaderRules(configuration.request, isForPackets: isForPackets)
        self.response = HeaderRules(configuration.response, isForPackets: isForPackets)
    }
}

/// The filters that a request has met; none, one, or several in order.
package enum HeaderFilterList {
    case none
    case one(HeaderFilter)
    indirect case then(HeaderFilterList, HeaderFilter)

    /// Adds the filter of a later stage.
    package mutating func append(_ filter: HeaderFilter) {
        switch self {
        case .none: self = .one(filter)
        case .one, .then: self = .then(self, filter)
        }
    }

    /// Whether what they do to requests is to let `X-*` through and nothing else.
    var carriesXAloneInRequests: Bool {
        switch self {
        case .none: true
        case .one(let filter): filter.request.carriesXAlone
        case .then(let list, let filter):
            list.carriesXAloneInRequests && filter.request.carriesXAlone
        }
    }

    /// Whether what they do to responses is to let `X-*` through and nothing else.
    var carriesXAloneInResponses: Bool {
        switch self {
        case .none: true
        case .one(let filter): filter.response.carriesXAlone
        case .then(let list, let filter):
            list.carriesXAloneInResponses && filter.response.carriesXAlone
        }
    }

    /// Changes the fields of a request, stage after stage.
    func applyToRequest(_ fields: inout FieldLines) {
        switch self {
        case .none: HeaderRules.packetDefault.apply(to: &fields)
        case .one(let filter): filter.request.apply(to: &fields)
        case .then(let list, let filter):
            list.applyToRequest(&fields)
            filter.request.apply(to: &fields)
        }
    }

    /// Changes the fields of a response, which passes the stages in reverse order.
    func applyToResponse(_ fields: inout FieldLines) {
        switch self {
        case .none: HeaderRules.packetDefault.apply(to: &fields)
        case .one(let filter): filter.response.apply(to: &fields)
        case .then(let list, let filter):
            filter.response.apply(to: &fields)
            list.applyToResponse(&fields)
        }
    }
}
