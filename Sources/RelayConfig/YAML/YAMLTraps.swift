/// Recognises the texts that YAML takes for something else unless they are quoted: `[::]:80`,
/// `*.example.com`, `{scheme}://…`.
enum YAMLTraps {
    /// A text that should have been quoted on one of these lines, the last one first; nil if there
    /// is none.
    ///
    /// `lines` count from 1.
    static func find(
        in source: SourceText,
        lines: ClosedRange<Int>
    ) -> (text: String, location: SourceLocation)? {
        for number in lines.reversed() {
            // Looking at every place where a value may begin takes time, and a trap is a short text.
            guard let line = source.line(number), line.utf8.count <= 1000 else { continue }
            for start in valueStarts(in: line) {
                guard let text = trap(line[start...]) else { continue }
                let column = line.distance(from: line.startIndex, to: start) + 1
                let location = SourceLocation(file: source.file, line: number, column: column)
                return (String(text), location)
            }
        }
        return nil
    }

    /// Where a value can begin: behind `: `, `- `, `, `, `[` and `{`.
    private static func valueStarts(in line: String) -> [String.Index] {
        var starts: [String.Index] = []
        var before: Character = "-"
        var isBehindBlank = true
        for index in line.indices {
            let character = line[index]
            if character == "#", isBehindBlank { break }
            if character == " " {
                isBehindBlank = true
                continue
            }
            let opens = "[{".contains(before)
            if opens || (isBehindBlank && ":-,".contains(before)) { starts.append(index) }
            before = character
            isBehindBlank = false
        }
        return starts
    }

    /// The text at the start of `rest` if it is one of the traps.
    private static func trap(_ rest: Substring) -> Substring? {
        let word = rest.prefix { !" ,".contains($0) }
        switch word.first {
        case "*":
            // What follows a real alias is a name and nothing else.
            let name = word.dropFirst().prefix { $0.isLetter || $0.isNumber || "_-".contains($0) }
            return name.count == word.count - 1 && !name.isEmpty ? nil : trimmed(word)
        case "[":
            return word.contains("]:") ? trimmed(word) : nil
        case "{":
            guard let end = word.firstIndex(of: "}") else { return nil }
            let behind = word[word.index(after: end)...]
            return behind.isEmpty || "]},".contains(behind.prefix(1)) ? nil : trimmed(word)
        case "%", "@", "`":
            return trimmed(word)
        default:
            return nil
        }
    }

    /// Without the brackets of the list or mapping around it.
    private static func trimmed(_ word: Substring) -> Substring {
        var word = word
        while let last = word.last, "]}".contains(last) {
            let open: Character = last == "]" ? "[" : "{"
            if word.count(where: { $0 == open }) >= word.count(where: { $0 == last }) { break }
            word = word.dropLast()
        }
        return word
    }
}
