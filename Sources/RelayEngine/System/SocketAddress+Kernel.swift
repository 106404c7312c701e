import CLinux
import Glibc

extension SocketAddress {
    /// The address in the kernel's record of its family; `unix` with an empty path for what is none.
    init(_ storage: sockaddr_storage, length: socklen_t) {
        let family = Int32(storage.ss_family)
        var storage = storage
        self = unsafe withUnsafeBytes(of: &storage) { bytes in
            switch family {
            case AF_INET:
                let record = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
                return .v4(
                    UInt32(bigEndian: record.sin_addr.s_addr),
                    port: UInt16(bigEndian: record.sin_port)
                )
            case AF_INET6:
                let record = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
                // The address stands behind family, port and flow, at byte 8.
                let high = unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                let low = unsafe bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
                return .v6(
                    high: UInt64(bigEndian: high),
                    low: UInt64(bigEndian: low),
                    port: UInt16(bigEndian: record.sin6_port),
                    zone: record.sin6_scope_id
                )
            default:
                let end = min(Int(length), MemoryLayout<sockaddr_un>.size)
                let path = unsafe bytes[min(2, end)..<end].prefix { $0 != 0 }
                return unsafe .unix(path: String(decoding: path, as: UTF8.self))
            }
        }
    }

    /// Shows the address as the kernel's record to a call; `EINVAL` for a path that is too long.
    ///
    /// `unsafe`: the pointer is valid during `call` only.
    @unsafe
    func withSocketAddress(_ call: (UnsafePointer<sockaddr>, socklen_t) -> Int) -> SystemResult {
        var storage = sockaddr_storage()
        let length = unsafe withUnsafeMutableBytes(of: &storage) { bytes -> Int? in
            switch self {
            case .v4(let bits, let port):
                var record = sockaddr_in()
                record.sin_family = sa_family_t(AF_INET)
                record.sin_port = port.bigEndian
                record.sin_addr.s_addr = bits.bigEndian
                unsafe bytes.storeBytes(of: record, as: sockaddr_in.self)
                return MemoryLayout<sockaddr_in>.size
            case .v6(let high, let low, let port, let zone):
                var record = sockaddr_in6()
                record.sin6_family = sa_family_t(AF_INET6)
                record.sin6_port = port.bigEndian
                record.sin6_scope_id = zone
                unsafe bytes.storeBytes(of: record, as: sockaddr_in6.self)
                unsafe bytes.storeBytes(of: high.bigEndian, toByteOffset: 8, as: UInt64.self)
                unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt64.self)
                return MemoryLayout<sockaddr_in6>.size
            case .unix(let path):
                let pathBytesMax = MemoryLayout<sockaddr_un>.size - 3
                guard path.utf8.count <= pathBytesMax, !path.utf8.contains(0) else { return nil }
                unsafe bytes.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[2...])
                    .copyBytes(from: Array(path.utf8))
                return 2 + path.utf8.count + 1
            }
        }
        guard let length else { return SystemResult(failure: .invalidArgument) }
        return unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe result(call(generic, socklen_t(length)))
            }
        }
    }
}
