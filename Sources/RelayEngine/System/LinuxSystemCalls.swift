/// The system calls of the Linux that the process runs on.
package final class LinuxSystemCalls: SystemCalls, @unchecked Sendable {
    /// The system; has no state, any number of instances are the same.
    package override init() {}
}
