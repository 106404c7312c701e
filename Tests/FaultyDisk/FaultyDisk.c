#include "FaultyDisk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

static sqlite3_vfs *real;
static sqlite3_vfs faulty;

// SQLite has one table of methods for databases and one for journals.
enum { tables = 4 };
static const sqlite3_io_methods *real_methods[tables];
static sqlite3_io_methods faulty_methods[tables];
static atomic_int syncs_to_fail;
static atomic_int is_full;
static atomic_int failures;

static pthread_mutex_t holding = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t held_changed = PTHREAD_COND_INITIALIZER;
static int holds_syncs;
static int syncs_held;

static const sqlite3_io_methods *methods_of(sqlite3_file *file) {
    return real_methods[file->pMethods - faulty_methods];
}

static void wait_while_held(void) {
    pthread_mutex_lock(&holding);
    syncs_held++;
    pthread_cond_broadcast(&held_changed);
    while (holds_syncs) pthread_cond_wait(&held_changed, &holding);
    syncs_held--;
    pthread_mutex_unlock(&holding);
}

static int faulty_sync(sqlite3_file *file, int flags) {
    wait_while_held();
    int code = methods_of(file)->xSync(file, flags);
    int left = atomic_load(&syncs_to_fail);
    while (left > 0) {
        if (atomic_compare_exchange_weak(&syncs_to_fail, &left, left - 1)) {
            atomic_fetch_add(&failures, 1);
            return SQLITE_IOERR_FSYNC;
        }
    }
    return code;
}

static int faulty_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    if (atomic_load(&is_full)) {
        atomic_fetch_add(&failures, 1);
        return SQLITE_FULL;
    }
    return methods_of(file)->xWrite(file, bytes, count, offset);
}

static int faulty_open(
    sqlite3_vfs *vfs,
    const char *name,
    sqlite3_file *file,
    int flags,
    int *given
) {
    (void)vfs;
    int code = real->xOpen(real, name, file, flags, given);
    if (code != SQLITE_OK || !name || !strstr(name, "relay-faulty")) return code;
    for (int table = 0; table < tables; table++) {
        if (!real_methods[table]) {
            real_methods[table] = file->pMethods;
            faulty_methods[table] = *file->pMethods;
            faulty_methods[table].xSync = faulty_sync;
            faulty_methods[table].xWrite = faulty_write;
        }
        if (file->pMethods != real_methods[table]) continue;
        file->pMethods = &faulty_methods[table];
        break;
    }
    return code;
}

void faulty_disk_register(void) {
    if (real) return;
    real = sqlite3_vfs_find(0);
    faulty = *real;
    faulty.zName = "faulty";
    faulty.xOpen = faulty_open;
    sqlite3_vfs_register(&faulty, 1);
}

void faulty_disk_fail_syncs(int count) { atomic_store(&syncs_to_fail, count); }

void faulty_disk_be_full(int full) { atomic_store(&is_full, full); }

void faulty_disk_hold_syncs(int hold) {
    pthread_mutex_lock(&holding);
    holds_syncs = hold;
    pthread_cond_broadcast(&held_changed);
    pthread_mutex_unlock(&holding);
}

void faulty_disk_await_held_sync(void) {
    pthread_mutex_lock(&holding);
    while (!holds_syncs || !syncs_held) pthread_cond_wait(&held_changed, &holding);
    pthread_mutex_unlock(&holding);
}

int faulty_disk_failures(void) { return atomic_load(&failures); }
