/// The values under `config` of a plugin, asked for by path: `rules/0/rate`.
///
/// What was not asked for is reported as an unknown key when the plugin has taken its settings.
public struct Settings {
    /// A value as relay.yaml has it.
    struct Value {
        let path: String
        let text: String
        var isRead = false
    }

    private var values: [Value]
    /// What is wrong, by path.
    private(set) var problems: [(path: String, message: String)] = []

    init(_ values: [Value]) { self.values = values }

    /// The text at a path; nil if there is none.
    public mutating func text(_ path: String) -> String? {
        guard let index = self.values.firstIndex(where: { $0.path == path }) else { return nil }
        self.values[index].isRead = true
        return self.values[index].text
    }

    /// The number at a path; nil if there is none.
    ///
    /// One outside of `range`, or that is no whole number, is reported.
    public mutating func integer(_ path: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = self.text(path) else { return nil }
        if let number = Int(text), range.contains(number) { return number }
        self.report(path, "is a whole number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    /// Whether there is anything at a path or below it.
    public func contains(_ path: String) -> Bool {
        self.values.contains { $0.path == path || $0.path.hasPrefix("\(path)/") }
    }

    /// Says what is wrong with the value at a path: `is a whole number`.
    public mutating func report(_ path: String, _ message: String) {
        let name = path.split(separator: "/").last.map { "'\($0)' " } ?? ""
        self.problems.append((path, name + message))
    }

    /// Reports what nobody has asked for.
    mutating func reportUnread() {
        for value in self.values where !value.isRead {
            self.problems.append((value.path, "unknown key"))
        }
    }
}
