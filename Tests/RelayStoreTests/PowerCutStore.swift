import Glibc
import PowerCut
import Synchronization

@testable import RelayStore

/// A folder on a disk whose power can be cut (PowerCut.h).
///
/// `@safe`: the handle is private, and lives as long as the object.
@safe
final class PowerCutDisk {
    let path: String
    private let handle: OpaquePointer

    /// An empty folder on a new disk.
    init(seed: UInt64) throws {
        var template = Array("/tmp/relay-power-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        let path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        guard isMade, let handle = unsafe power_cut_disk_make(path, seed) else {
            throw HarnessError.noFolder
        }
        self.path = path
        unsafe self.handle = handle
    }

    deinit {
        unsafe power_cut_disk_free(self.handle)
        for name in [
            "relay.db", "relay.db-wal", "relay.db-shm", "relay.db-journal", "lock", "ballast",
        ] {
            unsafe unlink("\(self.path)/\(name)")
        }
        unsafe rmdir(self.path)
    }

    /// Whether the power is off.
    var isOff: Bool { unsafe power_cut_disk_is_off(self.handle) != 0 }

    /// The power fails at one of the next operations.
    func cut(after operations: Int) {
        unsafe power_cut_disk_cut_after(self.handle, Int64(operations))
    }

    /// Once all is closed: has the folder hold what is left, and the power on.
    func restore() { unsafe power_cut_disk_restore(self.handle) }

    /// Writes the files as they are to the folder of another disk.
    func copy(to other: PowerCutDisk) { unsafe power_cut_disk_copy(self.handle, other.path) }

    func ignoreSyncs() { unsafe power_cut_disk_ignore_syncs(self.handle, 1) }
    func failSyncs(_ count: Int) { unsafe power_cut_disk_fail_syncs(self.handle, Int32(count)) }
    func failWrites(_ count: Int) { unsafe power_cut_disk_fail_writes(self.handle, Int32(count)) }
}

/// The clocks of a simulated machine.
final class SimulatedClock: Sendable {
    private let time = Mutex(
        StoreInstant(nanoseconds: 1_000_000_000, unixMicroseconds: 1_700_000_000_000_000)
    )

    var now: StoreInstant { self.time.withLock { $0 } }

    func advance(microseconds: UInt64) {
        self.time.withLock { time in
            time.nanoseconds += microseconds * 1000
            time.unixMicroseconds += microseconds
        }
    }
}

/// One life of a store on such a disk, in turns on one thread.
struct PowerCutLife {
    let store: PacketStore
    let realm: RealmID
    let pool: PoolID
    private let disk: DiskStore
    private let heard = HeardInTurns()

    /// Opens the store; throws if that fails, as it does when the power does.
    init(on disk: PowerCutDisk, clock: SimulatedClock) throws(DiskStoreError) {
        var settings = DiskSettings(path: disk.path)
        settings.reserveBytes = 0
        // Most packets are read from the file.
        settings.cacheBytes = 2000
        self.disk = try DiskStore(settings, clock: { clock.now }) { [heard] in heard.add($0) }
        self.store = PacketStore(limits: StoreLimits(), now: clock.now, journal: self.disk)
        try self.disk.restore(self.store)
        self.realm = self.store.realm(named: "app", settings: RealmSettings())
        self.pool = self.store.pool(named: "backend", limits: InboxLimits())
        self.disk.startInTurns(self.store, events: self.heard)
    }

    /// One batch is written, one packet read.
    func turn() -> Bool { self.disk.turn() }

    /// Writes what waits, if there is power, and closes the files.
    func end() { self.disk.stop() }

    /// What has come of operations that were pending.
    func takeEffects() -> [Effect] { self.heard.takeEffects() }

    /// What it had to say.
    func takeEvents() -> [DiskEvent] { self.heard.takeEvents() }
}

/// Keeps what was said until it is asked for.
private final class HeardInTurns: StoreEvents {
    private let effects = Mutex<[Effect]>([])
    private let events = Mutex<[DiskEvent]>([])

    func committed(_ effects: [Effect], loop: UInt16?) {
        self.effects.withLock { $0 += effects }
    }

    func add(_ event: DiskEvent) { self.events.withLock { $0.append(event) } }

    func takeEffects() -> [Effect] {
        self.effects.withLock { effects in
            defer { effects = [] }
            return effects
        }
    }

    func takeEvents() -> [DiskEvent] {
        self.events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}
