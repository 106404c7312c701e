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
    /// What a plugin changes in requests, behind the filters before it.
    indirect case edited(HeaderFilterList, FieldEdits)

    /// Adds the filter of a later stage.
    package mutating func append(_ filter: HeaderFilter) {
        switch self {
        case .none: self = .one(filter)
        case .one, .then, .edited: self = .then(self, filter)
        }
    }

    /// Adds what a plugin changes.
    mutating func append(_ edits: FieldEdits) { self = .edited(self, edits) }

    /// Whether what they do to requests is to let `X-*` through and nothing else.
    var carriesXAloneInRequests: Bool {
        switch self {
        case .none: true
        case .one(let filter): filter.request.carriesXAlone
        case .then(let list, let filter):
            list.carriesXAloneInRequests && filter.request.carriesXAlone
        case .edited: false
        }
    }

    /// Whether what they do to responses is to let `X-*` through and nothing else.
    var carriesXAloneInResponses: Bool {
        switch self {
        case .none: true
        case .one(let filter): filter.response.carriesXAlone
        case .then(let list, let filter):
            list.carriesXAloneInResponses && filter.response.carriesXAlone
        case .edited(let list, _): list.carriesXAloneInResponses
        }
    }

    /// Changes the fields of a request, stage after stage; `unfiltered` does so where no filter was met.
    func applyToRequest(_ fields: inout FieldLines, unfiltered: HeaderRules? = .packetDefault) {
        switch self {
        case .none: unfiltered?.apply(to: &fields)
        case .one(let filter): filter.request.apply(to: &fields)
        case .then(let list, let filter):
            // Of what only plugins have changed before, a filter lets through what it lets through.
            list.applyToRequest(&fields, unfiltered: nil)
            filter.request.apply(to: &fields)
        case .edited(let list, let edits):
            list.applyToRequest(&fields, unfiltered: unfiltered)
            edits.apply(to: &fields)
        }
    }

    /// Changes the fields of a response, which passes the stages in reverse order.
    func applyToResponse(_ fields: inout FieldLines, unfiltered: HeaderRules? = .packetDefault) {
        switch self {
        case .none: unfiltered?.apply(to: &fields)
        case .one(let filter): filter.response.apply(to: &fields)
        case .then(let list, let filter):
            filter.response.apply(to: &fields)
            list.applyToResponse(&fields, unfiltered: nil)
        case .edited(let list, _):
            list.applyToResponse(&fields, unfiltered: unfiltered)
        }
    }
}
