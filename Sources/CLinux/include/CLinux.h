#ifndef RELAY_CLINUX_H
#define RELAY_CLINUX_H

// What Linux offers and Swift's Glibc module does not: headers that it leaves out, and variadic
// functions, which Swift cannot call.

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <linux/sockios.h>

/// ioctl(2) with a pointer to an int, which covers SIOCOUTQ and FIONREAD.
static inline int relay_ioctl_int(int descriptor, unsigned long request, int *value) {
    return ioctl(descriptor, request, value);
}

#endif
