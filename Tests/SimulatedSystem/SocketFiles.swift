import RelayEngine

/// The file system as unix sockets see it: paths, and whose sockets they are.
struct SocketFiles {
    private var files: [String: File] = [:]

    private struct File {
        /// The socket bound to it; nil once that is closed, the file stays.
        var socket: SimulatedSocket?
        var isSocket: Bool
        var mode: UInt32 = 0o755
    }

    /// Whether a path fits into the address of a unix socket (unix(7)).
    static func isAddress(_ path: String) -> Bool { path.utf8.count <= 107 }

    /// bind(2): makes the file.
    mutating func bind(_ socket: SimulatedSocket, _ path: String) -> SystemResult {
        guard Self.isAddress(path) else { return SystemResult(failure: .invalidArgument) }
        guard self.files[path] == nil else { return SystemResult(failure: .addressInUse) }
        self.files[path] = File(socket: socket, isSocket: true)
        return .success
    }

    /// The socket was closed; its file stays, and refuses connections.
    mutating func socketClosed(_ socket: SimulatedSocket) {
        guard case .unix(let path) = socket.local, self.files[path]?.socket === socket else {
            return
        }
        self.files[path]?.socket = nil
    }

    /// The open socket that is bound to `path`.
    func socket(at path: String) -> SimulatedSocket? { self.files[path]?.socket }

    /// Whether the file at `path` is a socket; nil if there is none.
    func isSocket(_ path: String) -> Bool? { self.files[path]?.isSocket }

    /// The mode of the file at `path`; nil if there is none.
    func mode(of path: String) -> UInt32? { self.files[path]?.mode }

    /// Puts a file that is no socket at `path`.
    mutating func addOrdinaryFile(_ path: String) {
        self.files[path] = File(socket: nil, isSocket: false)
    }

    /// unlink(2).
    mutating func remove(_ path: String) -> SystemResult {
        self.files.removeValue(forKey: path) == nil
            ? SystemResult(failure: .noSuchFile) : .success
    }

    /// chmod(2).
    mutating func setMode(_ mode: UInt32, of path: String) -> SystemResult {
        guard self.files[path] != nil else { return SystemResult(failure: .noSuchFile) }
        self.files[path]?.mode = mode
        return .success
    }
}
