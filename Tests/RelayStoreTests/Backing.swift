import Glibc
import Synchronization

@testable import RelayStore

/// What keeps the packets of a store under test.
///
/// What the store does is the same: on disk it follows from a commit, and the harness waits for that. What a
/// commit has for each loop comes together there, and what is any loop's behind it.
enum Backing: CaseIterable, Sendable {
    case memory, disk
}

/// A store on disk in a folder of its own, whose time a test moves, for a `StoreHarness`.
final class BackingFolder: StoreEvents {
    let disk: DiskStore
    let clock: ManualClock
    private let path: String
    private let heard = Mutex<[Effect]>([])

    /// The time that a test says.
    final class ManualClock: Sendable {
        private let time: Mutex<StoreInstant>

        init(_ now: StoreInstant) { self.time = Mutex(now) }

        var now: StoreInstant {
            get { self.time.withLock { $0 } }
            set { self.time.withLock { $0 = newValue } }
        }
    }

    init(now: StoreInstant) throws {
        var template = Array("/tmp/relay-backing-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        precondition(isMade, "a folder can be made in /tmp")
        self.path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        let clock = ManualClock(now)
        self.clock = clock
        var settings = DiskSettings(path: self.path)
        settings.reserveBytes = 0
        self.disk = try DiskStore(settings, clock: { clock.now }) { _ in }
    }

    deinit {
        self.disk.stop()
        for name in ["relay.db", "relay.db-wal", "relay.db-shm", "lock", "ballast"] {
            unsafe unlink("\(self.path)/\(name)")
        }
        unsafe rmdir(self.path)
    }

    func committed(_ effects: [Effect], loop: UInt16?) {
        self.heard.withLock { $0 += effects }
    }

    /// What followed from everything that waited to be written, when it is.
    func settled() -> [Effect] {
        while !self.disk.queue.isIdle { sched_yield() }
        return self.heard.withLock { heard in
            defer { heard = [] }
            return heard
        }
    }
}
