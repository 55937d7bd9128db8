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

/*
 * `length` bytes (a multiple of the host page, not 0) of zeroes at a multiple
 * of `alignment` (a power of two), followed by one page that faults:
 *
 *   mapping      start = n * alignment        start + length
 *      | no access | ......... read, write ......... | no access ... |
 *
 * Pages are allocated when touched.
 */
bool host_memory_new(HostMemory *memory, uint64_t length, size_t alignment, bool shared, bool no_reserve,
                     Error **errp);

void host_memory_free(void *mapping, size_t mapping_length);

#endif
