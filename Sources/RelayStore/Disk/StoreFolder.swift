import Glibc

/// The folder of a disk store: `relay.db` with what SQLite keeps beside it, `lock`, and `ballast`,
/// which is freed when the disk is full.
///
/// Who has it open holds the lock until it says otherwise, or the process ends.
final class StoreFolder: Sendable {
    /// Where it is.
    let path: String

    private let lock: Int32

    /// How large `ballast` is, in bytes.
    static let ballastSize: UInt64 = 4 << 20

    /// Makes the folder if there is none, and locks it.
    init(path: String) throws(DiskStoreError) {
        if unsafe mkdir(path, 0o700) == 0 {
            Self.syncParent(of: path)
        } else if errno != EEXIST {
            throw .folder(path: path, reason: Self.errorText())
        }
        let lock = unsafe open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .folder(path: path, reason: Self.errorText()) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let reason = Self.errorText()
            close(lock)
            throw isHeld ? .inUse(path: path) : .folder(path: path, reason: reason)
        }
        self.path = path
        self.lock = lock
    }

    deinit {
        close(self.lock)
    }

    /// Others may open it from now on.
    func unlock() {
        flock(self.lock, LOCK_UN)
    }

    /// The file that SQLite keeps.
    var database: String { self.path + "/relay.db" }

    /// Whether there is that file.
    var hasDatabase: Bool { unsafe access(self.database, F_OK) == 0 }

    /// Lets nobody else read a file that was just made, whoever may enter the folder; SQLite gives the files beside it
    /// the same mode.
    func keepDatabasePrivate() { _ = unsafe chmod(self.database, 0o600) }

    /// How many bytes the disk has left for relay; nil if it does not say.
    var freeBytes: UInt64? {
        var status = statvfs()
        guard unsafe statvfs(self.path, &status) == 0 else { return nil }
        let (bytes, isLarge) = UInt64(status.f_bavail).multipliedReportingOverflow(
            by: UInt64(status.f_frsize)
        )
        return isLarge ? .max : bytes
    }

    /// How large the log beside the file is, in bytes; 0 if there is none.
    var logBytes: Int {
        var status = stat()
        guard unsafe stat(self.database + "-wal", &status) == 0 else { return 0 }
        return Int(status.st_size)
    }

    /// Takes some place for bad times; false if there is none.
    @discardableResult
    func makeBallast() -> Bool {
        let file = unsafe open(self.path + "/ballast", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        return posix_fallocate(file, 0, Int(Self.ballastSize)) == 0
    }

    /// Gives that place back.
    func freeBallast() {
        unsafe unlink(self.path + "/ballast")
    }

    /// Has the disk keep the name of a folder that was made: SQLite does so only for what is in it.
    ///
    /// A file system that cannot sync folders says so, and has to keep names by itself.
    private static func syncParent(of path: String) {
        let parent = unsafe open(path + "/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { return }
        fsync(parent)
        close(parent)
    }

    private static func errorText() -> String { unsafe String(cString: strerror(errno)) }
}
