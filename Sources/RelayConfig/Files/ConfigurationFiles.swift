/// Where the configuration's files come from; tests bring their own.
package protocol ConfigurationFiles {
    /// The bytes of a file.
    ///
    /// Of one that is longer than `bytesMax` only the first `bytesMax + 1`.
    func contents(of path: String, bytesMax: Int) throws(FileProblem) -> [UInt8]

    /// The paths that match a pattern as glob(7) describes, sorted.
    func matches(of pattern: String) -> [String]
}

/// Why a file cannot be read.
package struct FileProblem: Error {
    /// In the system's words: `No such file or directory`.
    package let reason: String

    /// Gives a reason.
    package init(reason: String) { self.reason = reason }
}
