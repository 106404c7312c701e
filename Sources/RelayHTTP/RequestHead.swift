/// The head of a request, as positions in the bytes it was parsed from.
///
/// Keep one as scratch and parse into it again and again; it is only meaningful together with its bytes,
/// and after `RequestParser.parse` returned `.head`. Every position is an offset into those bytes.
package struct RequestHead: Sendable {
    /// The form in which the target was given (RFC 9112 section 3.2).
    package enum TargetForm: UInt8, Sendable {
        /// `/path?query`.
        case origin
        /// `http://host/path?query`; its authority counts, not the `Host` field.
        case absolute
        /// `host:port`, only for CONNECT.
        case authority
        /// `*`, only for OPTIONS.
        case asterisk
    }

    /// The method, or that it is an unknown one.
    package internal(set) var method: Method = .other
    /// The method's name.
    package internal(set) var methodName: ByteRange = .empty
    /// The whole target as given.
    package internal(set) var target: ByteRange = .empty
    /// The form of the target.
    package internal(set) var targetForm: TargetForm = .origin
    /// The target's path, not normalised; empty for `http://host`, CONNECT and `*`.
    package internal(set) var path: ByteRange = .empty
    /// The target's query without its `?`; nil without `?`.
    package internal(set) var query: ByteRange?
    /// The version.
    package internal(set) var version: HTTPVersion = .http11
    /// The fields.
    package internal(set) var fields: FieldPositions = FieldPositions()
    /// How the body ends; a length is at most 2^63 - 1.
    package internal(set) var framing: BodyFraming = .none
    /// Whether the connection may serve another request after this one (RFC 9112 section 9.3).
    package internal(set) var isKeepAlive: Bool = true
    /// Whether the client waits for `100 Continue` before it sends the body.
    ///
    /// Never on HTTP/1.0, and never if no body is announced (RFC 9110 section 10.1.1).
    package internal(set) var expectsContinue: Bool = false
    /// What the client wants to change to: the value of the first `Upgrade`, if `Connection` names it.
    package internal(set) var upgrade: ByteRange?
    /// Host and port asked for: the absolute target's, else `Host`'s; nil only on HTTP/1.0.
    package internal(set) var authority: Authority?
    /// Number of bytes from the beginning of the input to the end of the empty line.
    package internal(set) var byteCount: Int = 0

    /// Makes an empty head to parse into.
    package init() {}
}
