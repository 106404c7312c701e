/// What the process asks of the machine at start.
package enum ProcessLimits {
    /// Raises the soft limit of open files to the hard one; returns what holds then.
    package static func raiseOpenFilesLimit() -> Int { fatalError() }

    /// Tells malloc how many threads will use it (`arenas` = loops + 1) and fixes its mmap and trim
    /// thresholds, so that memory goes back to the system after a burst. Before other threads start.
    package static func tuneAllocator(arenas: Int) { fatalError() }

    /// Ignores SIGPIPE, which writes to pipes raise (sockets are written with `MSG_NOSIGNAL`).
    package static func ignoreBrokenPipes() { fatalError() }

    /// How many processors this process may run on (sched_getaffinity(2)).
    package static var processorCount: Int { fatalError() }
}
