import Glibc

/// The program `relay` as this build has made it.
enum RelayProgram {
    /// Its path: beside the tests.
    static let path: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return -1 }
            let text = unsafe start.assumingMemoryBound(to: CChar.self)
            return unsafe readlink("/proc/self/exe", text, buffer.count)
        }
        let own = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/relay"
    }()

    /// Runs a command of it to the end.
    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = "",
        by deadline: Deadline = .usual
    ) throws -> ChildProcess {
        let child = try ChildProcess(
            self.path,
            arguments,
            environment: environment,
            input: input
        )
        _ = try child.waitForExit(by: deadline)
        return child
    }
}

/// A running relay.
final class RelayProcess {
    let child: ChildProcess
    let admin: Address
    private let adminToken: String?

    /// Complete lines of the log, as far as they were read.
    private(set) var lines: [String] = []
    private var splitBytes = 0

    /// Starts relay with the file at `path`, and waits until it is ready at its `admin` address.
    init(
        file path: String,
        admin: Address,
        adminToken: String? = nil,
        environment: [String: String] = [:]
    ) throws {
        self.admin = admin
        self.adminToken = adminToken
        self.child = try ChildProcess(
            RelayProgram.path,
            ["run", "-c", path],
            environment: environment
        )
        try self.waitUntilReady()
    }

    /// The log, as far as it was read.
    var log: String { self.child.errorText }

    /// Asks the admin address.
    func ask(_ request: Request) throws -> Message {
        guard let token = self.adminToken else {
            return try TestClient.exchange(request, with: self.admin)
        }
        return try TestClient.exchange(
            request.with("Authorization", "Bearer \(token)"),
            with: self.admin
        )
    }

    /// Reloads over the admin address.
    func reload() throws -> Message {
        try self.ask(Request(path: "/reload").with("Relay-Admin", "1"))
    }

    /// Sends a signal.
    func signal(_ number: Int32) { self.child.signal(number) }

    /// Takes in what the log has now.
    func readLog() {
        while self.child.read(by: .after(.zero)) {}
        self.splitLines()
    }

    /// Waits for a line of the log that contains `text`, among those from number `start` on.
    @discardableResult
    func waitForLine(
        containing text: String,
        from start: Int = 0,
        by deadline: Deadline = .usual
    ) throws -> String {
        var next = start
        while true {
            self.splitLines()
            while next < self.lines.count {
                if self.lines[next].contains(text) { return self.lines[next] }
                next += 1
            }
            guard self.child.read(by: deadline) else {
                throw Failure("the log has no line with '\(text)':\n\(self.log)")
            }
        }
    }

    /// Ends relay in order, and gives its exit status.
    func terminate(by deadline: Deadline = .usual) throws -> ChildProcess.Exit {
        self.signal(SIGTERM)
        return try self.child.waitForExit(by: deadline)
    }

    private func splitLines() {
        let bytes = self.child.errors
        while let end = bytes[self.splitBytes...].firstIndex(of: 0x0A) {
            self.lines.append(String(decoding: bytes[self.splitBytes..<end], as: UTF8.self))
            self.splitBytes = end + 1
        }
    }

    /// Asks again whenever the log has grown, or a while has passed.
    private func waitUntilReady() throws {
        let deadline = Deadline.usual
        while true {
            if let answer = try? self.ask(.get("/readyz")), answer.status == 200 { return }
            self.child.read(by: .after(.milliseconds(10)))
            if deadline.isOver || !self.child.isRunning {
                self.readLog()
                throw Failure("relay is not ready:\n\(self.log)")
            }
        }
    }
}

extension RelayProcess {
    /// Asks again and again whether `condition` holds, reading the log meanwhile.
    func wait(by deadline: Deadline = .usual, until condition: () throws -> Bool) throws {
        while try !condition() {
            self.child.read(by: .after(.milliseconds(5)))
            guard !deadline.isOver else { throw Failure("waited in vain:\n\(self.log)") }
        }
    }
}
