/// The value of `Date` in the preferred form, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
///
/// Keep one per event loop and update it once a second.
package struct HTTPDate: Sendable {
    /// The second it tells, in seconds since 1970.
    package private(set) var unixSeconds: Int64

    /// Makes the date of a second; years outside 1970 to 9999 are moved to the nearest bound.
    package init(unixSeconds: Int64) { fatalError() }

    /// Formats another second; cheap if it is the same.
    package mutating func update(unixSeconds: Int64) { fatalError() }

    /// The 29 bytes.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { fatalError() }
    }
}
