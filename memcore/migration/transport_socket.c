/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A transport over a stream socket (R-PC-50). */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>

#include "migration/migration.h"

typedef struct {
    int fd;
    size_t start, end;          /* of what was read ahead; the receiver's */
    uint8_t ahead[64 << 10];
} Socket;

static int socket_send(void *opaque, const void *from, size_t length)
{
    const Socket *transport = opaque;
    const uint8_t *place = from;

    while (length > 0) {
        const ssize_t put = send(transport->fd, place, length, MSG_NOSIGNAL);

        if (put > 0) {
            place += put;
            length -= (size_t)put;
        } else if (put < 0 && errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static int socket_recv(void *opaque, void *to, size_t length)
{
    Socket *transport = opaque;
    uint8_t *place = to;

    while (length > 0) {
        const size_t part = MIN(length, transport->end - transport->start);
        ssize_t got;

        if (part > 0) {
            memcpy(place, transport->ahead + transport->start, part);
            transport->start += part;
            place += part;
            length -= part;
            continue;
        }
        got = recv(transport->fd, transport->ahead, sizeof(transport->ahead), 0);
        if (got == 0) {
            return -EPIPE;
        }
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        transport->start = 0;
        transport->end = got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* Whether the connection ended is recv's to say. */
static int socket_ready(void *opaque, bool look)
{
    Socket *transport = opaque;

    if (look && transport->start == transport->end) {
        const ssize_t got = recv(transport->fd, transport->ahead, sizeof(transport->ahead), MSG_DONTWAIT);

        transport->start = 0;
        transport->end = got > 0 ? (size_t)got : 0;
    }
    return transport->start < transport->end ? -1 : transport->fd;
}

static void socket_shutdown(void *opaque)
{
    const Socket *transport = opaque;

    shutdown(transport->fd, SHUT_RDWR);
}

MigrationTransport migration_transport_socket(int fd)
{
    Socket *transport = g_new0(Socket, 1);

    transport->fd = fd;
    return (MigrationTransport){
        .send = socket_send,
        .recv = socket_recv,
        .shutdown = socket_shutdown,
        .ready = socket_ready,
        .opaque = transport,
    };
}

void migration_transport_free(MigrationTransport *transport)
{
    if (transport->send == socket_send) {
        g_free(transport->opaque);
    }
    *transport = (MigrationTransport){ 0 };
}
