import Glibc

/// A client on a blocking socket, which gives up after 10 s.
final class LoopbackClient {
    private var descriptor: Int32
    private var received: [UInt8] = []

    struct Answer {
        var status = 0
        /// By name in lower case.
        var fields: [String: String] = [:]
        var body = ""
    }

    enum Failure: Error {
        case socket(String, Int32)
        case ended
    }

    init(_ port: UInt16) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(
            self.descriptor,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &patience,
            socklen_t(MemoryLayout<timeval>.size)
        )
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe connect(
                    self.descriptor,
                    generic,
                    socklen_t(MemoryLayout<sockaddr_in>.size)
                )
            }
        }
        if result != 0 { throw Failure.socket("connect", errno) }
    }

    deinit { self.close() }

    func close() {
        if self.descriptor >= 0 { _ = Glibc.close(self.descriptor) }
        self.descriptor = -1
    }

    /// Closes the connection with a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            self.descriptor,
            SOL_SOCKET,
            SO_LINGER,
            &option,
            socklen_t(MemoryLayout<linger>.size)
        )
        self.close()
    }

    /// Sends a request and waits for its answer.
    func post(_ path: String, _ body: String, _ fields: [String] = []) throws -> Answer {
        try self.send(path, body, fields)
        return try self.receive()
    }

    func send(_ path: String, _ body: String, _ fields: [String] = []) throws {
        let lines =
            ["POST \(path) HTTP/1.1", "Host: relay", "Content-Length: \(body.utf8.count)"] + fields
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    self.descriptor,
                    buffer.baseAddress,
                    buffer.count,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count <= 0 { throw Failure.socket("send", errno) }
            sent += count
        }
    }

    func receive() throws -> Answer {
        var end: Int?
        while true {
            end = (0..<max(0, self.received.count - 3)).first { index in
                self.received[index..<(index + 4)].elementsEqual([13, 10, 13, 10])
            }
            if end != nil { break }
            try self.read()
        }
        let headCount = (end ?? 0) + 4
        var answer = Answer()
        let head = String(decoding: self.received[..<(headCount - 4)], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        answer.status = Int(lines[0].split(separator: " ")[1]) ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            answer.fields[parts[0].lowercased()] =
                parts.count > 1 ? String(parts[1].dropFirst()) : ""
        }
        let total = headCount + (Int(answer.fields["content-length"] ?? "") ?? 0)
        while self.received.count < total { try self.read() }
        answer.body = String(decoding: self.received[headCount..<total], as: UTF8.self)
        self.received.removeFirst(total)
        return answer
    }

    private func read() throws {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe recv(self.descriptor, bytes.baseAddress, bytes.count, 0)
        }
        if count < 0 { throw Failure.socket("recv", errno) }
        if count == 0 { throw Failure.ended }
        self.received += buffer[..<count]
    }
}
