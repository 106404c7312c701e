import Glibc
import Synchronization
import Testing

@testable import RelayEngine

/// A flag that a callback of any thread sets.
final class Flag: Sendable {
    private let state = Mutex(false)

    var isSet: Bool { self.state.withLock { $0 } }

    func set() {
        self.state.withLock { $0 = true }
    }
}

/// A directory for one test, removed with what is in it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/relay-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw SystemError(code: errno) }
        self.path = String(
            decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
    }

    deinit {
        unsafe unlink(self.path + "/socket")
        unsafe rmdir(self.path)
    }
}
