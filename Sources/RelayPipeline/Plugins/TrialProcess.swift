import CLinux
import Glibc

/// The process of a trial: started, listened to, and ended if it does not end by itself.
///
/// Used by one thread.
final class TrialProcess {
    /// How it has ended.
    enum End: Equatable {
        case exit(Int32)
        case signal(Int32)
        case hung
    }

    /// More is no result.
    private static let outputBytesMax = 1 << 20

    /// What it wrote to standard output.
    private(set) var output: [UInt8] = []

    private let id: pid_t
    private let pipe: Int32

    /// Starts `program plugin try NAME` with these descriptors as 3 and 4; nil if that fails, with errno.
    ///
    /// What the plugin writes to standard error goes where ours goes.
    init?(_ program: String, _ name: String, _ library: Int32, _ settings: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe relay_pipe(&ends) == 0 else { return nil }
        defer { _ = close(ends[1]) }
        // Out of the way of 3 and 4, whatever their numbers are.
        let sources = [library, settings, ends[1]].map { fcntl($0, F_DUPFD_CLOEXEC, 10) }
        defer { for source in sources where source >= 0 { _ = close(source) } }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, sources[2], 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, sources[0], 3)
        unsafe posix_spawn_file_actions_adddup2(&actions, sources[1], 4)

        // Relay's threads block the signals that it takes as events.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var id = pid_t()
        let texts = ["relay", "plugin", "try", name]
        let arguments = unsafe texts.map { unsafe strdup($0) }
        defer { unsafe arguments.forEach { unsafe free($0) } }
        let code = unsafe posix_spawn(
            &id,
            program,
            &actions,
            &attributes,
            arguments + [nil],
            environ
        )
        guard code == 0 else {
            _ = close(ends[0])
            errno = code
            return nil
        }
        self.id = id
        self.pipe = ends[0]
    }

    deinit { _ = close(self.pipe) }

    /// Reads what it says until it ends, and ends it when `patience` is over.
    func wait(_ patience: Duration) -> End {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let left = deadline - clock.now
            guard left > .zero, self.output.count <= Self.outputBytesMax else {
                kill(self.id, SIGKILL)
                _ = self.reap()
                return .hung
            }
            var entry = pollfd(fd: self.pipe, events: Int16(POLLIN), revents: 0)
            let milliseconds = Int32(clamping: Int(left / .milliseconds(1)) + 1)
            guard unsafe poll(&entry, 1, milliseconds) > 0 else { continue }
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe read(self.pipe, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            // The end of its output is that of the process, or of what it may still say.
            guard count > 0 else { return self.waitForExit(until: deadline, clock) }
            self.output += chunk[..<count]
        }
    }

    private func waitForExit(
        until deadline: ContinuousClock.Instant,
        _ clock: ContinuousClock
    ) -> End {
        while clock.now < deadline {
            var information = unsafe siginfo_t()
            let flags = WEXITED | WNOHANG | WNOWAIT
            if unsafe waitid(P_PID, id_t(self.id), &information, flags) == 0,
                unsafe information.si_signo != 0
            {
                return self.reap()
            }
            usleep(1000)
        }
        kill(self.id, SIGKILL)
        _ = self.reap()
        return .hung
    }

    private func reap() -> End {
        var status: Int32 = 0
        while unsafe waitpid(self.id, &status, 0) < 0, errno == EINTR {}
        // The macros of waitpid(2), which Swift does not import.
        let number = status & 0x7F
        return number == 0 ? .exit((status >> 8) & 0xFF) : .signal(number)
    }
}
