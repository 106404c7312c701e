#pragma once

#include <stdint.h>

// A disk for SQLite whose power can be cut at any write, sync, truncation or deletion: what was not
// synced by then is there afterwards, or not, or half, sector by sector, as a seed says.
//
// SQLite's own disk does the work, without its syncs; beside each file two images are kept, of what
// was written and of what was synced. The name of a file is safe with its first sync, which not
// every file system does. Locks and the shared memory of a WAL are SQLite's own. A disk is for one thread
// at a time.

typedef struct power_cut_disk power_cut_disk;

/// Has SQLite keep the files of a folder on a new disk; the folder holds no database yet, or one
/// that counts as synced.
power_cut_disk *power_cut_disk_make(const char *folder, uint64_t seed);

/// Forgets a disk whose files are all closed.
void power_cut_disk_free(power_cut_disk *disk);

/// The power fails at the operation with this number from now on, the next being 0; negative: not.
///
/// A write arrives as far as the sectors say, a sync has no effect. From then on every change fails
/// as in a damaged file, which nobody tries twice.
void power_cut_disk_cut_after(power_cut_disk *disk, int64_t operations);

/// Whether the power is off.
int power_cut_disk_is_off(const power_cut_disk *disk);

/// Once all files are closed: has the folder hold what the power cut has left, and the power on.
void power_cut_disk_restore(power_cut_disk *disk);

/// Writes the files as programs see them now to another folder.
void power_cut_disk_copy(const power_cut_disk *disk, const char *folder);

/// Has syncs do nothing from now on, and say that they did.
void power_cut_disk_ignore_syncs(power_cut_disk *disk, int ignore);

/// Has the next `count` syncs fail, as Linux does it: what was to be synced may be on the disk or
/// not, is read as if it was, and will never be synced unless it is written again.
void power_cut_disk_fail_syncs(power_cut_disk *disk, int count);

/// Has the next `count` writes fail as on a full disk.
void power_cut_disk_fail_writes(power_cut_disk *disk, int count);
