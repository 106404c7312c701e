/// A request method (RFC 9110 section 9, RFC 5789), or that it is another one.
package enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, connect, options, trace, patch
    /// Any other token; its name stands in the head at `RequestHead.methodName`.
    case other

    /// Recognises a method by its bytes; methods are case-sensitive.
    package init(name: Span<UInt8>) {
        guard name.count <= 8 else {
            self = .other
            return
        }
        // The bytes of the name, the first one lowest.
        switch Scanner.partialWord(in: name, at: 0, count: name.count) {
        case 0x54_4547: self = .get
        case 0x4441_4548: self = .head
        case 0x5453_4F50: self = .post
        case 0x54_5550: self = .put
        case 0x4554_454C_4544: self = .delete
        case 0x54_4345_4E4E_4F43: self = .connect
        case 0x53_4E4F_4954_504F: self = .options
        case 0x45_4341_5254: self = .trace
        case 0x48_4354_4150: self = .patch
        default: self = .other
        }
    }

    /// The name on the wire, empty for `other`.
    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .connect: "CONNECT"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .patch: "PATCH"
        case .other: ""
        }
    }

    /// Whether asking twice has the effect of asking once (RFC 9110 section 9.2.2).
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .connect, .patch, .other: false
        }
    }

    /// Whether a response with `status` to this method can have a body (RFC 9112 section 6.3).
    ///
    /// None for HEAD, 1xx, 204, 304, and 2xx to CONNECT.
    package func responseHasBody(status: UInt16) -> Bool {
        switch self {
        case .head: false
        case .connect where (200..<300).contains(status): false
        default: status >= 200 && status != 204 && status != 304
        }
    }
}
