/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All RAM blocks, the bitmaps of their dirty pages, and who hears of blocks that come and go. */
#ifndef EXEC_RAMLIST_H
#define EXEC_RAMLIST_H

#include "exec/cpu-common.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"

#pragma GCC visibility push(default)

typedef struct RAMBlockNotifier RAMBlockNotifier;

/* Who wants to know which pages were written; the values are bit numbers of dirty log masks. */
#define DIRTY_MEMORY_VGA 0
#define DIRTY_MEMORY_CODE 1
#define DIRTY_MEMORY_MIGRATION 2
#define DIRTY_MEMORY_NUM 3

/*
 * A client's bitmap is cut into pieces of this many bits, one bit a target
 * page of ram_addr space, so that it can grow under RCU (R-DMB-1, R-DMB-3):
 * readers fetch the array of pieces, growing publishes a longer array that
 * names the same pieces, and only the old array is freed.
 *
 *   page = addr >> TARGET_PAGE_BITS
 *   blocks[page / DIRTY_MEMORY_BLOCK_SIZE], bit page % DIRTY_MEMORY_BLOCK_SIZE
 */
#define DIRTY_MEMORY_BLOCK_SIZE ((ram_addr_t)1 << 21)

typedef struct {
    struct rcu_head rcu;
    unsigned long *blocks[];
} DirtyMemoryBlocks;

/*
 * `mutex` guards every change; `blocks` may be walked under RCU instead.
 * Blocks are ordered by max_length, largest first, equals oldest first
 * (R-RAM-19).  `version` counts blocks that came plus blocks that went,
 * modulo 2^32 (R-RAM-11).
 */
typedef struct RAMList {
    QemuMutex mutex;
    RAMBlock *mru_block;
    struct cds_list_head blocks;
    DirtyMemoryBlocks *dirty_memory[DIRTY_MEMORY_NUM];
    uint32_t version;
    struct cds_list_head ramblock_notifiers;
} RAMList;
extern RAMList ram_list;

/* For each block, in list order; under RCU, ram_list.mutex or the big lock.  Needs exec/ramblock.h. */
#define RAMBLOCK_FOREACH(block) cds_list_for_each_entry_rcu(block, RAM_LIST_BLOCKS_, next)
#ifdef MEMCORE_VERIFY
/* With none of them it is misuse, in the name of the function that walks. */
void ram_list_verify_walker(const char *function);
#define RAM_LIST_BLOCKS_ (ram_list_verify_walker(__func__), &ram_list.blocks)
#else
#define RAM_LIST_BLOCKS_ (&ram_list.blocks)
#endif

/* ram_list.mutex: no block comes or goes meanwhile.  Who needs the big lock too takes that first. */
void qemu_mutex_lock_ramlist(void);
void qemu_mutex_unlock_ramlist(void);

/*
 * Hears, under the big lock, of memory that appears and goes; each callback
 * is optional.  `size` is the block's max_length (R-NOTI-5).  A callback may
 * remove its own notifier, and must not add or free RAM.
 */
struct RAMBlockNotifier {
    void (*ram_block_added)(RAMBlockNotifier *notifier, void *host, size_t size);
    void (*ram_block_removed)(RAMBlockNotifier *notifier, void *host, size_t size);
    /* private: */
    struct cds_list_head next;
    bool extended;
};

/* The newest is called first.  Adding one reports the existing blocks as added, removing one as removed. */
void ram_block_notifier_add(RAMBlockNotifier *notifier);
/* Misuse: not registered. */
void ram_block_notifier_remove(RAMBlockNotifier *notifier);

/*
 * The same with both sizes of a block, and with resizes (R-NOTI-6).  Kept in
 * one sequence with the other kind: who registered last is called first,
 * whatever the kind.
 */
typedef struct RAMBlockNotifierExtended RAMBlockNotifierExtended;
struct RAMBlockNotifierExtended {
    void (*ram_block_added)(RAMBlockNotifierExtended *notifier, void *host, size_t used_length,
                            size_t max_length);
    void (*ram_block_removed)(RAMBlockNotifierExtended *notifier, void *host, size_t used_length,
                              size_t max_length);
    /* Before anything changes; lengths are whole host pages. */
    void (*ram_block_resized)(RAMBlockNotifierExtended *notifier, void *host, size_t old_length,
                              size_t new_length);
    /* private: */
    RAMBlockNotifier link;
};

/* As ram_block_notifier_add and _remove. */
void ram_block_notifier_add_extended(RAMBlockNotifierExtended *notifier);
void ram_block_notifier_remove_extended(RAMBlockNotifierExtended *notifier);

/*
 * Tells all notifiers of memory that is no block's: whether there is such a
 * block is not checked.  Extended ones hear `size` for both lengths (R-NOTI-7).
 */
void ram_block_notify_add(void *host, size_t size);
void ram_block_notify_remove(void *host, size_t size);

/* A table of all blocks, in list order, to where memcore_set_print() says; `mon` is ignored (R-RAM-33). */
void ram_block_dump(Monitor *mon);

#pragma GCC visibility pop

#endif
