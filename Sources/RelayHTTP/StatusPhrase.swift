/// The standard reason phrases (RFC 9110 section 15, RFC 6585, and the IANA registry).
package enum StatusPhrase {
    /// The phrase for a status; for an unregistered one that of its class, such as `Server Error`.
    package static func of(_ status: UInt16) -> StaticString { fatalError() }
}
