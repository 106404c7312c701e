import Glibc

/// The repository that these tests were built from.
struct Repository {
    /// Its root: the folder of Package.swift.
    let root: String

    /// The repository of this very file, `ROOT/Tests/ArchitectureTests/Repository.swift`.
    init() {
        let file: String = #filePath
        self.root = file.split(separator: "/", omittingEmptySubsequences: false)
            .dropLast(3).joined(separator: "/")
    }

    /// The text of a file, as UTF-8; nil if it cannot be read.
    func text(of path: String) -> String? {
        guard let stream = unsafe fopen("\(self.root)/\(path)", "re") else { return nil }
        defer { _ = unsafe fclose(stream) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe fread(buffer.baseAddress, 1, buffer.count, stream)
            }
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What stands in a folder, by name; hidden entries and `.` and `..` left out.
    func entries(of path: String) -> [String] {
        guard let folder = unsafe opendir("\(self.root)/\(path)") else { return [] }
        defer { _ = unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The Swift files below a folder, except those of packages of their own.
    func swiftFiles(below folder: String) -> [SourceFile] {
        let entries = self.entries(of: folder)
        if entries.contains("Package.swift") { return [] }
        return entries.flatMap { name -> [SourceFile] in
            let path = "\(folder)/\(name)"
            guard name.hasSuffix(".swift") else { return self.swiftFiles(below: path) }
            return self.text(of: path).map { [SourceFile(path: path, text: $0)] } ?? []
        }
    }
}
