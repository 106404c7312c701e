import CRelayPlugin
import RelayConfig
import RelayEngine
import RelayHTTP

/// The hook that runs on an event loop: what it is about, and what the plugin has asked for meanwhile.
///
/// One object for each loop, filled anew for each call. `@safe`: `bytes` is set for the time of a call that holds the
/// span it was taken from.
@safe
final class PluginFrame {
    /// Which head the hook may look at and change.
    enum Head {
        case none
        case request(Request)
        case response
    }

    /// Texts that were lent to the plugin.
    let arena = PluginArena()

    /// The exchange that the hook is about; nil between calls.
    private(set) var exchange: Exchange?
    /// Its name to the plugin.
    private(set) var name: UInt64 = 0
    private(set) var head = Head.none
    /// The bytes of the request's head.
    private var bytes = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)

    /// The response's field lines, while no change of them asked for more.
    var fields: [UInt8] = []
    /// The fields as a list, once that was needed.
    private var list: FieldLines?
    /// Whether fields of the response were changed.
    private(set) var isChanged = false

    /// Whether the answer may be replaced, and the exchange wait.
    private(set) var mayInterrupt = true
    /// Whether this plugin may let the exchange wait now: not again while data of an earlier pause has to come back.
    var mayPause = true
    /// What the plugin wants to answer.
    var answer: PluginAnswer?
    /// The pause that the plugin has announced.
    var token: UInt64?
    /// How long a pause may take, and how long the plugin wants this one to take.
    var pauseMax = Duration.zero
    var pause = Duration.zero
    /// Who calls.
    unowned let calls: PluginCalls

    init(calls: PluginCalls) { self.calls = calls }

    /// Begins a call.
    func begin(_ exchange: Exchange, _ name: UInt64, _ head: Head, mayInterrupt: Bool) {
        self.exchange = exchange
        self.name = name
        self.head = head
        self.mayInterrupt = mayInterrupt
    }

    /// Sets the bytes of the request's head, or none.
    func setBytes(_ bytes: UnsafeBufferPointer<UInt8>) { unsafe self.bytes = bytes }

    /// Ends a call, once its outcome was taken.
    func end() {
        self.exchange = nil
        self.name = 0
        self.head = .none
        self.list = nil
        self.isChanged = false
        self.answer = nil
        self.token = nil
        unsafe self.bytes = UnsafeBufferPointer(start: nil, count: 0)
        self.arena.reset()
    }

    // MARK: Attributes

    /// Lends an attribute of the exchange.
    func attribute(_ which: relay_attribute, _ value: inout relay_bytes) -> PluginStatus {
        guard let exchange = self.exchange else { return .stale }
        var text: [UInt8] = []
        switch which {
        case UInt32(RELAY_METHOD)...UInt32(RELAY_HOST):
            return unsafe self.requestAttribute(which, &value)
        case UInt32(RELAY_CLIENT_ADDRESS):
            guard case .ip(let address) = exchange.clientAddress else { return .none }
            text.append(address)
        case UInt32(RELAY_PEER_ADDRESS):
            guard case .ip(let address) = exchange.peerAddress else { return .none }
            text.append(address)
        case UInt32(RELAY_REQUEST_ID):
            text.append(exchange.requestID)
        case UInt32(RELAY_LISTENER):
            text += Array(exchange.listener.configuration.name.utf8)
        default:
            return .none
        }
        unsafe value = self.arena.copy(text.span)
        return .ok
    }

    private func requestAttribute(
        _ which: relay_attribute,
        _ value: inout relay_bytes
    ) -> PluginStatus {
        guard case .request(let request) = self.head else { return .notNow }
        let bytes = unsafe self.bytes.span
        switch which {
        case UInt32(RELAY_METHOD):
            unsafe value = self.arena.copy(bytes.extracting(request.head.methodName))
        case UInt32(RELAY_PATH):
            unsafe value = request.withPath(bytes) { unsafe self.arena.copy($0) }
        case UInt32(RELAY_QUERY):
            guard let query = request.head.query else { return .none }
            unsafe value = self.arena.copy(bytes.extracting(query))
        default:
            guard let authority = request.head.authority else { return .none }
            unsafe value = self.arena.copy(bytes.extracting(authority.whole))
        }
        return .ok
    }

    // MARK: Reading fields

    /// Lends the first field of a name.
    func field(named name: Span<UInt8>, _ value: inout relay_bytes) -> PluginStatus {
        switch self.head {
        case .none:
            return .notNow
        case .request(let request) where self.isUntouched:
            let bytes = unsafe self.bytes.span
            guard let index = request.head.fields.firstIndex(named: name, in: bytes) else {
                return .none
            }
            unsafe value = self.arena.copy(bytes.extracting(request.head.fields[index].value))
        case .response where self.list == nil:
            guard let line = self.storedLine(named: name) else { return .none }
            let fields = self.fields
            unsafe value = self.arena.copy(fields.span.extracting(line.value))
        case .request, .response:
            let list = self.listed()
            guard let index = list.firstIndex(named: name) else { return .none }
            unsafe value = list.withField(at: index) { unsafe self.arena.copy($1) }
        }
        return .ok
    }

    /// Lends field number `index`.
    func field(at index: Int, _ field: inout relay_field) -> PluginStatus {
        if case .none = self.head { return .notNow }
        let list = self.listed()
        guard index >= 0, index < list.count else { return .none }
        unsafe field = list.withField(at: index) { name, value in
            unsafe relay_field(name: self.arena.copy(name), value: self.arena.copy(value))
        }
        return .ok
    }

    /// Whether the request's fields are as the client has sent them.
    private var isUntouched: Bool {
        if case .some(.none) = self.exchange?.filters { self.list == nil } else { false }
    }

    private func storedLine(named name: Span<UInt8>) -> StoredFields.Line? {
        let fields = self.fields
        var stored = StoredFields(fields.span)
        while let line = stored.next(in: fields.span) {
            if fields.span.extracting(line.name).equalsIgnoringCase(name) { return line }
        }
        return nil
    }

    /// The fields as a list.
    private func listed() -> FieldLines {
        if let list = self.list { return list }
        var list = FieldLines()
        switch self.head {
        case .none:
            break
        case .request(let request):
            let bytes = unsafe self.bytes.span
            for index in 0..<request.head.fields.count {
                let field = request.head.fields[index]
                list.append(bytes.extracting(field.name), bytes.extracting(field.value))
            }
            self.exchange?.filters.applyToRequest(&list, unfiltered: nil)
        case .response:
            let fields = self.fields
            var stored = StoredFields(fields.span)
            while let line = stored.next(in: fields.span) {
                list.append(fields.span.extracting(line.name), fields.span.extracting(line.value))
            }
        }
        self.list = list
        return list
    }

    // MARK: Changing fields

    /// A change of the fields.
    enum Change { case set, add, remove }

    /// Changes the fields of a name.
    func change(_ change: Change, _ name: Span<UInt8>, _ value: Span<UInt8>) -> PluginStatus {
        if case .none = self.head { return .notNow }
        guard let exchange = self.exchange else { return .stale }
        guard Self.mayWrite(name, value, exchange) else { return .refused }
        if case .request = self.head {
            self.changeRequest(change, name, value, exchange)
        } else {
            self.changeResponse(change, name, value)
        }
        return .ok
    }

    private func changeRequest(
        _ change: Change,
        _ name: Span<UInt8>,
        _ value: Span<UInt8>,
        _ exchange: Exchange
    ) {
        self.list = nil
        let edits: FieldEdits
        if case .edited(_, let last) = exchange.filters {
            edits = last
        } else {
            edits = FieldEdits()
            exchange.filters.append(edits)
        }
        switch change {
        case .set: edits.set(name, to: value)
        case .add: edits.add(name, value)
        case .remove: edits.remove(name)
        }
    }

    private func changeResponse(_ change: Change, _ name: Span<UInt8>, _ value: Span<UInt8>) {
        if self.list == nil, change == .add || self.storedLine(named: name) == nil {
            if change != .remove {
                self.fields.appendField(name, value)
                self.isChanged = true
            }
            return
        }
        var list = self.listed()
        switch change {
        case .set: list.set(name, to: value)
        case .add: list.append(name, value, isOfFilter: true)
        case .remove: list.removeAll { $0.equalsIgnoringCase(name) }
        }
        self.list = list
        self.isChanged = true
    }

    /// The response's field lines as the plugin has left them.
    func takeFields() -> [UInt8] {
        guard let list = self.list, self.isChanged else { return self.fields }
        var lines: [UInt8] = []
        list.append(to: &lines) { _, _ in false }
        return lines
    }

    /// Whether a plugin may write such a field: what relay writes itself, framing and what is of one hop it may not, nor
    /// what belongs to the packet protocol where that is spoken.
    static func mayWrite(_ name: Span<UInt8>, _ value: Span<UInt8>, _ exchange: Exchange) -> Bool {
        guard name.isToken, name.count <= 256, value.count <= 64 << 10, value.isFieldValue else {
            return false
        }
        let known = KnownField(name: name)
        if known.isHopByHop || known == .host || known == .expect || known == .date { return false }
        return !exchange.listener.configuration.takesPackets || FieldStanding(name) != .protected
    }
}

/// What a plugin answers in the place of what would have been answered.
struct PluginAnswer {
    let status: UInt16
    /// Complete field lines.
    let fields: [UInt8]
    let body: [UInt8]
}

/// What functions of the host say; the numbers are those of `relay_status`.
enum PluginStatus: relay_status {
    case ok = 0
    case none, stale, refused, notNow
}

/// Memory for the texts that a hook was lent, all given back at its end.
///
/// `@safe`: the memory is its own, and what is in use of it is counted.
@safe
final class PluginArena {
    private static let capacity = 16 << 10

    private let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: PluginArena.capacity)
    private var used = 0
    /// Texts for which there was no room.
    private var large = unsafe [UnsafeMutablePointer<UInt8>]()

    deinit {
        self.reset()
        unsafe self.memory.deallocate()
    }

    /// Copies a text; the copy lives until `reset`.
    func copy(_ bytes: Span<UInt8>) -> relay_bytes {
        let place: UnsafeMutablePointer<UInt8>
        if bytes.count <= Self.capacity - self.used {
            unsafe place = self.memory + self.used
            self.used += bytes.count
        } else {
            unsafe place = .allocate(capacity: bytes.count)
            unsafe self.large.append(place)
        }
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe place.initialize(from: start, count: source.count)
        }
        let data = unsafe UnsafeRawPointer(place).assumingMemoryBound(to: CChar.self)
        return unsafe relay_bytes(data: data, size: bytes.count)
    }

    /// Takes all of it back.
    func reset() {
        self.used = 0
        guard unsafe !self.large.isEmpty else { return }
        while let place = unsafe self.large.popLast() { unsafe place.deallocate() }
    }
}
