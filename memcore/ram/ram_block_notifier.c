/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who hears of RAM blocks (R-NOTI): two kinds of notifiers in one sequence. */
#include "base/state.h"
#include "exec/ramblock.h"
#include "ram/ram_block_notifier.h"

static RAMBlockNotifierExtended *extended(RAMBlockNotifier *notifier)
{
    return caa_container_of(notifier, RAMBlockNotifierExtended, link);
}

static void tell_added(RAMBlockNotifier *notifier, void *host, size_t used, size_t max)
{
    if (notifier->extended) {
        if (extended(notifier)->ram_block_added) {
            extended(notifier)->ram_block_added(extended(notifier), host, used, max);
        }
    } else if (notifier->ram_block_added) {
        notifier->ram_block_added(notifier, host, max);
    }
}

static void tell_removed(RAMBlockNotifier *notifier, void *host, size_t used, size_t max)
{
    if (notifier->extended) {
        if (extended(notifier)->ram_block_removed) {
            extended(notifier)->ram_block_removed(extended(notifier), host, used, max);
        }
    } else if (notifier->ram_block_removed) {
        notifier->ram_block_removed(notifier, host, max);
    }
}

typedef void Tell(RAMBlockNotifier *notifier, void *host, size_t used, size_t max);

/* A callback may take its own notifier out (R-NOTI-3). */
static void tell_all(Tell *tell, void *host, size_t used, size_t max)
{
    RAMBlockNotifier *notifier, *next;

    cds_list_for_each_entry_safe(notifier, next, &ram_list.ramblock_notifiers, next) {
        tell(notifier, host, used, max);
    }
}

static void tell_of_all_blocks(RAMBlockNotifier *notifier, Tell *tell)
{
    RAMBlock *block;

    cds_list_for_each_entry(block, &ram_list.blocks, next) {
        tell(notifier, block->host, block->used_length, block->max_length);
    }
}

static bool registered(const RAMBlockNotifier *notifier)
{
    const RAMBlockNotifier *other;

    cds_list_for_each_entry(other, &ram_list.ramblock_notifiers, next) {
        if (other == notifier) {
            return true;
        }
    }
    return false;
}

static void add(const char *function, RAMBlockNotifier *notifier)
{
    if (registered(notifier)) {
        memcore_misuse_at(function, "R-NOTI-1", "notifier %p is registered already", (void *)notifier);
    }
    cds_list_add(&notifier->next, &ram_list.ramblock_notifiers);
    tell_of_all_blocks(notifier, tell_added);
}

static void take_out(const char *function, RAMBlockNotifier *notifier)
{
    if (!registered(notifier)) {
        memcore_misuse_at(function, "R-NOTI-2", "notifier %p is not registered", (void *)notifier);
    }
    cds_list_del(&notifier->next);
    tell_of_all_blocks(notifier, tell_removed);
}

void ram_block_notifier_add(RAMBlockNotifier *notifier)
{
    memcore_require_big_lock("R-NOTI-1");
    notifier->extended = false;
    add(__func__, notifier);
}

void ram_block_notifier_remove(RAMBlockNotifier *notifier)
{
    memcore_require_big_lock("R-NOTI-2");
    take_out(__func__, notifier);
}

void ram_block_notifier_add_extended(RAMBlockNotifierExtended *notifier)
{
    memcore_require_big_lock("R-NOTI-1");
    notifier->link.extended = true;
    add(__func__, &notifier->link);
}

void ram_block_notifier_remove_extended(RAMBlockNotifierExtended *notifier)
{
    memcore_require_big_lock("R-NOTI-2");
    take_out(__func__, &notifier->link);
}

void ram_block_notify_add(void *host, size_t size)
{
    memcore_require_big_lock("R-NOTI-7");
    tell_all(tell_added, host, size, size);
}

void ram_block_notify_remove(void *host, size_t size)
{
    memcore_require_big_lock("R-NOTI-7");
    tell_all(tell_removed, host, size, size);
}

void ram_block_tell_added(const RAMBlock *block)
{
    tell_all(tell_added, block->host, block->used_length, block->max_length);
}

void ram_block_tell_removed(const RAMBlock *block)
{
    tell_all(tell_removed, block->host, block->used_length, block->max_length);
}

/* Only one kind has an ear for it. */
static void tell_resized(RAMBlockNotifier *notifier, void *host, size_t old_length, size_t new_length)
{
    if (notifier->extended && extended(notifier)->ram_block_resized) {
        extended(notifier)->ram_block_resized(extended(notifier), host, old_length, new_length);
    }
}

void ram_block_tell_resized(const RAMBlock *block, ram_addr_t new_length)
{
    tell_all(tell_resized, block->host, block->used_length, new_length);
}
