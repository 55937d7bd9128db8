/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One access, carried out by QEMU through qtest and by the core through one of
 * its interfaces, and what each of them read.
 *
 * qtest's accesses are those of the buffer functions, its integers are in the
 * target's byte order, which is little-endian here.  So the bytes say everything.
 */
#ifndef CONFORMANCE_QEMU_PEER_ACCESS_H
#define CONFORMANCE_QEMU_PEER_ACCESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "exec/memory.h"
#include "qemu/lib/qemu.h"

enum { PEER_ACCESS_MAX = 300 };     /* bytes */

/* How the core does it. */
enum peer_way {
    WAY_LITTLE,         /* ld*_le, st*_le and so on: 1, 2, 4 or 8 bytes */
    WAY_BIG,
    WAY_NATIVE,
    WAY_BUFFER,         /* address_space_read, address_space_write */
    WAY_CACHE,          /* through a MemoryRegionCache */
    WAY_MAP,            /* through address_space_map */
    WAYS,
};
extern const char *const peer_way_names[WAYS];

struct peer_access {
    uint64_t address;
    unsigned size;
    enum peer_way way;
    bool is_write;
    uint8_t data[PEER_ACCESS_MAX];      /* of a write */
    uint8_t qemu[PEER_ACCESS_MAX];      /* what QEMU read */
    uint8_t core[PEER_ACCESS_MAX];      /* what the core read */
};

/* All of them, in order; false after trouble (qemu_trouble()). */
bool peer_access_qemu(struct qemu *q, struct peer_access *accesses, size_t count);

/* WAY_CACHE and the integers need an access inside of one range; the others take any. */
void peer_access_core(AddressSpace *space, struct peer_access *access);

/* `size` bytes from QEMU in one answer; false after trouble. */
bool peer_read_memory(struct qemu *q, uint64_t address, uint8_t *bytes, size_t size);

#endif
