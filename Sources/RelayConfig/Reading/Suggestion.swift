/// Finds what somebody meant to write.
enum Suggestion {
    /// The known word that differs least from `word`; nil if none is near.
    ///
    /// Near is a third of its length in mistakes, at least one.
    static func nearest(to word: String, among known: [String]) -> String? {
        // Nobody misspells a long text; comparing it would only take time.
        guard word.utf8.count <= 64 else { return nil }
        let allowed = max(1, word.count / 3)
        let candidates = known.filter { abs($0.count - word.count) <= allowed }
        let distances = candidates.map {
            (word: $0, distance: distance(word.lowercased(), $0.lowercased()))
        }
        guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= allowed && best.distance < best.word.count ? best.word : nil
    }

    /// What to write instead: the nearest word, or all if they are few.
    static func remedy(nearest: String?, known: [String]) -> String {
        if let nearest { return "did you mean '\(nearest)'?" }
        if known.isEmpty { return "remove it" }
        let shown = known.prefix(8).map { "'\($0)'" }
        return "write \(list(shown, isCut: known.count > shown.count))"
    }

    /// The mistakes between two words: a character missing, too much, or wrong, or two swapped
    /// (Damerau and Levenshtein, each place changed once).
    static func distance(_ first: String, _ second: String) -> Int {
        let first = Array(first)
        let second = Array(second)
        var beforePrevious: [Int] = []
        var previous = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let isSame = first[row] == second[column]
                var best = min(
                    previous[column] + (isSame ? 0 : 1),
                    previous[column + 1] + 1,
                    current[column] + 1
                )
                if row > 0, column > 0, first[row] == second[column - 1],
                    first[row - 1] == second[column]
                {
                    best = min(best, beforePrevious[column - 1] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[second.count]
    }

    /// `'a', 'b' or 'c'`.
    private static func list(_ words: [String], isCut: Bool) -> String {
        guard let last = words.last, words.count > 1, !isCut else {
            return words.joined(separator: ", ") + (isCut ? ", …" : "")
        }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
