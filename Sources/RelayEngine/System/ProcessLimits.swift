import CLinux
import Glibc

/// What the process asks of the machine at start.
package enum ProcessLimits {
    /// Raises the soft limit of open files to the hard one; returns what holds then.
    package static func raiseOpenFilesLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 1024
        }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        let raised = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return Int(clamping: raised ? limit.rlim_cur : soft)
    }

    /// Tells malloc how many threads will use it (`arenas` = loops + 1) and fixes its mmap and trim
    /// thresholds, so that memory goes back to the system after a burst.
    ///
    /// Before other threads start.
    package static func tuneAllocator(arenas: Int) {
        mallopt(M_ARENA_MAX, Int32(clamping: arenas))
        // Setting them turns off their growth with the largest block ever freed.
        mallopt(M_MMAP_THRESHOLD, 256 * 1024)
        mallopt(M_TRIM_THRESHOLD, 512 * 1024)
    }

    /// Opens what of standard input, output and error is closed on `/dev/null`.
    ///
    /// Otherwise the next descriptor that is opened takes the number, and what is meant for a log ends in a
    /// socket. Before anything else is opened.
    package static func keepStandardStreams() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is the one that is missing.
            _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
        }
    }

    /// Ignores signals that would end the process and mean nothing to it: SIGPIPE, which writes to pipes raise
    /// (sockets are written with `MSG_NOSIGNAL`), and SIGUSR1 and SIGUSR2, by which log rotation tells other
    /// programs to reopen their files.
    package static func ignoreHarmlessSignals() {
        for number in [SIGPIPE, SIGUSR1, SIGUSR2] { _ = signal(number, SIG_IGN) }
    }

    /// How many processors this process may run on (sched_getaffinity(2)).
    package static var processorCount: Int { Int(relay_processor_count()) }
}
