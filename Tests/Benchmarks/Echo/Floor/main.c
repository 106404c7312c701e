// The floor under EchoEngine: the same echo in a bare epoll loop, and the load for both.
//
//   EchoFloor serve CONNECTIONS        prints its port, serves that many connections, ends
//   EchoFloor load PORT CONNECTIONS ROUNDS

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { message_bytes = 64, events_max = 256, buffer_bytes = 65536 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void serve(int connections) {
    static char buffer[buffer_bytes];
    struct epoll_event events[events_max];
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4096))
        fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    int epoll = epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted);
    while (connections > 0) {
        int count = epoll_wait(epoll, events, events_max, -1);
        for (int i = 0; i < count; i++) {
            int descriptor = events[i].data.fd;
            if (descriptor == listener) {
                int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (accepted < 0) continue;
                wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
                wanted.data.fd = accepted;
                epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &wanted);
                continue;
            }
            if (!(events[i].events & EPOLLIN)) continue;
            ssize_t received = recv(descriptor, buffer, sizeof buffer, 0);
            if (received > 0) {
                send(descriptor, buffer, received, MSG_NOSIGNAL);
            } else if (received == 0 || errno != EAGAIN) {
                close(descriptor);
                connections--;
            }
        }
    }
}

static void load(int port, int connections, int rounds) {
    int *sockets = calloc(connections, sizeof *sockets);
    char message[message_bytes] = {0};
    struct sockaddr_in address = loopback(port);
    if (!sockets) fail("calloc");
    for (int i = 0; i < connections; i++) {
        sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sockets[i], (struct sockaddr *)&address, sizeof address)) fail("connect");
    }
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < connections; i++)
            if (send(sockets[i], message, sizeof message, 0) != sizeof message) fail("send");
        for (int i = 0; i < connections; i++)
            if (recv(sockets[i], message, sizeof message, MSG_WAITALL) != sizeof message)
                fail("recv");
    }
    for (int i = 0; i < connections; i++) close(sockets[i]);
    free(sockets);
}

int main(int count, char **arguments) {
    if (count == 3 && !strcmp(arguments[1], "serve")) {
        serve(atoi(arguments[2]));
    } else if (count == 5 && !strcmp(arguments[1], "load")) {
        load(atoi(arguments[2]), atoi(arguments[3]), atoi(arguments[4]));
    } else {
        fprintf(stderr, "usage: EchoFloor serve CONNECTIONS | load PORT CONNECTIONS ROUNDS\n");
        return 2;
    }
    return 0;
}
