import RelayEngine

/// The descriptors of the process under test: the lowest free number is given, as POSIX asks for, so
/// that a stale descriptor soon means another file.
struct DescriptorTable {
    private var files: [SimulatedFile?] = []
    /// How many are open.
    private(set) var openCount = 0

    /// Standard input, output and error are taken.
    private static let first = 3

    /// The file of `descriptor`; nil if it is not open.
    subscript(descriptor: Descriptor) -> SimulatedFile? {
        let index = Int(descriptor) - Self.first
        return self.files.indices.contains(index) ? self.files[index] : nil
    }

    /// The open descriptors, the lowest first.
    var open: [Descriptor] {
        self.files.indices.filter { self.files[$0] != nil }.map { Descriptor($0 + Self.first) }
    }

    /// Gives `file` a descriptor below `limit`; nil if there is none (`EMFILE`).
    mutating func add(_ file: SimulatedFile, limit: Int) -> Descriptor? {
        let index = self.files.firstIndex { $0 == nil } ?? self.files.count
        guard index + Self.first < limit else { return nil }
        if index == self.files.count { self.files.append(file) } else { self.files[index] = file }
        self.openCount += 1
        return Descriptor(index + Self.first)
    }

    /// Frees `descriptor`; the file it had, nil if it was not open.
    mutating func remove(_ descriptor: Descriptor) -> SimulatedFile? {
        guard let file = self[descriptor] else { return nil }
        self.files[Int(descriptor) - Self.first] = nil
        self.openCount -= 1
        return file
    }
}
