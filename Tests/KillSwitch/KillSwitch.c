#define _GNU_SOURCE
#include "KillSwitch.h"

#include "DiskImages.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct disk_images images;
static long operations;
static long kill_at;
static int cuts_power;
static int ignores_syncs;

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_unlink)(const char *);

static void begin(void) {
    *(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    *(void **)&real_unlink = dlsym(RTLD_NEXT, "unlink");
    const char *folder = getenv("KILL_SWITCH_FOLDER");
    const char *at = getenv("KILL_SWITCH_AT");
    const char *seed = getenv("KILL_SWITCH_POWER");
    snprintf(images.folder, sizeof images.folder, "%s", folder ? folder : "");
    kill_at = at ? atol(at) : 0;
    cuts_power = seed != NULL;
    images.random = seed ? strtoull(seed, NULL, 10) : 0;
    ignores_syncs = getenv("KILL_SWITCH_UNSYNCED") != NULL;
}

/// The file of ours that a path names, if it is one.
static struct disk_file *file_at(const char *path) {
    size_t count = strlen(images.folder);
    if (count == 0 || strncmp(path, images.folder, count) != 0) return NULL;
    if (strncmp(path + count, "/relay.db", 9) != 0 || strstr(path, "-shm")) return NULL;
    return disk_file_opened(&images, path + count + 1);
}

/// The path that a descriptor was opened with.
static const char *path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, path, PATH_MAX - 1);
    path[count < 0 ? 0 : count] = 0;
    return path;
}

static struct disk_file *file_of(int descriptor) {
    char path[PATH_MAX];
    return file_at(path_of(descriptor, path));
}

/// Whether the program is to be killed at this operation.
static int is_last(void) { return ++operations == kill_at; }

/// Called with the lock held, so that nobody changes the files any more.
static void die(void) {
    if (cuts_power) disk_images_cut(&images);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    pthread_once(&once, begin);
    pthread_mutex_lock(&guard);
    struct disk_file *file = file_of(descriptor);
    int dies = file && is_last();
    // A process may be killed between two pages of a write.
    ssize_t result = real_pwrite(descriptor, bytes, dies ? count / 2 : count, offset);
    if (file && result > 0) {
        disk_file_written(file, bytes, dies ? count : (size_t)result, (size_t)offset);
    }
    if (dies) die();
    pthread_mutex_unlock(&guard);
    return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return pwrite64(descriptor, bytes, count, offset);
}

static int synced(int descriptor, int (*sync)(int)) {
    pthread_mutex_lock(&guard);
    char path[PATH_MAX];
    int is_folder = images.folder[0] && strcmp(path_of(descriptor, path), images.folder) == 0;
    struct disk_file *file = file_at(path);
    if ((file || is_folder) && is_last()) die();
    int result = (file || is_folder) && ignores_syncs ? 0 : sync(descriptor);
    if (result == 0 && !ignores_syncs && file) disk_file_synced(file);
    if (result == 0 && !ignores_syncs && is_folder) disk_names_synced(&images);
    pthread_mutex_unlock(&guard);
    return result;
}

int fdatasync(int descriptor) {
    pthread_once(&once, begin);
    return synced(descriptor, real_fdatasync);
}

int fsync(int descriptor) {
    pthread_once(&once, begin);
    return synced(descriptor, real_fsync);
}

int ftruncate64(int descriptor, off64_t count) {
    pthread_once(&once, begin);
    pthread_mutex_lock(&guard);
    struct disk_file *file = file_of(descriptor);
    if (file && is_last()) die();
    int result = real_ftruncate(descriptor, count);
    if (file && result == 0) disk_file_truncated(file, (size_t)count);
    pthread_mutex_unlock(&guard);
    return result;
}

int ftruncate(int descriptor, off_t count) { return ftruncate64(descriptor, count); }

/// The thread that dies deletes files itself.
static int is_dying(void) { return kill_at > 0 && operations == kill_at; }

int unlink(const char *path) {
    pthread_once(&once, begin);
    if (is_dying()) return real_unlink(path);
    pthread_mutex_lock(&guard);
    struct disk_file *file = file_at(path);
    if (file && is_last()) die();
    int result = real_unlink(path);
    if (file && (result == 0 || errno == ENOENT)) file->is_there = 0;
    pthread_mutex_unlock(&guard);
    return result;
}
