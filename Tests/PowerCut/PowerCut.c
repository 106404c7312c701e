#include "PowerCut.h"

#include "DiskImages.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct power_cut_disk {
    struct power_cut_disk *next;
    struct disk_images images;
    int64_t operations;
    int64_t cut_at;
    int is_off;
    int ignores_syncs;
    int syncs_to_fail;
    int writes_to_fail;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static power_cut_disk *disks;
static sqlite3_vfs *real;
static sqlite3_vfs cut;

/// The disk that a path lies on; the path's name in the folder.
static power_cut_disk *disk_of(const char *path, const char **name) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash) return NULL;
    size_t count = (size_t)(slash - path);
    pthread_mutex_lock(&guard);
    power_cut_disk *disk = disks;
    while (disk
           && (strlen(disk->images.folder) != count
               || memcmp(disk->images.folder, path, count) != 0)) {
        disk = disk->next;
    }
    pthread_mutex_unlock(&guard);
    *name = slash + 1;
    return disk;
}

/// Counts an operation; whether the power fails with it.
static int fails_at_next(power_cut_disk *disk) {
    int64_t number = disk->operations++;
    if (disk->cut_at >= 0 && number >= disk->cut_at) disk->is_off = 1;
    return disk->is_off;
}

// MARK: Files

/// SQLite's own file stands behind ours.
struct cut_file {
    sqlite3_file base;
    power_cut_disk *disk;
    struct disk_file *content;
};

static sqlite3_file *real_file(sqlite3_file *file) {
    return (sqlite3_file *)((char *)file + sizeof(struct cut_file));
}

#define FORWARD(file, method, ...) real_file(file)->pMethods->method(real_file(file), ##__VA_ARGS__)

static int cut_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    struct cut_file *own = (struct cut_file *)file;
    if (own->disk->is_off) return SQLITE_CORRUPT;
    int fails = fails_at_next(own->disk);
    if (own->disk->writes_to_fail > 0 && !fails) {
        own->disk->writes_to_fail--;
        return SQLITE_FULL;
    }
    disk_file_written(own->content, bytes, (size_t)count, (size_t)offset);
    return fails ? SQLITE_CORRUPT : FORWARD(file, xWrite, bytes, count, offset);
}

static int cut_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct cut_file *own = (struct cut_file *)file;
    if (own->disk->is_off) return SQLITE_CORRUPT;
    int fails = fails_at_next(own->disk);
    disk_file_truncated(own->content, (size_t)size);
    return fails ? SQLITE_CORRUPT : FORWARD(file, xTruncate, size);
}

static int cut_sync(sqlite3_file *file, int flags) {
    (void)flags;
    struct cut_file *own = (struct cut_file *)file;
    if (own->disk->is_off || fails_at_next(own->disk)) return SQLITE_CORRUPT;
    if (own->disk->ignores_syncs) return SQLITE_OK;
    if (own->disk->syncs_to_fail > 0) {
        own->disk->syncs_to_fail--;
        disk_file_sync_failed(&own->disk->images, own->content);
        return SQLITE_IOERR_FSYNC;
    }
    // SQLite syncs the folder with the first sync of a new journal, and so the names of all files.
    int syncs_folder = !own->content->has_synced_name && strchr(own->content->name, '-');
    disk_file_synced(own->content);
    if (syncs_folder) disk_names_synced(&own->disk->images);
    return SQLITE_OK;
}

static int cut_close(sqlite3_file *file) { return FORWARD(file, xClose); }
static int cut_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    return FORWARD(file, xRead, bytes, count, offset);
}
static int cut_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return FORWARD(file, xFileSize, size);
}
static int cut_lock(sqlite3_file *file, int level) { return FORWARD(file, xLock, level); }
static int cut_unlock(sqlite3_file *file, int level) { return FORWARD(file, xUnlock, level); }
static int cut_check_lock(sqlite3_file *file, int *is_locked) {
    return FORWARD(file, xCheckReservedLock, is_locked);
}
static int cut_control(sqlite3_file *file, int what, void *value) {
    return FORWARD(file, xFileControl, what, value);
}
static int cut_sector_size(sqlite3_file *file) { return FORWARD(file, xSectorSize); }
static int cut_device(sqlite3_file *file) { return FORWARD(file, xDeviceCharacteristics); }
static int cut_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **map) {
    return FORWARD(file, xShmMap, page, size, extend, map);
}
static int cut_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return FORWARD(file, xShmLock, offset, count, flags);
}
static void cut_shm_barrier(sqlite3_file *file) { FORWARD(file, xShmBarrier); }
static int cut_shm_unmap(sqlite3_file *file, int deletes) {
    return FORWARD(file, xShmUnmap, deletes);
}

// Version 2: without memory mapping.
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = cut_close,
    .xRead = cut_read,
    .xWrite = cut_write,
    .xTruncate = cut_truncate,
    .xSync = cut_sync,
    .xFileSize = cut_file_size,
    .xLock = cut_lock,
    .xUnlock = cut_unlock,
    .xCheckReservedLock = cut_check_lock,
    .xFileControl = cut_control,
    .xSectorSize = cut_sector_size,
    .xDeviceCharacteristics = cut_device,
    .xShmMap = cut_shm_map,
    .xShmLock = cut_shm_lock,
    .xShmBarrier = cut_shm_barrier,
    .xShmUnmap = cut_shm_unmap,
};

static int cut_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *given) {
    (void)vfs;
    const char *name;
    power_cut_disk *disk = disk_of(path, &name);
    if (!disk) return real->xOpen(real, path, file, flags, given);
    struct cut_file *own = (struct cut_file *)file;
    memset(own, 0, sizeof *own);
    if (disk->is_off) return SQLITE_CORRUPT;
    own->disk = disk;
    own->content = disk_file_opened(&disk->images, name);
    int code = real->xOpen(real, path, real_file(file), flags, given);
    if (real_file(file)->pMethods) own->base.pMethods = &methods;
    return code;
}

static int cut_delete(sqlite3_vfs *vfs, const char *path, int syncs_folder) {
    (void)vfs;
    const char *name;
    power_cut_disk *disk = disk_of(path, &name);
    if (!disk) return real->xDelete(real, path, syncs_folder);
    if (disk->is_off || fails_at_next(disk)) return SQLITE_IOERR_DELETE;
    struct disk_file *content = disk_file_named(&disk->images, name);
    if (content) content->is_there = 0;
    if (syncs_folder && !disk->ignores_syncs) disk_names_synced(&disk->images);
    return real->xDelete(real, path, 0);
}

// MARK: What a test calls

static void register_once(void) {
    real = sqlite3_vfs_find(0);
    cut = *real;
    cut.zName = "power-cut";
    cut.szOsFile = (int)sizeof(struct cut_file) + real->szOsFile;
    cut.xOpen = cut_open;
    cut.xDelete = cut_delete;
    sqlite3_vfs_register(&cut, 1);
}

power_cut_disk *power_cut_disk_make(const char *folder, uint64_t seed) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_once);
    power_cut_disk *disk = calloc(1, sizeof *disk);
    if (!disk) abort();
    snprintf(disk->images.folder, sizeof disk->images.folder, "%s", folder);
    disk->images.random = seed;
    disk->cut_at = -1;
    pthread_mutex_lock(&guard);
    disk->next = disks;
    disks = disk;
    pthread_mutex_unlock(&guard);
    return disk;
}

void power_cut_disk_free(power_cut_disk *disk) {
    pthread_mutex_lock(&guard);
    power_cut_disk **link = &disks;
    while (*link != disk) link = &(*link)->next;
    *link = disk->next;
    pthread_mutex_unlock(&guard);
    disk_images_free(&disk->images);
    free(disk);
}

void power_cut_disk_cut_after(power_cut_disk *disk, int64_t operations) {
    disk->cut_at = operations < 0 ? -1 : disk->operations + operations;
}

int power_cut_disk_is_off(const power_cut_disk *disk) { return disk->is_off; }

void power_cut_disk_ignore_syncs(power_cut_disk *disk, int ignore) { disk->ignores_syncs = ignore; }

void power_cut_disk_fail_syncs(power_cut_disk *disk, int count) { disk->syncs_to_fail = count; }

void power_cut_disk_fail_writes(power_cut_disk *disk, int count) { disk->writes_to_fail = count; }

void power_cut_disk_copy(const power_cut_disk *disk, const char *folder) {
    disk_images_copy(&disk->images, folder);
}

void power_cut_disk_restore(power_cut_disk *disk) {
    disk_images_cut(&disk->images);
    disk->is_off = 0;
    disk->cut_at = -1;
    disk->writes_to_fail = 0;
    disk->syncs_to_fail = 0;
}
