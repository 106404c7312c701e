#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

int relay_accept(int descriptor, struct sockaddr *peer, socklen_t *length) {
    return accept4(descriptor, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int relay_name_thread(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}

int relay_open_for_append(const char *path, unsigned int mode) {
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, mode);
}

int relay_processor_count(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

int relay_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int relay_sealed_memory(const char *name, const void *bytes, size_t count) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -1;
    size_t written = 0;
    while (written < count) {
        ssize_t result = write(descriptor, (const char *)bytes + written, count - written);
        if (result < 0 && errno == EINTR) continue;
        if (result <= 0) goto failed;
        written += (size_t)result;
    }
    if (fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0) {
        return descriptor;
    }
failed:;
    int reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
}

static _Thread_local void *thread_pointer;

void *relay_thread_pointer(void) { return thread_pointer; }

void relay_set_thread_pointer(void *pointer) { thread_pointer = pointer; }
