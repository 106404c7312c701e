#include "PowerCut.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// MARK: Images

/// The bytes of a file; behind the end all are 0.
struct image {
    unsigned char *bytes;
    size_t count;
    size_t capacity;
};

static void image_resize(struct image *image, size_t count) {
    if (count > image->capacity) {
        size_t capacity = image->capacity < 65536 ? 65536 : image->capacity;
        while (capacity < count) capacity *= 2;
        image->bytes = realloc(image->bytes, capacity);
        if (!image->bytes) abort();
        memset(image->bytes + image->capacity, 0, capacity - image->capacity);
        image->capacity = capacity;
    }
    if (count < image->count) memset(image->bytes + count, 0, image->count - count);
    image->count = count;
}

static void image_write(struct image *image, const void *bytes, size_t count, size_t offset) {
    if (offset + count > image->count) image_resize(image, offset + count);
    memcpy(image->bytes + offset, bytes, count);
}

/// Copies the sector at `offset`, as much of it as the source has.
static void image_copy_sector(struct image *to, const struct image *from, size_t offset) {
    if (offset >= from->count) return;
    size_t left = from->count - offset;
    size_t count = left < power_cut_sector ? left : power_cut_sector;
    image_write(to, from->bytes + offset, count, offset);
}

static void image_read_sector(const struct image *image, size_t offset, unsigned char *sector) {
    memset(sector, 0, power_cut_sector);
    if (offset >= image->count) return;
    size_t left = image->count - offset;
    memcpy(sector, image->bytes + offset, left < power_cut_sector ? left : power_cut_sector);
}

// MARK: Disks

/// One file of a disk, which stays when it is deleted.
struct content {
    struct content *next;
    char name[64];
    struct image written;
    struct image synced;
    /// What has changed since the last sync lies between these offsets.
    size_t dirty_start;
    size_t dirty_end;
    /// Whether the file is there for programs, and whether it is for the disk.
    int is_there;
    int has_synced_name;
};

struct power_cut_disk {
    struct power_cut_disk *next;
    char folder[256];
    struct content *contents;
    uint64_t random;
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

/// SplitMix64.
static uint64_t next_random(power_cut_disk *disk) {
    uint64_t mixed = disk->random += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
}

/// The disk that a path lies on; the path's name in the folder.
static power_cut_disk *disk_of(const char *path, const char **name) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash) return NULL;
    size_t count = (size_t)(slash - path);
    pthread_mutex_lock(&guard);
    power_cut_disk *disk = disks;
    while (disk && (strlen(disk->folder) != count || memcmp(disk->folder, path, count) != 0)) {
        disk = disk->next;
    }
    pthread_mutex_unlock(&guard);
    *name = slash + 1;
    return disk;
}

static struct content *content_named(power_cut_disk *disk, const char *name) {
    struct content *content = disk->contents;
    while (content && strcmp(content->name, name) != 0) content = content->next;
    return content;
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
    struct content *content;
};

static sqlite3_file *real_file(sqlite3_file *file) {
    return (sqlite3_file *)((char *)file + sizeof(struct cut_file));
}

#define FORWARD(file, method, ...) real_file(file)->pMethods->method(real_file(file), ##__VA_ARGS__)

static void mark_dirty(struct content *content, size_t start, size_t end) {
    if (content->dirty_start == content->dirty_end) {
        content->dirty_start = start;
        content->dirty_end = end;
        return;
    }
    if (start < content->dirty_start) content->dirty_start = start;
    if (end > content->dirty_end) content->dirty_end = end;
}

static int cut_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    struct cut_file *own = (struct cut_file *)file;
    if (own->disk->is_off) return SQLITE_CORRUPT;
    int fails = fails_at_next(own->disk);
    if (own->disk->writes_to_fail > 0 && !fails) {
        own->disk->writes_to_fail--;
        return SQLITE_FULL;
    }
    image_write(&own->content->written, bytes, (size_t)count, (size_t)offset);
    mark_dirty(own->content, (size_t)offset, (size_t)offset + (size_t)count);
    return fails ? SQLITE_CORRUPT : FORWARD(file, xWrite, bytes, count, offset);
}

static int cut_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct cut_file *own = (struct cut_file *)file;
    if (own->disk->is_off) return SQLITE_CORRUPT;
    int fails = fails_at_next(own->disk);
    mark_dirty(own->content, (size_t)size, own->content->written.count);
    image_resize(&own->content->written, (size_t)size);
    return fails ? SQLITE_CORRUPT : FORWARD(file, xTruncate, size);
}

/// Takes what is dirty over into the image of what was synced: all of it, or of each sector chance.
static void sync_content(power_cut_disk *disk, struct content *content, int is_whole) {
    size_t start = content->dirty_start / power_cut_sector * power_cut_sector;
    for (size_t offset = start; offset < content->dirty_end; offset += power_cut_sector) {
        if (is_whole || next_random(disk) & 1) {
            image_copy_sector(&content->synced, &content->written, offset);
        }
    }
    if (is_whole) image_resize(&content->synced, content->written.count);
    content->dirty_start = content->dirty_end = 0;
}

static void sync_names(power_cut_disk *disk) {
    for (struct content *content = disk->contents; content; content = content->next) {
        content->has_synced_name = content->is_there;
    }
}

static int cut_sync(sqlite3_file *file, int flags) {
    (void)flags;
    struct cut_file *own = (struct cut_file *)file;
    if (own->disk->is_off || fails_at_next(own->disk)) return SQLITE_CORRUPT;
    if (own->disk->ignores_syncs) return SQLITE_OK;
    if (own->disk->syncs_to_fail > 0) {
        own->disk->syncs_to_fail--;
        sync_content(own->disk, own->content, 0);
        return SQLITE_IOERR_FSYNC;
    }
    sync_content(own->disk, own->content, 1);
    // SQLite syncs the folder with the first sync of a new journal, and so the names of all files.
    int syncs_folder = !own->content->has_synced_name && strchr(own->content->name, '-');
    own->content->has_synced_name = 1;
    if (syncs_folder) sync_names(own->disk);
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

/// The content of a file that is opened; a new one is empty, and its name not synced.
static struct content *content_opened(power_cut_disk *disk, const char *name, const char *path) {
    struct content *content = content_named(disk, name);
    if (content && content->is_there) return content;
    if (!content) {
        content = calloc(1, sizeof *content);
        if (!content) abort();
        snprintf(content->name, sizeof content->name, "%s", name);
        content->next = disk->contents;
        disk->contents = content;
    }
    content->is_there = 1;
    content->has_synced_name = 0;
    content->dirty_start = content->dirty_end = 0;
    image_resize(&content->written, 0);
    image_resize(&content->synced, 0);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return content;
    unsigned char bytes[65536];
    for (ssize_t count; (count = read(file, bytes, sizeof bytes)) > 0;) {
        image_write(&content->written, bytes, (size_t)count, content->written.count);
        content->has_synced_name = 1;
    }
    close(file);
    image_write(&content->synced, content->written.bytes, content->written.count, 0);
    return content;
}

static int cut_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *given) {
    (void)vfs;
    const char *name;
    power_cut_disk *disk = disk_of(path, &name);
    if (!disk) return real->xOpen(real, path, file, flags, given);
    struct cut_file *own = (struct cut_file *)file;
    memset(own, 0, sizeof *own);
    if (disk->is_off) return SQLITE_CORRUPT;
    own->disk = disk;
    own->content = content_opened(disk, name, path);
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
    struct content *content = content_named(disk, name);
    if (content) {
        content->is_there = 0;
    }
    if (syncs_folder && !disk->ignores_syncs) sync_names(disk);
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
    snprintf(disk->folder, sizeof disk->folder, "%s", folder);
    disk->random = seed;
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
    while (disk->contents) {
        struct content *content = disk->contents;
        disk->contents = content->next;
        free(content->written.bytes);
        free(content->synced.bytes);
        free(content);
    }
    free(disk);
}

void power_cut_disk_cut_after(power_cut_disk *disk, int64_t operations) {
    disk->cut_at = operations < 0 ? -1 : disk->operations + operations;
}

int power_cut_disk_is_off(const power_cut_disk *disk) { return disk->is_off; }

int64_t power_cut_disk_operations(const power_cut_disk *disk) { return disk->operations; }

void power_cut_disk_ignore_syncs(power_cut_disk *disk, int ignore) { disk->ignores_syncs = ignore; }

void power_cut_disk_fail_syncs(power_cut_disk *disk, int count) { disk->syncs_to_fail = count; }

void power_cut_disk_fail_writes(power_cut_disk *disk, int count) { disk->writes_to_fail = count; }

/// How a power cut treats the sectors that were not synced.
enum fate { all_lost, all_kept, each_by_chance, fates };

/// What is found in a sector that was `old` when it was synced last, and should become `new`.
static void tear(
    power_cut_disk *disk,
    enum fate fate,
    const unsigned char *old,
    const unsigned char *new,
    unsigned char *found
) {
    memcpy(found, fate == all_kept ? new : old, power_cut_sector);
    if (fate != each_by_chance) return;
    uint64_t chance = next_random(disk);
    size_t part = (chance >> 8) % power_cut_sector;
    switch (chance % 4) {
    case 0: break;
    case 1: memcpy(found, new, power_cut_sector); break;
    case 2: memcpy(found, new, part); break;
    default: memcpy(found + part, new + part, power_cut_sector - part);
    }
}

/// What the disk has of a file.
static struct image image_found(power_cut_disk *disk, struct content *content, enum fate fate) {
    size_t old_count = content->synced.count;
    size_t new_count = content->written.count;
    size_t count = fate == all_lost || (fate == each_by_chance && next_random(disk) & 1)
        ? old_count : new_count;
    struct image found = {0};
    image_resize(&found, count);
    for (size_t offset = 0; offset < count; offset += power_cut_sector) {
        unsigned char old[power_cut_sector], new[power_cut_sector], torn[power_cut_sector];
        image_read_sector(&content->synced, offset, old);
        image_read_sector(&content->written, offset, new);
        if (memcmp(old, new, power_cut_sector) == 0) {
            memcpy(torn, old, power_cut_sector);
        } else {
            tear(disk, fate, old, new, torn);
        }
        size_t left = count - offset;
        image_write(&found, torn, left < power_cut_sector ? left : power_cut_sector, offset);
    }
    return found;
}

static void write_file(const char *path, const struct image *image) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) abort();
    ssize_t count = (ssize_t)image->count;
    if (count > 0 && write(file, image->bytes, image->count) != count) abort();
    close(file);
}

void power_cut_disk_copy(const power_cut_disk *disk, const char *folder) {
    for (const struct content *content = disk->contents; content; content = content->next) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, content->name);
        if (content->is_there) {
            write_file(path, &content->written);
        } else {
            unlink(path);
        }
        snprintf(path, sizeof path, "%s/%s-shm", folder, content->name);
        unlink(path);
    }
}

void power_cut_disk_restore(power_cut_disk *disk) {
    enum fate fate = (enum fate)(next_random(disk) % fates);
    for (struct content *content = disk->contents; content; content = content->next) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", disk->folder, content->name);
        // One that was deleted comes back if that was not synced, one that was made goes.
        int is_found = content->is_there == content->has_synced_name
            ? content->is_there
            : fate == all_kept ? content->is_there
            : fate == all_lost ? content->has_synced_name
                               : (int)(next_random(disk) & 1);
        struct image found = is_found ? image_found(disk, content, fate) : (struct image){0};
        if (is_found) {
            write_file(path, &found);
        } else {
            unlink(path);
        }
        free(content->written.bytes);
        content->written = found;
        image_resize(&content->synced, 0);
        if (found.count > 0) image_write(&content->synced, found.bytes, found.count, 0);
        content->is_there = content->has_synced_name = is_found;
        content->dirty_start = content->dirty_end = 0;
        snprintf(path, sizeof path, "%s/%s-shm", disk->folder, content->name);
        unlink(path);
    }
    disk->is_off = 0;
    disk->cut_at = -1;
    disk->writes_to_fail = 0;
    disk->syncs_to_fail = 0;
}
