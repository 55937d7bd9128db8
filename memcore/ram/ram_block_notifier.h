/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to blocks is told to notifiers of both kinds. */
#ifndef MEMCORE_RAM_RAM_BLOCK_NOTIFIER_H
#define MEMCORE_RAM_RAM_BLOCK_NOTIFIER_H

#include "exec/ramblock.h"

void ram_block_tell_added(const RAMBlock *block);
void ram_block_tell_removed(const RAMBlock *block);
/* Before the change. */
void ram_block_tell_resized(const RAMBlock *block, ram_addr_t new_length);

#endif
