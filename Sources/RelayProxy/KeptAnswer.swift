import RelayHTTP
import RelayPipeline

/// An answer that is kept back because the request is tried again; passed on if no better one comes.
struct KeptAnswer {
    /// Its status.
    let status: UInt16
    /// Its fields as they go to the client.
    let fields: [UInt8]
    /// The length that it announces, if it does.
    let length: UInt64?
    /// What has come of its body.
    private var body: [UInt8] = []

    /// An answer of which the head has come.
    init(status: UInt16, fields: [UInt8], length: UInt64?) {
        self.status = status
        self.fields = fields
        self.length = length
    }

    /// Keeps a piece of the body; false, and nothing kept, if it is more than `max` with it.
    mutating func keep(_ bytes: Span<UInt8>, max: Int) -> Bool {
        let (count, isTooLarge) = self.body.count.addingReportingOverflow(bytes.count)
        guard !isTooLarge, count <= max else { return false }
        self.body.append(bytes)
        return true
    }

    /// Begins the response with what was kept; false if the client has no room for more.
    func begin(on exchange: Exchange) -> Bool {
        exchange.beginResponse(
            status: self.status,
            fields: self.fields.span,
            length: self.length
        )
        return exchange.writeBody(self.body.span)
    }
}
