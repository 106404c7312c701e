import Glibc

/// A process that a test has started: what it writes is kept, and it never outlives the test.
///
/// Used by one thread, which reads the output while it waits for something.
final class ChildProcess {
    /// How a process ended.
    enum Exit: Hashable {
        case code(Int32)
        case signal(Int32)
    }

    let id: pid_t
    /// What it wrote to standard output, as far as it was read.
    private(set) var output: [UInt8] = []
    /// What it wrote to standard error, as far as it was read.
    private(set) var errors: [UInt8] = []
    private(set) var exit: Exit?

    private let outputPipe: Descriptor
    private let errorPipe: Descriptor

    /// Starts `program` with `arguments`; `environment` is set beside what this process has.
    init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = ""
    ) throws {
        let inputEnds = try Pipe()
        let outputEnds = try Pipe()
        let errorEnds = try Pipe()
        try inputEnds.fill(with: input)
        self.outputPipe = outputEnds.reader
        self.errorPipe = errorEnds.reader

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, inputEnds.reader.value, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, outputEnds.writer.value, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errorEnds.writer.value, 2)

        // The threads that run tests block signals, and a shell that runs them in the background
        // ignores SIGINT. A child would inherit both.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGHUP, SIGINT, SIGTERM, SIGPIPE] { unsafe sigaddset(&signals, number) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        var pid = pid_t()
        let code = unsafe withCStrings([program] + arguments) { argv in
            unsafe withCStrings(Self.environment(with: environment)) { envp in
                Descriptor.withoutInheritance {
                    unsafe posix_spawn(&pid, program, &actions, &attributes, argv, envp)
                }
            }
        }
        guard code == 0 else { throw Failure("cannot start \(program): \(code)") }
        self.id = pid
    }

    deinit {
        guard self.exit == nil else { return }
        kill(self.id, SIGKILL)
        waitpid(self.id, nil, 0)
    }

    /// Standard output as text.
    var outputText: String { String(decoding: self.output, as: UTF8.self) }

    /// Standard error as text.
    var errorText: String { String(decoding: self.errors, as: UTF8.self) }

    /// Sends a signal.
    func signal(_ number: Int32) {
        if self.exit == nil { kill(self.id, number) }
    }

    /// Reads what the process writes next; false at the deadline, or when it has closed both ends.
    @discardableResult
    func read(by deadline: Deadline) -> Bool {
        var entries = [
            pollfd(fd: self.outputPipe.value, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.errorPipe.value, events: Int16(POLLIN), revents: 0),
        ]
        guard entries.contains(where: { $0.fd >= 0 }),
            unsafe poll(&entries, 2, deadline.millisecondsLeft) > 0
        else { return false }
        if entries[0].revents != 0 { self.output += Self.take(from: self.outputPipe) }
        if entries[1].revents != 0 { self.errors += Self.take(from: self.errorPipe) }
        return true
    }

    /// Waits for the process's end; one that does not end is killed, and a failure.
    func waitForExit(by deadline: Deadline = .usual) throws -> Exit {
        while self.exit == nil {
            if self.read(by: deadline) { continue }
            let isOver = self.outputPipe.value < 0 && self.errorPipe.value < 0
            if !isOver { kill(self.id, SIGKILL) }
            var status: Int32 = 0
            unsafe waitpid(self.id, &status, 0)
            // The macros of waitpid(2), which Swift does not import.
            let number = status & 0x7F
            self.exit = number == 0 ? .code((status >> 8) & 0xFF) : .signal(number)
            if !isOver { throw Failure("process \(self.id) did not end\n\(self.errorText)") }
        }
        return self.exit ?? .signal(0)
    }

    /// Whether it has neither ended nor closed its output.
    var isRunning: Bool {
        var information = unsafe siginfo_t()
        let flags = WEXITED | WNOHANG | WNOWAIT
        let code = unsafe waitid(P_PID, id_t(self.id), &information, flags)
        return unsafe code == 0 && information.si_signo == 0
    }

    private static func take(from pipe: Descriptor) -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe chunk.withUnsafeMutableBytes { buffer in
            unsafe Glibc.read(pipe.value, buffer.baseAddress, buffer.count)
        }
        if count <= 0 { pipe.close() }
        return Array(chunk[..<max(0, count)])
    }

    private static func environment(with own: [String: String]) -> [String] {
        var entries = own.map { "\($0.key)=\($0.value)" }
        // `environ` changes only by setenv(3), which nobody calls here.
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if !own.keys.contains(where: { text.hasPrefix("\($0)=") }) { entries.append(text) }
            unsafe next += 1
        }
        return entries
    }
}

/// Both ends of a pipe.
private struct Pipe {
    let reader: Descriptor
    let writer: Descriptor

    init() throws {
        var numbers: [Int32] = [0, 0]
        let isMade = Descriptor.withoutInheritance {
            let code = unsafe pipe(&numbers)
            for number in numbers { Descriptor.closeOnExec(number) }
            return code == 0
        }
        guard isMade else { throw Failure("no pipe: \(errno)") }
        self.reader = Descriptor(numbers[0])
        self.writer = Descriptor(numbers[1])
    }

    /// Puts a text that fits into the pipe, and ends it.
    func fill(with text: String) throws {
        let bytes = Array(text.utf8)
        precondition(bytes.count <= 32 << 10)
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe write(self.writer.value, buffer.baseAddress, buffer.count)
        }
        guard count == bytes.count else { throw Failure("cannot fill a pipe: \(errno)") }
        self.writer.close()
    }
}

/// Calls `body` with the texts as a list of C strings that ends in nil.
private func withCStrings<Result>(
    _ texts: [String],
    _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let copies = unsafe texts.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe body(copies + [nil])
}
