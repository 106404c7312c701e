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
    /// Whether what it writes depends on the request.
    private let hasValues: Bool
    /// Whether what it writes depends on who the client is.
    fileprivate let hasClientID: Bool

    /// Compiles one; `isForPackets` on listeners with `buffer`, where a list without `pass` carries `X-*`
    /// alone, elsewhere everything.
    package init(_ configuration: HeaderFilterConfiguration, isForPackets: Bool) {
        self.request = HeaderRules(configuration.request, isForPackets: isForPackets)
        self.response = HeaderRules(configuration.response, isForPackets: isForPackets)
        self.hasValues = self.request.hasValues || self.response.hasValues
        self.hasClientID = self.request.hasClientID || self.response.hasClientID
    }

    private init(_ filter: HeaderFilter, _ transform: (FilterValue) -> FilterValue) {
        self.request = filter.request.mappingValues(transform)
        self.response = filter.response.mappingValues(transform)
        self.hasValues = false
        self.hasClientID = filter.hasClientID
    }

    /// The filter as it counts for this request: itself, if it writes nothing that a request says.
    func resolved(
        of exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> HeaderFilter {
        guard self.hasValues else { return self }
        // A span cannot be captured, its bytes can.
        var head: [UInt8] = []
        head.append(bytes)
        return HeaderFilter(self) { $0.resolved(of: exchange, request, head.span) }
    }

    fileprivate func resolved(clientID: [UInt8]) -> HeaderFilter {
        self.hasClientID ? HeaderFilter(self) { $0.resolved(clientID: clientID) } : self
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

    /// The client is known now: `{client_id}` is this.
    package mutating func clientIdentified(as clientID: [UInt8]) {
        switch self {
        case .none: break
        case .one(let filter): self = .one(filter.resolved(clientID: clientID))
        case .then(var list, let filter):
            list.clientIdentified(as: clientID)
            self = .then(list, filter.resolved(clientID: clientID))
        case .edited(var list, let edits):
            list.clientIdentified(as: clientID)
            self = .edited(list, edits)
        }
    }

    /// Whether one of them writes who the client is.
    package var namesClient: Bool {
        switch self {
        case .none: false
        case .one(let filter): filter.hasClientID
        case .then(let list, let filter): list.namesClient || filter.hasClientID
        case .edited(let list, _): list.namesClient
        }
    }

    /// Adds what a plugin changes.
    mutating func append(_ edits: FieldEdits) { self = .edited(self, edits) }

    /// Whether a plugin changes something in requests.
    var hasEdits: Bool {
        switch self {
        case .none, .one: false
        case .then(let list, _): list.hasEdits
        case .edited: true
        }
    }

    /// Changes the fields of a request as plugins do, and not as filters do.
    func applyEdits(to fields: inout FieldLines) {
        switch self {
        case .none, .one:
            break
        case .then(let list, _):
            list.applyEdits(to: &fields)
        case .edited(let list, let edits):
            list.applyEdits(to: &fields)
            edits.apply(to: &fields)
        }
    }

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
