import RelayEngine

/// One of the two ends of a connection.
enum Side: Int {
    /// Who called connect(2).
    case client
    /// Who was connected to.
    case server

    /// The other end.
    var other: Side { self == .client ? .server : .client }
}

/// Two sockets that are connected to each other, and what the kernels do for them.
protocol Connection: AnyObject {
    /// What poll(2) reports for the end, apart from a pending error.
    func readiness(of side: Side) -> EpollEvents
    /// recv(2).
    func receive(at side: Side, _ limit: Int) -> Result<ArraySlice<UInt8>, SystemError>
    /// send(2).
    func send(from side: Side, _ bytes: ArraySlice<UInt8>) -> SystemResult
    /// shutdown(2) of the sending side.
    func shutdownOutput(of side: Side) -> SystemResult
    /// close(2).
    func close(_ side: Side)
    /// `SIOCOUTQ`.
    func bytesUnacknowledged(from side: Side) -> Int
}

/// A pair of something, one for each end.
struct PerSide<Value> {
    private var client: Value
    private var server: Value

    init(client: Value, server: Value) {
        self.client = client
        self.server = server
    }

    subscript(side: Side) -> Value {
        get { side == .client ? self.client : self.server }
        set { if side == .client { self.client = newValue } else { self.server = newValue } }
    }
}
