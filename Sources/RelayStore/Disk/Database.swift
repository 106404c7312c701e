import CSQLite

/// What SQLite says when it cannot.
struct DatabaseError: Error, Sendable {
    /// SQLite's extended result code.
    let code: Int32

    /// SQLite's text, with what was asked.
    let text: String

    /// Whether there is no place on the disk.
    var isFull: Bool { self.code & 0xFF == SQLITE_FULL }

    /// Whether the file is damaged, or none of SQLite's.
    var isCorrupt: Bool {
        self.code & 0xFF == SQLITE_CORRUPT || self.code & 0xFF == SQLITE_NOTADB
    }
}

extension DatabaseError: CustomStringConvertible {
    var description: String { "\(self.text) (SQLite code \(self.code))" }
}

/// A connection to a SQLite file: for one thread at a time.
///
/// `@safe`: the handle is private, and lives as long as the object.
@safe
final class Database {
    private let handle: OpaquePointer

    /// What a connection may do.
    enum Access {
        /// Everything; the file is made if there is none.
        case writing
        /// Nothing but reading.
        case reading
    }

    /// Opens a file.
    init(path: String, _ access: Access) throws(DatabaseError) {
        let flags =
            access == .writing ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        var opened: OpaquePointer?
        let code = unsafe sqlite3_open_v2(
            path,
            &opened,
            flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
            nil
        )
        guard code == SQLITE_OK, let handle = unsafe opened else {
            unsafe sqlite3_close_v2(opened)
            throw DatabaseError(
                code: code,
                text: "cannot open \(path): \(unsafe String(cString: sqlite3_errstr(code)))"
            )
        }
        unsafe self.handle = handle
        unsafe sqlite3_busy_timeout(handle, 2000)
    }

    deinit {
        // Statements that are left keep the connection until they go.
        unsafe sqlite3_close_v2(self.handle)
    }

    /// Runs statements that give no rows.
    func execute(_ sql: String) throws(DatabaseError) {
        let code = unsafe sqlite3_exec(self.handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw self.error(code, sql) }
    }

    /// Compiles a statement, to be used again and again.
    func prepare(_ sql: String) throws(DatabaseError) -> Statement {
        var compiled: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let code = unsafe sqlite3_prepare_v3(self.handle, sql, -1, flags, &compiled, nil)
        guard code == SQLITE_OK, let statement = unsafe compiled else {
            throw self.error(code, sql)
        }
        return unsafe Statement(statement, of: self)
    }

    /// The first column of the first row, as text; nil if there is none.
    func text(_ sql: String) throws(DatabaseError) -> String? {
        let statement = try self.prepare(sql)
        return try statement.step() ? String(decoding: statement.bytes(0), as: UTF8.self) : nil
    }

    /// The first column of the first row, as a number; nil if there is none.
    func integer(_ sql: String) throws(DatabaseError) -> Int64? {
        let statement = try self.prepare(sql)
        return try statement.step() ? statement.integer(0) : nil
    }

    /// How many rows the last statement changed.
    var changedRows: Int32 { unsafe sqlite3_changes(self.handle) }

    /// The key of the row that was inserted last.
    var lastRow: Int64 { unsafe sqlite3_last_insert_rowid(self.handle) }

    /// What the last call said.
    fileprivate func error(_ code: Int32, _ sql: String) -> DatabaseError {
        DatabaseError(
            code: code,
            text: "\(unsafe String(cString: sqlite3_errmsg(self.handle))) at '\(sql)'"
        )
    }
}

/// A compiled statement with the values bound to it.
///
/// `@safe`: the handle is private, and lives as long as the object; its connection too.
@safe
final class Statement {
    private let handle: OpaquePointer
    private let database: Database

    fileprivate init(_ handle: OpaquePointer, of database: Database) {
        unsafe self.handle = handle
        self.database = database
    }

    deinit {
        unsafe sqlite3_finalize(self.handle)
    }

    /// Binds a number to the parameter `index`, from 1 on.
    func bind(_ index: Int32, _ value: Int64) throws(DatabaseError) {
        try self.check(unsafe sqlite3_bind_int64(self.handle, index, value))
    }

    /// Binds a number that is below 2^63: a packet's, a time, a count.
    func bind(_ index: Int32, _ value: UInt64) throws(DatabaseError) {
        try self.bind(index, Int64(clamping: value))
    }

    /// Binds NULL.
    func bindNull(_ index: Int32) throws(DatabaseError) {
        try self.check(unsafe sqlite3_bind_null(self.handle, index))
    }

    /// Binds bytes, which are copied.
    func bind(_ index: Int32, _ bytes: Span<UInt8>) throws(DatabaseError) {
        // SQLite reads the bytes of the span inside the call.
        let code = unsafe bytes.withUnsafeBytes { buffer in
            unsafe relay_sqlite_bind_bytes(
                self.handle,
                index,
                buffer.baseAddress,
                Int32(clamping: buffer.count)
            )
        }
        try self.check(code)
    }

    /// Binds bytes, which are copied.
    func bind(_ index: Int32, _ bytes: [UInt8]) throws(DatabaseError) {
        try self.bind(index, bytes.span)
    }

    /// Goes to the next row; false behind the last one.
    func step() throws(DatabaseError) -> Bool {
        switch unsafe sqlite3_step(self.handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw self.error(code)
        }
    }

    /// Runs a statement that gives no rows, once.
    func run() throws(DatabaseError) {
        defer { self.reset() }
        _ = try self.step()
    }

    /// Makes the statement ready for other values.
    func reset() {
        unsafe sqlite3_reset(self.handle)
        unsafe sqlite3_clear_bindings(self.handle)
    }

    /// A number of the row.
    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(self.handle, column) }

    /// A number of the row that is never negative: a damaged one is 0.
    func unsigned(_ column: Int32) -> UInt64 { UInt64(clamping: self.integer(column)) }

    /// Whether the row has NULL there.
    func isNull(_ column: Int32) -> Bool {
        unsafe sqlite3_column_type(self.handle, column) == SQLITE_NULL
    }

    /// Bytes of the row, copied; text as UTF-8.
    func bytes(_ column: Int32) -> [UInt8] {
        let start = unsafe sqlite3_column_blob(self.handle, column)
        let count = Int(unsafe sqlite3_column_bytes(self.handle, column))
        guard let start = unsafe start, count > 0 else { return [] }
        // The pointer is good until the next call on the statement, and the copy is made before.
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// How many columns its rows have.
    var columnCount: Int32 { unsafe sqlite3_column_count(self.handle) }

    /// Runs with all values of another statement's row; false if no row was changed by it.
    func copyRow(of other: Statement) throws(DatabaseError) -> Bool {
        for column in 0..<other.columnCount {
            // The value is only read inside the call, which copies it.
            let value = unsafe sqlite3_column_value(other.handle, column)
            try self.check(unsafe sqlite3_bind_value(self.handle, column + 1, value))
        }
        try self.run()
        return self.database.changedRows > 0
    }

    private func check(_ code: Int32) throws(DatabaseError) {
        if code != SQLITE_OK { throw self.error(code) }
    }

    private func error(_ code: Int32) -> DatabaseError {
        self.database.error(code, unsafe String(cString: sqlite3_sql(self.handle)))
    }
}
