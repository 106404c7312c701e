import CLinux
import Glibc

/// How much memory this process may have, and has.
package enum MachineMemory {
    /// The bytes that the machine and the control groups of the process leave to it; nil if nobody tells.
    ///
    /// The least of what the machine has (proc(5), `meminfo`) and what each control group from the process's own up
    /// to the root allows (cgroups(7), versions 1 and 2). In a container that sees its own group as the root, the
    /// path may not exist: then the root's file is its.
    ///
    /// - Parameter text: reads a small file; nil if that fails.
    package static func bytesMax(reading text: (_ path: String) -> String? = Self.text) -> Int? {
        var bounds: [Int] = []
        if let line = text("/proc/meminfo")?.split(separator: "\n").first,
            line.hasPrefix("MemTotal:"), let kibibytes = Self.firstNumber(in: line)
        {
            let (bytes, isTooLarge) = kibibytes.multipliedReportingOverflow(by: 1024)
            if !isTooLarge { bounds.append(bytes) }
        }
        for line in text("/proc/self/cgroup")?.split(separator: "\n") ?? [] {
            // HIERARCHY:CONTROLLERS:PATH; version 2 names no controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",")
            let file: (folder: String, name: String)
            if controllers.isEmpty {
                file = ("/sys/fs/cgroup", "memory.max")
            } else if controllers.contains("memory") {
                file = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            var names = parts[2].split(separator: "/")
            while true {
                let path = ([file.folder] + names.map(String.init) + [file.name])
                    .joined(separator: "/")
                if let bytes = text(path).flatMap({ Int($0.prefix { $0 != "\n" }) }), bytes > 0 {
                    bounds.append(bytes)
                }
                guard names.popLast() != nil else { break }
            }
        }
        return bounds.min()
    }

    /// The bytes that the process has to itself: resident, and not shared with others (proc(5), `statm`).
    static var bytesUsed: Int? {
        let numbers = self.text("/proc/self/statm")?.split(separator: " ").map { Int($0) } ?? []
        guard numbers.count >= 3, let resident = numbers[1], let shared = numbers[2] else {
            return nil
        }
        let (bytes, isTooLarge) = (resident - shared).multipliedReportingOverflow(
            by: sysconf(Int32(_SC_PAGESIZE))
        )
        return isTooLarge ? nil : max(bytes, 0)
    }

    /// The text of a small file, at most 8 KiB of it; nil if it cannot be read.
    package static func text(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8 << 10)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe read(descriptor, buffer.baseAddress, buffer.count)
        }
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    private static func firstNumber(in line: Substring) -> Int? {
        Int(line.drop { !$0.isNumber }.prefix { $0.isNumber })
    }
}
