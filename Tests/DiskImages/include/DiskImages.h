#pragma once

#include <stddef.h>
#include <stdint.h>

// What programs have written to the files of a folder, and what of it a disk would have after a
// power cut: of each sector that was not synced the old bytes, the new ones, or some of each.

/// The sectors that are lost, kept or torn one by one, in bytes.
enum { disk_sector = 512 };

/// The bytes of a file; behind the end all are 0.
struct disk_image {
    unsigned char *bytes;
    size_t count;
    size_t capacity;
};

/// One file, which stays when it is deleted.
struct disk_file {
    struct disk_file *next;
    char name[64];
    struct disk_image written;
    struct disk_image synced;
    /// What has changed since the last sync lies between these offsets.
    size_t dirty_start;
    size_t dirty_end;
    /// Whether the file is there for programs, and whether it is for the disk.
    int is_there;
    int has_synced_name;
};

/// The files of a folder. All 0 but for the folder and the seed is a new one.
struct disk_images {
    char folder[256];
    uint64_t random;
    struct disk_file *files;
};

/// The file with this name, read as synced if it is there and was not known; a new one is empty.
struct disk_file *disk_file_opened(struct disk_images *images, const char *name);

/// The file with this name, if it is known.
struct disk_file *disk_file_named(struct disk_images *images, const char *name);

void disk_file_written(struct disk_file *file, const void *bytes, size_t count, size_t offset);
void disk_file_truncated(struct disk_file *file, size_t count);

/// Everything of the file is on the disk now.
void disk_file_synced(struct disk_file *file);

/// A sync has failed, as it does on Linux: what was to be synced is on the disk or not, and nobody
/// tries again.
void disk_file_sync_failed(struct disk_images *images, struct disk_file *file);

/// What files there are is on the disk now.
void disk_names_synced(struct disk_images *images);

/// Has the folder hold what is left after a power cut.
void disk_images_cut(struct disk_images *images);

/// Writes the files as programs see them to another folder.
void disk_images_copy(const struct disk_images *images, const char *folder);

/// Frees what is kept.
void disk_images_free(struct disk_images *images);
