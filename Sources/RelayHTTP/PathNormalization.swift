/// What normalising a path found.
package enum PathNormalization: Equatable, Sendable {
    /// The path is normal as it is; nothing was written.
    case unchanged
    /// The normal form was appended to the output.
    case rewritten
    /// The path is refused; the output is as it was.
    case refused(RequestFault)

    /// Brings a path to the one form that is matched and sent on.
    ///
    /// Escapes of unreserved characters are decoded, other escapes become upper case, dot segments (also
    /// escaped ones) are resolved (RFC 3986 section 6.2.2), and empty segments are merged if
    /// `mergingSlashes`. `%2F` stays. Refused are paths that do not begin with `/`, leave the root, or
    /// have `%00`, a malformed escape, a backslash or a byte that no target has. An empty path (of
    /// `http://host`) becomes `/`.
    ///
    /// `path` has no query. Nothing is allocated unless the output must grow.
    package static func normalize(
        _ path: Span<UInt8>,
        mergingSlashes: Bool,
        into output: inout [UInt8]
    ) -> PathNormalization {
        if path.count == 0 {
            output.append(0x2F)
            return .rewritten
        }
        guard path[0] == 0x2F else { return .refused(.malformedPath) }
        if Self.isPlain(path, mergingSlashes: mergingSlashes) { return .unchanged }
        let base = output.count
        guard Self.rewrite(path, mergingSlashes: mergingSlashes, into: &output) else {
            output.removeLast(output.count - base)
            return .refused(.malformedPath)
        }
        if output.span.extracting(base..<output.count).equals(path) {
            output.removeLast(path.count)
            return .unchanged
        }
        return .rewritten
    }

    /// Whether a look at pairs of bytes suffices to see that the path is normal, as nearly always.
    private static func isPlain(_ path: Span<UInt8>, mergingSlashes: Bool) -> Bool {
        var isSegmentStart = false
        for index in path.indices {
            let byte = path[index]
            if byte == 0x2F {
                if isSegmentStart && mergingSlashes { return false }
                isSegmentStart = true
            } else {
                if byte == 0x2E, isSegmentStart { return false }
                guard byte != 0x25, Self.isAllowed(byte) else { return false }
                isSegmentStart = false
            }
        }
        return true
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        ByteClass.target.contains(byte) && byte != 0x5C && byte != 0x3F
    }

    /// Appends the normal form; false if the path is refused.
    private static func rewrite(
        _ path: Span<UInt8>,
        mergingSlashes: Bool,
        into output: inout [UInt8]
    ) -> Bool {
        output.append(0x2F)
        // Where the segment being written starts, and where the first one does.
        let first = output.count
        var start = first
        var index = 1
        while index < path.count {
            if path[index] == 0x2F {
                guard
                    Self.endSegment(
                        &start,
                        first: first,
                        mergingSlashes: mergingSlashes,
                        isLast: false,
                        in: &output
                    )
                else { return false }
                index += 1
            } else {
                guard let count = Self.appendByte(of: path, at: index, to: &output) else {
                    return false
                }
                index += count
            }
        }
        return Self.endSegment(
            &start,
            first: first,
            mergingSlashes: mergingSlashes,
            isLast: true,
            in: &output
        )
    }

    /// Appends one byte or escape in its normal form and returns its length; nil if it is refused.
    private static func appendByte(
        of path: Span<UInt8>,
        at index: Int,
        to output: inout [UInt8]
    ) -> Int? {
        guard path[index] == 0x25 else {
            guard Self.isAllowed(path[index]) else { return nil }
            output.append(path[index])
            return 1
        }
        guard path.count - index > 2, let high = path[index + 1].hexadecimalValue,
            let low = path[index + 2].hexadecimalValue
        else { return nil }
        let byte = high << 4 | low
        if byte == 0 { return nil }
        if ByteClass.unreserved.contains(byte) {
            output.append(byte)
        } else {
            output.append(0x25)
            output.append(Self.upperCaseDigit(high))
            output.append(Self.upperCaseDigit(low))
        }
        return 3
    }

    private static func upperCaseDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x37 + value
    }

    /// Resolves the segment from `start` to the end of `output`; false if it leaves the root.
    ///
    /// A dot segment leaves the slash before it: `/a/..` is `/`, `/a/.` is `/a/`.
    private static func endSegment(
        _ start: inout Int,
        first: Int,
        mergingSlashes: Bool,
        isLast: Bool,
        in output: inout [UInt8]
    ) -> Bool {
        let count = output.count - start
        if count == 1, output[start] == 0x2E {
            output.removeLast()
        } else if count == 2, output[start] == 0x2E, output[start + 1] == 0x2E {
            guard start > first else { return false }
            output.removeLast(3)
            while output.count > first, output[output.count - 1] != 0x2F { output.removeLast() }
        } else if !isLast, count > 0 || !mergingSlashes {
            output.append(0x2F)
        }
        start = output.count
        return true
    }
}
