/// Opens listening sockets.
struct ListeningSocket {
    let settings: ListenerSettings
    let system: SystemCalls

    /// Opens a socket that listens; its port is shared with the sockets `others` if there are any.
    func open(sharingWith others: [Descriptor]) throws(ListenError) -> Descriptor {
        let address = self.settings.address
        if case .unix(let path) = address { try self.removeStaleFile(path) }
        let socket = self.system.socket(address.family)
        try self.check("socket", socket)
        let descriptor = socket.descriptor
        do throws(ListenError) {
            try self.setOptions(descriptor, sharingWith: others)
            try self.check("bind", self.system.bind(descriptor, to: address))
            if case .unix(let path) = address {
                try self.check("chmod", self.system.setMode(self.settings.unixMode, ofFile: path))
            }
            try self.check(
                "listen",
                self.system.listen(descriptor, backlog: self.settings.backlog)
            )
            return descriptor
        } catch {
            _ = self.system.close(descriptor)
            throw error
        }
    }

    private func setOptions(
        _ descriptor: Descriptor,
        sharingWith others: [Descriptor]
    )
        throws(ListenError)
    {
        switch self.settings.address.family {
        case .unix: return
        case .v6: try self.set(.onlyV6, descriptor)
        case .v4: break
        }
        try self.set(.reuseAddress, descriptor)
        // Accepted sockets inherit it: one system call instead of one for each of them.
        try self.set(.noDelay, descriptor)
        guard !others.isEmpty else { return }
        // Only now, and on both: a listener that always set it would let a second relay start on the
        // same port and take half of the connections.
        try self.set(.reusePort, descriptor)
        for other in others { try self.set(.reusePort, other) }
    }

    private func set(_ option: SocketOption, _ descriptor: Descriptor) throws(ListenError) {
        try self.check("setsockopt", self.system.setOption(option, of: descriptor, to: 1))
    }

    /// Removes the socket file that a process which is gone has left, and nothing else.
    private func removeStaleFile(_ path: String) throws(ListenError) {
        let kind = self.system.isSocketFile(path)
        if kind.error == .noSuchFile { return }
        try self.check("lstat", kind)
        if kind.value == 0 {
            throw ListenError(
                address: self.settings.address,
                operation: "bind",
                cause: .addressInUse
            )
        }
        let socket = self.system.socket(.unix)
        try self.check("socket", socket)
        let answer = self.system.connect(socket.descriptor, to: self.settings.address)
        _ = self.system.close(socket.descriptor)
        // A full queue (EAGAIN) is an answer, too.
        guard answer.error == .connectionRefused else {
            throw ListenError(
                address: self.settings.address,
                operation: "bind",
                cause: answer.error == .tryAgain ? .addressInUse : answer.error ?? .addressInUse
            )
        }
        try self.check("unlink", self.system.removeFile(path))
    }

    private func check(_ operation: String, _ result: SystemResult) throws(ListenError) {
        if let error = result.error {
            throw ListenError(address: self.settings.address, operation: operation, cause: error)
        }
    }
}

/// What a listener needs to know.
package struct ListenerSettings: Hashable, Sendable {
    /// Where to listen; port 0 lets the system choose.
    package var address: SocketAddress
    /// Connections open at once.
    package var connectionsMax: Int = 100_000
    /// Connections that the kernel queues before they are accepted.
    package var backlog: Int32 = 4096
    /// The mode of a unix socket's file.
    package var unixMode: UInt32 = 0o660

    /// Listens on `address`, the rest by default.
    package init(address: SocketAddress) {
        self.address = address
    }
}

/// Why a listener could not be opened.
package struct ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address asked for.
    package let address: SocketAddress
    /// Which system call failed: `bind`, `listen`, ….
    package let operation: String
    /// Why it failed.
    package let cause: SystemError

    /// One sentence for the operator.
    package var description: String {
        "cannot listen on \(self.address): \(self.cause) (\(self.operation))"
    }
}
