/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory from the host's kernel. */
#ifndef MEMCORE_RAM_HOST_MEMORY_H
#define MEMCORE_RAM_HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qapi/error.h"

typedef struct {
    void *start;            /* the usable part */
    void *mapping;          /* what host_memory_free gets */
    size_t mapping_length;
} HostMemory;

size_t host_page_size(void);

/* False if it would be 2^64 or more. */
bool host_page_round_up(uint64_t size, uint64_t *rounded);

/* What to map. */
typedef struct {
    uint64_t length;        /* a multiple of page_size, not 0 */
    size_t alignment;       /* a power of two, page_size or more */
    size_t page_size;       /* of the backing */
    int fd;                 /* -1: anonymous, zeroes */
    uint64_t offset;        /* in the file */
    bool shared;
    bool no_reserve;
    bool readonly;
    bool persistent;        /* MAP_SYNC if the file can (R-RAM-4) */
} HostMemoryRequest;

/*
 * Memory at a multiple of the alignment, followed by at least one page that
 * faults:
 *
 *   mapping      start = n * alignment        start + length
 *      | no access | ......... read, write ......... | no access ... |
 *
 * Pages are allocated when touched.
 */
bool host_memory_new(HostMemory *memory, const HostMemoryRequest *request, Error **errp);

/* Maps the same again at `place`, which lies in memory made so; false: errno. */
bool host_memory_renew(void *place, const HostMemoryRequest *request);

void host_memory_free(void *mapping, size_t mapping_length);

#endif
