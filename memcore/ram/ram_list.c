/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of blocks (largest first), and beside it an array ordered by
 * offset, for whoever looks for a gap: with both, adding one more of
 * thousands of equal blocks walks a short array and no list.
 */
#include <glib.h>

#include "base/state.h"
#include "ram/ram_list.h"

RAMList ram_list = {
    .mutex = QEMU_MUTEX_INITIALIZER,
    .blocks = CDS_LIST_HEAD_INIT(ram_list.blocks),
    .ramblock_notifiers = CDS_LIST_HEAD_INIT(ram_list.ramblock_notifiers),
};

static GPtrArray *by_offset;        /* made once, never freed; guarded by ram_list.mutex */
static uint64_t births;

#ifdef MEMCORE_VERIFY
static _Thread_local bool mutex_held;

static void verify_hold(bool held)
{
    mutex_held = held;
}

void ram_list_verify_walker(const char *function)
{
    if (!mutex_held && !rcu_read_ongoing() && !memcore_big_lock_held) {
        memcore_misuse_at(function, "R-LOCK-1", "walks the RAM blocks neither in an RCU read section nor with "
                          "ram_list.mutex or the big lock");
    }
}
#else
static void verify_hold(bool held)
{
    (void)held;
}
#endif

void qemu_mutex_unlock_ramlist(void)
{
    verify_hold(false);
    qemu_mutex_unlock(&ram_list.mutex);
}

void qemu_mutex_lock_ramlist(void)
{
    qemu_mutex_lock(&ram_list.mutex);
    verify_hold(true);
}

static RAMBlock *block_at(guint index)
{
    return g_ptr_array_index(by_offset, index);
}

/* Index of the first block whose offset is `offset` or more. */
static guint first_from(ram_addr_t offset)
{
    guint low = 0, high = by_offset->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (block_at(middle)->offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Offsets are multiples of the space one bitmap word stands for (R-RAM-17). */
static const ram_addr_t placement_unit = TARGET_PAGE_SIZE * sizeof(unsigned long) * 8;

/* The candidate behind a block; false if it lies beyond ram_addr space. */
static bool candidate_behind(const RAMBlock *block, ram_addr_t *candidate)
{
    ram_addr_t end = block->offset + block->max_length;

    if (end > RAM_ADDR_MAX - (placement_unit - 1)) {
        return false;
    }
    *candidate = (end + placement_unit - 1) & ~(placement_unit - 1);
    return true;
}

static bool listed_before(const RAMBlock *left, const RAMBlock *right)
{
    if (left->max_length != right->max_length) {
        return left->max_length > right->max_length;
    }
    return left->birth < right->birth;
}

bool ram_list_place(ram_addr_t max_length, ram_addr_t *offset)
{
    const RAMBlock *best = NULL;
    ram_addr_t best_gap = 0;

    if (!by_offset || by_offset->len == 0) {
        *offset = 0;
        return true;
    }

    /*
     * The tightest gap behind a block that is wide enough.  What lies before
     * the first block is never used (R-RAM-18):
     *
     *   | never | A |  gap  | B | gap | C |  the rest, up to RAM_ADDR_MAX
     */
    for (guint i = 0; i < by_offset->len; i++) {
        const RAMBlock *block = block_at(i);
        ram_addr_t next = i + 1 < by_offset->len ? block_at(i + 1)->offset : RAM_ADDR_MAX;
        ram_addr_t candidate;

        if (!candidate_behind(block, &candidate)) {
            continue;
        }
        memcore_assert(candidate <= next);
        if (next - candidate < max_length) {
            continue;
        }
        if (!best || next - candidate < best_gap ||
            (next - candidate == best_gap && listed_before(block, best))) {
            best = block;
            best_gap = next - candidate;
            *offset = candidate;
        }
    }
    return best != NULL;
}

#ifdef MEMCORE_VERIFY
static void verify_list(void)
{
    RAMBlock *block, *previous = NULL;
    guint count = 0;

    cds_list_for_each_entry(block, &ram_list.blocks, next) {
        memcore_assert(block->listed);
        memcore_assert(!previous || listed_before(previous, block));
        previous = block;
        count++;
    }
    memcore_assert(count == by_offset->len);
    for (guint i = 0; i < count; i++) {
        block = block_at(i);
        memcore_assert(block->offset % placement_unit == 0);
        memcore_assert(block->max_length <= RAM_ADDR_MAX - block->offset);
        memcore_assert(i + 1 == count || block->offset + block->max_length <= block_at(i + 1)->offset);
    }
}
#else
static void verify_list(void)
{
}
#endif

static void list_changed(void)
{
    CMM_STORE_SHARED(ram_list.mru_block, NULL);
    cmm_smp_wmb();      /* whoever sees the new version sees the new list */
    CMM_STORE_SHARED(ram_list.version, ram_list.version + 1);
    verify_list();
}

void ram_list_add(RAMBlock *block)
{
    struct cds_list_head *before = ram_list.blocks.prev;

    if (!by_offset) {
        by_offset = g_ptr_array_new();
    }
    block->birth = births++;
    block->listed = true;
    g_ptr_array_insert(by_offset, (int)first_from(block->offset), block);

    /* from the end: the place behind equals is found at once where all blocks are of one size */
    while (before != &ram_list.blocks && !listed_before(cds_list_entry(before, RAMBlock, next), block)) {
        before = before->prev;
    }
    cds_list_add_rcu(&block->next, before);
    list_changed();
}

void ram_list_remove(RAMBlock *block)
{
    guint index = first_from(block->offset);

    memcore_assert(block->listed && block_at(index) == block);
    g_ptr_array_remove_index(by_offset, index);
    block->listed = false;
    cds_list_del_rcu(&block->next);
    list_changed();
}
