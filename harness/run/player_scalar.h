/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loads and stores of exec/memory.h by number: `word` is a word of the operand `scalar`, in their order. */
#ifndef HARNESS_RUN_PLAYER_SCALAR_H
#define HARNESS_RUN_PLAYER_SCALAR_H

#include "exec/memory.h"

uint64_t scalar_load(AddressSpace *as, hwaddr a, int word, MemTxAttrs attrs, MemTxResult *result);
void scalar_store(AddressSpace *as, hwaddr a, int word, uint64_t value, MemTxAttrs attrs, MemTxResult *result);
uint64_t scalar_load_phys(AddressSpace *as, hwaddr a, int word);
void scalar_store_phys(AddressSpace *as, hwaddr a, int word, uint64_t value);
uint64_t scalar_load_cached(MemoryRegionCache *k, hwaddr a, int word, MemTxAttrs attrs, MemTxResult *result);
void scalar_store_cached(MemoryRegionCache *k, hwaddr a, int word, uint64_t value, MemTxAttrs attrs,
                         MemTxResult *result);
uint64_t scalar_load_slow(MemoryRegionCache *k, hwaddr a, int word, MemTxAttrs attrs, MemTxResult *result);
void scalar_store_slow(MemoryRegionCache *k, hwaddr a, int word, uint64_t value, MemTxAttrs attrs,
                       MemTxResult *result);

#endif
