/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who hears of RAM blocks (R-NOTI-1..5, R-NOTI-7). */
#include "base/state.h"
#include "exec/ramblock.h"

static void tell_added(RAMBlockNotifier *notifier, void *host, size_t size)
{
    if (notifier->ram_block_added) {
        notifier->ram_block_added(notifier, host, size);
    }
}

static void tell_removed(RAMBlockNotifier *notifier, void *host, size_t size)
{
    if (notifier->ram_block_removed) {
        notifier->ram_block_removed(notifier, host, size);
    }
}

void ram_block_notifier_add(RAMBlockNotifier *notifier)
{
    RAMBlock *block;

    memcore_require_big_lock("R-NOTI-1");
    cds_list_add(&notifier->next, &ram_list.ramblock_notifiers);
    cds_list_for_each_entry(block, &ram_list.blocks, next) {
        tell_added(notifier, block->host, block->max_length);
    }
}

void ram_block_notifier_remove(RAMBlockNotifier *notifier)
{
    RAMBlock *block;

    memcore_require_big_lock("R-NOTI-2");
    cds_list_del(&notifier->next);
    cds_list_for_each_entry(block, &ram_list.blocks, next) {
        tell_removed(notifier, block->host, block->max_length);
    }
}

void ram_block_notify_add(void *host, size_t size)
{
    RAMBlockNotifier *notifier, *next;

    memcore_require_big_lock("R-NOTI-3");
    cds_list_for_each_entry_safe(notifier, next, &ram_list.ramblock_notifiers, next) {
        tell_added(notifier, host, size);
    }
}

void ram_block_notify_remove(void *host, size_t size)
{
    RAMBlockNotifier *notifier, *next;

    memcore_require_big_lock("R-NOTI-3");
    cds_list_for_each_entry_safe(notifier, next, &ram_list.ramblock_notifiers, next) {
        tell_removed(notifier, host, size);
    }
}
