/// The version of an HTTP/1 message; every other version is refused with 505.
package enum HTTPVersion: UInt8, Sendable {
    case http10, http11
}
