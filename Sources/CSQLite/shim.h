#include <sqlite3.h>

// Binds bytes that SQLite copies before it returns: SQLITE_TRANSIENT is a cast that Swift does not import.
static inline int relay_sqlite_bind_bytes(
    sqlite3_stmt *statement,
    int index,
    const void *bytes,
    int count
) {
    return count == 0 ? sqlite3_bind_zeroblob(statement, index, 0)
                      : sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}
