/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One piece of host memory that serves guest RAM.  The struct is internal to
 * memcore and here for its neighbours (migration, dirty tracking); programs
 * use the qemu_ram_* functions of exec/cpu-common.h.
 */
#ifndef EXEC_RAMBLOCK_H
#define EXEC_RAMBLOCK_H

#include <sys/types.h>

#include "exec/cpu-common.h"
#include "exec/ramlist.h"
#include "qemu/rcu.h"

struct RAMBlock {
    struct rcu_head rcu;
    struct MemoryRegion *mr;
    uint8_t *host;                      /* never changes; all of max_length is mapped (R-RAM-34) */
    uint8_t *colo_cache;                /* the cache of the block (migration/colo-cache.h); or NULL */
    ram_addr_t offset;                  /* first ram_addr; never changes */
    ram_addr_t used_length;             /* what the guest may see; a multiple of the host page */
    ram_addr_t max_length;              /* what is reserved; a multiple of the host page */
    void (*resized)(const char *idstr, uint64_t length, void *host);
    uint32_t flags;                     /* RAM_* of exec/memory.h */
    char idstr[256];                    /* "" until named; under the big lock */
    struct cds_list_head next;          /* in ram_list.blocks; changed under ram_list.mutex */
    struct cds_list_head ramblock_notifiers;    /* always empty */
    int fd;                             /* -1: not backed by a file; the block's own */
    uint64_t fd_offset;                 /* of the block's first byte in the file */
    size_t page_size;                   /* of the backing memory */
    unsigned long *bmap;                /* pages still to be sent by a migration */
    unsigned long *file_bmap;           /* mapped-ram: pages present in the file */
    off_t bitmap_offset;                /* mapped-ram: where file_bmap lies in the file */
    uint64_t pages_offset;              /* mapped-ram: where the block's pages lie in the file */
    unsigned long *receivedmap;         /* postcopy: pages that have arrived */
    unsigned long *clear_bmap;          /* chunks whose remote log is still to be cleared; or NULL */
    uint8_t clear_bmap_shift;           /* target pages a chunk: 1 << shift */
    ram_addr_t postcopy_length;         /* used_length on the source of the migration */

    /* private: */
    void *mapping;                      /* what munmap gets, gap and guard page included; or NULL */
    size_t mapping_length;
    uint64_t birth;                     /* counts blocks: the age among equals in the list */
    bool listed;
    bool readonly;                      /* mapped so that the host cannot write either */
    bool hole_warned;                   /* that discarding reaches a file mapped privately was said */
};

#endif
