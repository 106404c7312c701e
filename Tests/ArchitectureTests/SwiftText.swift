/// The text of a Swift file, and the same with comments and strings blanked out.
///
/// Blanking keeps every line where it is, so that what is found in `code` has the line number that
/// an editor shows. It knows comments (nested ones too), strings, multi-line strings, raw strings
/// and interpolations; not regex literals, which we do not use.
struct SwiftText: Sendable {
    /// The lines as they are.
    let lines: [String]

    /// The lines with a blank for every character of a comment or of a string.
    let code: [String]

    /// Reads a text.
    init(_ text: String) {
        var blanker = Blanker(text)
        blanker.run()
        self.lines = Self.lines(of: text.utf8)
        self.code = Self.lines(of: blanker.output)
    }

    private static func lines(of bytes: some Collection<UInt8>) -> [String] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        // A file that ends in a newline has no further, empty line.
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}

/// Copies a text and replaces comments and strings by blanks.
private struct Blanker {
    let input: [UInt8]
    var output: [UInt8] = []
    var position = 0

    init(_ text: String) {
        self.input = Array(text.utf8)
        self.output.reserveCapacity(self.input.count)
    }

    /// Blanks the whole text.
    mutating func run() {
        while self.position < self.input.count { self.takeCode() }
    }

    private func looksAt(_ text: StaticString, offset: Int = 0) -> Bool {
        let wanted = Array("\(text)".utf8)
        let start = self.position + offset
        guard start + wanted.count <= self.input.count else { return false }
        return self.input[start..<start + wanted.count].elementsEqual(wanted)
    }

    private mutating func copy() {
        self.output.append(self.input[self.position])
        self.position += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where self.position < self.input.count {
            let byte = self.input[self.position]
            self.output.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
            self.position += 1
        }
    }

    /// One character of code, or one comment or string as a whole.
    private mutating func takeCode() {
        let byte = self.input[self.position]
        guard byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#")
        else { return self.copy() }
        if self.looksAt("//") {
            let rest = self.input[self.position...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            self.blank(end - self.position)
        } else if self.looksAt("/*") {
            self.takeBlockComment()
        } else if let hashes = self.hashesBeforeQuote() {
            self.takeString(hashes: hashes)
        } else {
            self.copy()
        }
    }

    private mutating func takeBlockComment() {
        var depth = 0
        repeat {
            if self.looksAt("/*") {
                depth += 1
                self.blank(2)
            } else if self.looksAt("*/") {
                depth -= 1
                self.blank(2)
            } else {
                self.blank()
            }
        } while depth > 0 && self.position < self.input.count
    }

    /// How many `#` stand before the quote that begins here; nil if no string begins here.
    private func hashesBeforeQuote() -> Int? {
        var hashes = 0
        while self.looksAt("#", offset: hashes) { hashes += 1 }
        return self.looksAt("\"", offset: hashes) ? hashes : nil
    }

    private mutating func takeString(hashes: Int) {
        self.blank(hashes)
        let isMultiLine = self.looksAt("\"\"\"")
        let quotes = isMultiLine ? 3 : 1
        self.blank(quotes)
        while self.position < self.input.count {
            if self.looksAt("\\"), self.hasHashes(hashes, offset: 1) {
                self.blank(1 + hashes)
                if self.looksAt("(") { self.takeInterpolation() } else { self.blank() }
            } else if isMultiLine ? self.looksAt("\"\"\"") : self.looksAt("\""),
                self.hasHashes(hashes, offset: quotes)
            {
                self.blank(quotes + hashes)
                return
            } else if !isMultiLine, self.looksAt("\n") {
                // Not a string that compiles; the next line begins afresh.
                return
            } else {
                self.blank()
            }
        }
    }

    private func hasHashes(_ count: Int, offset: Int) -> Bool {
        (0..<count).allSatisfy { self.looksAt("#", offset: offset + $0) }
    }

    /// The code between the parentheses of an interpolation, which stays code.
    private mutating func takeInterpolation() {
        var depth = 0
        repeat {
            if self.looksAt("(") { depth += 1 }
            if self.looksAt(")") { depth -= 1 }
            self.takeCode()
        } while depth > 0 && self.position < self.input.count
    }
}
