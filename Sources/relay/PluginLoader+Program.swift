import Glibc
import Logging
import RelayPipeline

extension PluginLoader {
    /// The loader of this program: it tries plugins in a process of the program itself, and knows the folder that
    /// `make install` has made beside it.
    static func ofThisProgram(_ logger: Logger) -> PluginLoader {
        PluginLoader(
            installed: "\(ProgramFolder.prefix)/lib/relay/plugins",
            // The file that this process runs, also if another one has its name by now.
            trial: PluginTrial(program: "/proc/self/exe"),
            logger: logger
        )
    }
}

/// Where relay is installed.
enum ProgramFolder {
    /// The folder that holds `bin`, in which this program is.
    static let prefix: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return -1 }
            let text = unsafe start.assumingMemoryBound(to: CChar.self)
            return unsafe readlink("/proc/self/exe", text, buffer.count)
        }
        let path = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return path.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
    }()
}
