/// Paths of files, as texts.
enum Path {
    /// `path` as seen from where `directory` is: unchanged if it is absolute.
    static func joined(_ directory: String, _ path: String) -> String {
        if directory.isEmpty || path.hasPrefix("/") { return path }
        return directory.hasSuffix("/") ? directory + path : "\(directory)/\(path)"
    }

    /// The directory of a file: `conf` of `conf/relay.yaml`, empty of `relay.yaml`.
    static func directory(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "" }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// `path` as seen from `directory`, if it lies below; else unchanged.
    static func relative(_ path: String, to directory: String) -> String {
        guard !directory.isEmpty, path.hasPrefix("\(directory)/") else { return path }
        return String(path.dropFirst(directory.count + 1))
    }

    /// A pattern of glob(7) that matches this path and nothing else.
    static func pattern(matching path: String) -> String {
        path.reduce(into: "") { pattern, character in
            if "*?[\\".contains(character) { pattern += "\\" }
            pattern.append(character)
        }
    }

    /// The same path without `.` and `..` segments, to recognise a file by.
    ///
    /// Two paths to one file may still differ, because of links.
    static func normalized(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == "..", let last = segments.last, last != ".." {
                segments.removeLast()
            } else {
                segments.append(segment)
            }
        }
        return (path.hasPrefix("/") ? "/" : "") + segments.joined(separator: "/")
    }
}
