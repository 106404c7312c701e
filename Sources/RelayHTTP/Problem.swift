/// The kind of a problem document (RFC 9457): what a client gets instead of what it asked for.
package struct Problem: Sendable {
    /// The status, repeated in the document.
    package let status: UInt16
    /// The last part of the type `urn:relay:problem:NAME`; empty: `about:blank`.
    package let name: StaticString
    /// What a person reads first; the status's phrase where the type is `about:blank`.
    package let title: StaticString

    /// A problem that its status alone describes.
    package init(status: UInt16) {
        self.init(status: status, name: "", title: StatusPhrase.of(status))
    }

    /// A problem with a type of its own; `name` in lower case with hyphens.
    package init(status: UInt16, name: StaticString, title: StaticString) {
        self.status = status
        self.name = name
        self.title = title
    }

    /// The problem of a refused request.
    package init(_ fault: RequestFault) {
        self.init(status: fault.status)
    }

    /// The packet may or may not have been stored: only a repeat with the same `Packet-Id` is safe.
    package static var storeFailed: Problem {
        Problem(status: 503, name: "store-failed", title: "Store Failed")
    }

    /// Number of bytes of the document with this detail.
    package func documentByteCount(detail: String) -> Int {
        let typeCount = self.name.utf8CodeUnitCount + (self.name.utf8CodeUnitCount > 0 ? 18 : 11)
        var count = typeCount + self.title.utf8CodeUnitCount
        count += #"{"type":"","title":"","status":,"detail":""}"#.utf8.count
        var status = self.status
        repeat {
            count += 1
            status /= 10
        } while status > 0
        for byte in detail.utf8 { count += byte.jsonByteCount }
        return count
    }
}

extension [UInt8] {
    /// Appends the document `{"type":…,"title":…,"status":…,"detail":…}`, the detail escaped.
    package mutating func appendProblemDocument(_ problem: Problem, detail: String) {
        self.append(#"{"type":""#)
        if problem.name.utf8CodeUnitCount > 0 {
            self.append("urn:relay:problem:")
            self.append(problem.name)
        } else {
            self.append("about:blank")
        }
        self.append(#"","title":""#)
        self.append(problem.title)
        self.append(#"","status":"#)
        self.append(decimal: UInt64(problem.status))
        self.append(#","detail":""#)
        for byte in detail.utf8 { self.appendJSON(byte) }
        self.append(#""}"#)
    }

    /// Appends a whole response with a problem document.
    ///
    /// `extraFields` are complete field lines (`Retry-After: 1\r\n`). `omitsBody` leaves the document out
    /// and its length in, as HEAD wants it.
    package mutating func appendProblemResponse(
        _ problem: Problem,
        detail: String,
        date: HTTPDate,
        isKeepAlive: Bool,
        extraFields: Span<UInt8> = Span(),
        omitsBody: Bool = false
    ) {
        self.appendStatusLine(problem.status)
        self.appendDate(date)
        self.appendField(.contentType, "application/problem+json")
        self.appendField(
            .contentLength,
            UInt64(problem.documentByteCount(detail: detail))
        )
        if !isKeepAlive { self.appendField(.connection, "close") }
        self.append(extraFields)
        self.appendEndOfHead()
        if !omitsBody { self.appendProblemDocument(problem, detail: detail) }
    }

    /// Appends the answer to a refused request, which always closes the connection if it must.
    package mutating func appendResponse(
        to fault: RequestFault,
        date: HTTPDate,
        isKeepAlive: Bool = false,
        extraFields: Span<UInt8> = Span()
    ) {
        self.appendProblemResponse(
            Problem(fault),
            detail: fault.detail.description,
            date: date,
            isKeepAlive: isKeepAlive && !fault.closesConnection,
            extraFields: extraFields
        )
    }

    private mutating func appendJSON(_ byte: UInt8) {
        switch byte.jsonByteCount {
        case 1:
            self.append(byte)
        case 2:
            self.append(0x5C)
            self.append(byte)
        default:
            self.append(byte < 0x10 ? #"\u000"# : #"\u001"#)
            self.append(hexadecimal: UInt64(byte & 15))
        }
    }
}

extension UInt8 {
    /// Number of bytes that a byte of UTF-8 takes within a JSON string (RFC 8259 section 7).
    fileprivate var jsonByteCount: Int {
        switch self {
        case 0x22, 0x5C: 2
        case ..<0x20: 6
        default: 1
        }
    }
}
