/// `rewrite`: another path towards the pool.
///
/// In this order: `strip_prefix` is taken away, what `regex` finds becomes `to`, `prefix` is put before.
package struct RewriteConfiguration: Sendable, Equatable {
    /// `strip_prefix`: what is taken from the front of the path, by whole segments.
    ///
    /// Absent: nothing. A path that does not begin so stays as it is.
    package var strippedPrefix: String?

    /// `prefix`: what is put before the path.
    ///
    /// Absent: nothing.
    package var prefix: String?

    /// `regex`: what is replaced in the path, where it is found first.
    ///
    /// Absent: nothing. Comes with `to`.
    package var expression: RegularExpression?

    /// `to`: what stands in its place.
    package var replacement: PathTemplate?

    /// Changes nothing.
    package init() {}
}

/// A piece of a path in which `$1` to `$9` stand for the groups of a regular expression, and `$0` for all that was found.
///
/// `$$` is one `$`.
package struct PathTemplate: Sendable, Equatable {
    /// As it is written.
    package let text: String
    /// Its parts, in order.
    package let parts: [Part]

    /// A part of a template.
    package enum Part: Sendable, Equatable {
        /// These bytes.
        case literal([UInt8])
        /// What the group of that number took; nothing if it took no part.
        case group(Int)
    }

    /// Reads a template; nil if a `$` stands before neither a digit nor another one.
    package init?(_ text: String) {
        var parts: [Part] = []
        var literal: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == 0x24 else {
                literal.append(byte)
                continue
            }
            switch bytes.popFirst() {
            case 0x24:
                literal.append(0x24)
            case .some(let digit) where (0x30...0x39).contains(digit):
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = []
                parts.append(.group(Int(digit - 0x30)))
            default:
                return nil
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.text = text
        self.parts = parts
    }

    /// The highest group that it names; 0 if none.
    package var groupMax: Int {
        self.parts.reduce(0) { max, part in
            if case .group(let group) = part { Swift.max(max, group) } else { max }
        }
    }
}
