import Glibc

/// Programs of the machine that a test can do without: it is skipped, and says so, where one is missing.
enum InstalledProgram {
    /// A Chromium.
    static let chromium = path(of: ["chromium", "chromium-browser", "google-chrome"])

    /// The path of the first of these names that `PATH` has a program for.
    static func path(of names: [String]) -> String? {
        guard let variable = unsafe getenv("PATH") else { return nil }
        let folders = unsafe String(cString: variable).split(separator: ":")
        for name in names {
            for folder in folders {
                let path = "\(folder)/\(name)"
                if unsafe access(path, X_OK) == 0 { return path }
            }
        }
        return nil
    }
}
