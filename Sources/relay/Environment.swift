import Glibc

/// The variables that this process was started with.
enum Environment {
    /// All of them.
    ///
    /// Read once, before there are other threads.
    static var current: [String: String] {
        var variables: [String: String] = [:]
        // `environ` is only written by setenv(3), which relay never calls.
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let separator = text.firstIndex(of: "=") {
                let name = String(text[..<separator])
                // Of two with one name the first counts, as in getenv(3).
                if variables[name] == nil {
                    variables[name] = String(text[text.index(after: separator)...])
                }
            }
            unsafe next += 1
        }
        return variables
    }
}
