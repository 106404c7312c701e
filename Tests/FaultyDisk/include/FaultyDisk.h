#pragma once

// A disk for SQLite that fails when a test says so: SQLite's own, with two calls in between.
// Concerns files whose path contains "relay-faulty".

/// Has SQLite use it from now on, for every file that is opened.
void faulty_disk_register(void);

/// Has the next `count` syncs fail with EIO, after they have written.
void faulty_disk_fail_syncs(int count);

/// Has every write fail as on a full disk, or not any more.
void faulty_disk_be_full(int is_full);

/// Has every sync wait before it begins, or not any more.
void faulty_disk_hold_syncs(int hold);

/// Returns when a sync waits.
void faulty_disk_await_held_sync(void);

/// How many syncs and writes have failed.
int faulty_disk_failures(void);
