/// The exit codes of relay, after sysexits(3) where one fits.
enum ExitStatus {
    /// Something went wrong that standard error explains.
    static let failure: Int32 = 1
    /// The configuration has errors (`EX_CONFIG`).
    static let configuration: Int32 = 78
}
