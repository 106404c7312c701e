/// Appends JSON to bytes: what logs, problem documents and the admin pages need of it.
package enum JSONText {
    /// Appends `text` as a JSON string with its quotes (RFC 8259 section 7).
    package static func appendString(_ text: String, to bytes: inout [UInt8]) { fatalError() }

    /// Appends bytes as a JSON string with its quotes; what is not UTF-8 becomes U+FFFD.
    package static func appendString(utf8 text: Span<UInt8>, to bytes: inout [UInt8]) {
        fatalError()
    }
}
