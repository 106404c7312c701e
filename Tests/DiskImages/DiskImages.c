#include "DiskImages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// MARK: Images

static void resize(struct disk_image *image, size_t count) {
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

static void put(struct disk_image *image, const void *bytes, size_t count, size_t offset) {
    if (count == 0) return;
    if (offset + count > image->count) resize(image, offset + count);
    memcpy(image->bytes + offset, bytes, count);
}

/// How much of the sector at an offset an image has.
static size_t count_in_sector(size_t count, size_t offset) {
    if (offset >= count) return 0;
    return count - offset < disk_sector ? count - offset : disk_sector;
}

static void read_sector(const struct disk_image *image, size_t offset, unsigned char *sector) {
    memset(sector, 0, disk_sector);
    size_t count = count_in_sector(image->count, offset);
    if (count > 0) memcpy(sector, image->bytes + offset, count);
}

/// SplitMix64.
static uint64_t next_random(struct disk_images *images) {
    uint64_t mixed = images->random += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
}

// MARK: Files

struct disk_file *disk_file_named(struct disk_images *images, const char *name) {
    struct disk_file *file = images->files;
    while (file && strcmp(file->name, name) != 0) file = file->next;
    return file;
}

struct disk_file *disk_file_opened(struct disk_images *images, const char *name) {
    struct disk_file *file = disk_file_named(images, name);
    if (file && file->is_there) return file;
    if (!file) {
        file = calloc(1, sizeof *file);
        if (!file) abort();
        snprintf(file->name, sizeof file->name, "%s", name);
        file->next = images->files;
        images->files = file;
    }
    file->is_there = 1;
    file->has_synced_name = 0;
    file->dirty_start = file->dirty_end = 0;
    resize(&file->written, 0);
    resize(&file->synced, 0);
    char path[512];
    snprintf(path, sizeof path, "%s/%s", images->folder, name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return file;
    unsigned char bytes[65536];
    for (ssize_t count; (count = read(descriptor, bytes, sizeof bytes)) > 0;) {
        put(&file->written, bytes, (size_t)count, file->written.count);
        file->has_synced_name = 1;
    }
    close(descriptor);
    put(&file->synced, file->written.bytes, file->written.count, 0);
    return file;
}

static void mark_dirty(struct disk_file *file, size_t start, size_t end) {
    if (file->dirty_start == file->dirty_end) {
        file->dirty_start = start;
        file->dirty_end = end;
        return;
    }
    if (start < file->dirty_start) file->dirty_start = start;
    if (end > file->dirty_end) file->dirty_end = end;
}

void disk_file_written(struct disk_file *file, const void *bytes, size_t count, size_t offset) {
    put(&file->written, bytes, count, offset);
    mark_dirty(file, offset, offset + count);
}

void disk_file_truncated(struct disk_file *file, size_t count) {
    mark_dirty(file, count, file->written.count > count ? file->written.count : count);
    resize(&file->written, count);
}

static void copy_sector(struct disk_file *file, size_t offset) {
    size_t count = count_in_sector(file->written.count, offset);
    put(&file->synced, file->written.bytes + offset, count, offset);
}

void disk_file_synced(struct disk_file *file) {
    size_t start = file->dirty_start / disk_sector * disk_sector;
    for (size_t offset = start; offset < file->dirty_end; offset += disk_sector) {
        copy_sector(file, offset);
    }
    resize(&file->synced, file->written.count);
    file->dirty_start = file->dirty_end = 0;
    file->has_synced_name = 1;
}

void disk_file_sync_failed(struct disk_images *images, struct disk_file *file) {
    size_t start = file->dirty_start / disk_sector * disk_sector;
    for (size_t offset = start; offset < file->dirty_end; offset += disk_sector) {
        if (next_random(images) & 1) copy_sector(file, offset);
    }
    file->dirty_start = file->dirty_end = 0;
}

void disk_names_synced(struct disk_images *images) {
    for (struct disk_file *file = images->files; file; file = file->next) {
        file->has_synced_name = file->is_there;
    }
}

// MARK: A power cut

/// How a power cut treats the sectors that were not synced.
enum fate { all_lost, all_kept, each_by_chance, fates };

/// What is found in a sector that was `old` when it was synced last, and should become `new`.
static void tear(
    struct disk_images *images,
    enum fate fate,
    const unsigned char *old,
    const unsigned char *new,
    unsigned char *found
) {
    memcpy(found, fate == all_kept ? new : old, disk_sector);
    if (fate != each_by_chance || memcmp(old, new, disk_sector) == 0) return;
    uint64_t chance = next_random(images);
    size_t part = (chance >> 8) % disk_sector;
    switch (chance % 4) {
    case 0: break;
    case 1: memcpy(found, new, disk_sector); break;
    case 2: memcpy(found, new, part); break;
    default: memcpy(found + part, new + part, disk_sector - part);
    }
}

/// What the disk has of a file.
static struct disk_image found_image(
    struct disk_images *images,
    const struct disk_file *file,
    enum fate fate
) {
    int is_old = fate == all_lost || (fate == each_by_chance && next_random(images) & 1);
    size_t count = is_old ? file->synced.count : file->written.count;
    struct disk_image found = {0};
    resize(&found, count);
    for (size_t offset = 0; offset < count; offset += disk_sector) {
        unsigned char old[disk_sector], new[disk_sector], torn[disk_sector];
        read_sector(&file->synced, offset, old);
        read_sector(&file->written, offset, new);
        tear(images, fate, old, new, torn);
        put(&found, torn, count_in_sector(count, offset), offset);
    }
    return found;
}

/// Whether the disk has a file: one that was deleted comes back if that was not synced, one that
/// was made goes.
static int is_found(struct disk_images *images, const struct disk_file *file, enum fate fate) {
    if (file->is_there == file->has_synced_name || fate == all_kept) return file->is_there;
    return fate == all_lost ? file->has_synced_name : (int)(next_random(images) & 1);
}

static void write_file(const char *path, const struct disk_image *image) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) abort();
    for (size_t done = 0; done < image->count;) {
        ssize_t count = write(descriptor, image->bytes + done, image->count - done);
        if (count < 0) abort();
        done += (size_t)count;
    }
    close(descriptor);
}

void disk_images_cut(struct disk_images *images) {
    enum fate fate = (enum fate)(next_random(images) % fates);
    for (struct disk_file *file = images->files; file; file = file->next) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", images->folder, file->name);
        int is_there = is_found(images, file, fate);
        struct disk_image found = {0};
        if (is_there) {
            found = found_image(images, file, fate);
            write_file(path, &found);
        } else {
            unlink(path);
        }
        free(file->written.bytes);
        file->written = found;
        resize(&file->synced, 0);
        put(&file->synced, found.bytes, found.count, 0);
        file->is_there = file->has_synced_name = is_there;
        file->dirty_start = file->dirty_end = 0;
        snprintf(path, sizeof path, "%s/%s-shm", images->folder, file->name);
        unlink(path);
    }
}

void disk_images_copy(const struct disk_images *images, const char *folder) {
    for (const struct disk_file *file = images->files; file; file = file->next) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, file->name);
        if (file->is_there) {
            write_file(path, &file->written);
        } else {
            unlink(path);
        }
    }
}

void disk_images_free(struct disk_images *images) {
    while (images->files) {
        struct disk_file *file = images->files;
        images->files = file->next;
        free(file->written.bytes);
        free(file->synced.bytes);
        free(file);
    }
}
