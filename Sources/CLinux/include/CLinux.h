#ifndef RELAY_CLINUX_H
#define RELAY_CLINUX_H

// What Linux offers and Swift's Glibc module does not: headers that it leaves out, and variadic
// functions and macros, which Swift cannot call.

#include <malloc.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <linux/sockios.h>

/// ioctl(2) with a pointer to an int, which covers SIOCOUTQ and FIONREAD.
static inline int relay_ioctl_int(int descriptor, unsigned long request, int *value) {
    return ioctl(descriptor, request, value);
}

/// accept4(2) of a non-blocking descriptor that is closed on exec (a GNU extension, which Swift's
/// Glibc leaves out).
int relay_accept(int descriptor, struct sockaddr *peer, socklen_t *length);

/// pthread_setname_np(3), a GNU extension.
int relay_name_thread(pthread_t thread, const char *name);

/// open(2) of a log file: append, create, close on exec.
int relay_open_for_append(const char *path, unsigned int mode);

/// How many processors this process may run on, at least 1 (CPU_COUNT is a macro).
int relay_processor_count(void);

/// pipe2(2) of two ends that are closed on exec (a GNU extension).
int relay_pipe(int ends[2]);

/// A descriptor of memory that holds these bytes and that nobody can change any more (memfd_create(2), a GNU
/// extension; the seals are macros), closed on exec; -1 and errno if there is none.
int relay_sealed_memory(const char *name, const void *bytes, size_t count);

/// A pointer of the calling thread's own, NULL at first: what plugin code is running on it (Swift has no
/// variables of a thread).
void *relay_thread_pointer(void);

/// Sets it.
void relay_set_thread_pointer(void *pointer);

#endif
