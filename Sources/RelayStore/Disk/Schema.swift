/// The tables of a store's file, and the settings under which a commit is synced before it ends.
enum Schema {
    /// What this version of relay writes: the number of its steps.
    static var version: Int64 { Int64(Self.steps.count) }

    /// Sets and asserts the settings of the connection that writes.
    static func configure(_ database: Database) throws(DiskStoreError) {
        do {
            try database.execute("PRAGMA page_size=4096; PRAGMA mmap_size=0")
            _ = try database.text("PRAGMA journal_mode=WAL")
            try database.execute(
                """
                PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000;
                PRAGMA journal_size_limit=67108864
                """
            )
            guard try database.text("PRAGMA journal_mode") == "wal",
                try database.integer("PRAGMA synchronous") == 2,
                try database.integer("PRAGMA page_size") == 4096
            else { throw DiskStoreError.settings }
        } catch let error as DatabaseError {
            throw .database(error)
        } catch {
            throw .settings
        }
    }

    /// Makes the tables in an empty file, and those that one of an older relay has not; refuses a file of a
    /// newer one.
    ///
    /// What a step makes and the version that says so are in one transaction.
    static func prepare(_ database: Database) throws(DiskStoreError) {
        do {
            let isNew =
                try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") == 0
            let found =
                isNew ? 0 : try database.integer("SELECT value FROM meta WHERE key = 'version'")
            guard let found, found >= 0 else { throw DiskStoreError.settings }
            guard found <= Self.version else { throw DiskStoreError.newer(version: found) }
            for (index, step) in Self.steps.enumerated().dropFirst(Int(found)) {
                try database.execute(
                    """
                    BEGIN IMMEDIATE; \(step);
                    INSERT OR REPLACE INTO meta VALUES ('version', \(index + 1)); COMMIT
                    """
                )
            }
        } catch let error as DatabaseError {
            throw .database(error)
        } catch let error as DiskStoreError {
            throw error
        } catch {
            throw .settings
        }
    }

    /// What each version has that the one before had not, from an empty file on.
    ///
    /// A step that was released stays as it is.
    private static let steps = [Self.tables, Self.keysOfBackends, Self.acknowledgements]

    /// `len`, `client` and `crc` stand before what may fill pages of its own, so that the scan at start
    /// reads none of those.
    private static let tables = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE realm(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
        CREATE TABLE pool(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
        CREATE TABLE client(id INTEGER PRIMARY KEY, realm INTEGER NOT NULL, name BLOB NOT NULL,
            lost INTEGER NOT NULL DEFAULT 0, seen_us INTEGER NOT NULL DEFAULT 0,
            UNIQUE(realm, name));
        CREATE TABLE session(client INTEGER PRIMARY KEY, token BLOB NOT NULL UNIQUE,
            perms INTEGER NOT NULL, mode INTEGER NOT NULL DEFAULT 0, used_us INTEGER NOT NULL,
            ttl_us INTEGER NOT NULL);
        CREATE TABLE outbox(seq INTEGER PRIMARY KEY, client INTEGER NOT NULL, len INTEGER NOT NULL,
            crc INTEGER NOT NULL, sender BLOB, head BLOB NOT NULL, body BLOB NOT NULL);
        CREATE TABLE inbox(seq INTEGER PRIMARY KEY, pool INTEGER NOT NULL, client INTEGER NOT NULL,
            len INTEGER NOT NULL, crc INTEGER NOT NULL, head BLOB NOT NULL, body BLOB NOT NULL);
        CREATE TABLE seen(seq INTEGER PRIMARY KEY, client INTEGER NOT NULL, pid BLOB NOT NULL,
            at_us INTEGER NOT NULL);
        CREATE TABLE retry(seq INTEGER PRIMARY KEY, attempts INTEGER NOT NULL);
        CREATE TABLE dead(id INTEGER PRIMARY KEY, seq INTEGER, at_us INTEGER NOT NULL,
            direction TEXT NOT NULL, reason TEXT NOT NULL, realm TEXT NOT NULL, pool TEXT,
            client BLOB, attempts INTEGER NOT NULL, len INTEGER NOT NULL, head BLOB NOT NULL,
            body BLOB NOT NULL);
        INSERT INTO meta VALUES ('last', 0)
        """

    /// The keys of packets that were pushed, one key space for each realm, and of those that were fetched, one
    /// for each pool.
    ///
    /// `seq` is the first number of the packet; `numbers` has 8 bytes for each recipient, the most
    /// significant one first.
    private static let keysOfBackends = """
        CREATE TABLE pushed(realm INTEGER NOT NULL, seq INTEGER NOT NULL, key BLOB NOT NULL,
            numbers BLOB NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY(realm, seq)) WITHOUT ROWID;
        CREATE TABLE fetched(id INTEGER PRIMARY KEY, pool INTEGER NOT NULL, key BLOB NOT NULL,
            until_us INTEGER NOT NULL)
        """
}

extension Schema {
    /// Up to which number each client has acknowledged: its rows of the outbox up to there are gone, though they
    /// may be in the file.
    ///
    /// So a row of this table outlives the client's last row there.
    private static let acknowledgements =
        "CREATE TABLE acked(client INTEGER PRIMARY KEY, upto INTEGER NOT NULL)"
}

/// Why a disk store cannot be opened.
package enum DiskStoreError: Error, Sendable, CustomStringConvertible {
    /// The folder cannot be made, read or written.
    case folder(path: String, reason: String)
    /// Another relay has it open.
    case inUse(path: String)
    /// A newer relay made it.
    case newer(version: Int64)
    /// SQLite did not take the settings that make it durable.
    case settings
    /// SQLite says no.
    case database(DatabaseFailure)

    static func database(_ error: DatabaseError) -> DiskStoreError {
        .database(DatabaseFailure(text: error.description))
    }

    package var description: String {
        switch self {
        case .folder(let path, let reason): "the store's folder \(path) cannot be used: \(reason)"
        case .inUse(let path): "the store \(path) is in use by another relay; stop that one first"
        case .newer(let version):
            "the store was made by a newer relay (its version is \(version), this relay knows "
                + "\(Schema.version)); run that one"
        case .settings: "SQLite did not take the settings that make the store durable"
        case .database(let failure): "the store cannot be opened: \(failure.text)"
        }
    }
}

/// What SQLite said, as text.
package struct DatabaseFailure: Sendable, Equatable {
    /// One line.
    package let text: String
}
