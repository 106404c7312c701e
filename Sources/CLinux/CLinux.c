#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <sched.h>

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
