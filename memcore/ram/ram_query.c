/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding blocks, and what can be asked about them. */
#include <stdio.h>
#include <string.h>

#include "base/state.h"
#include "exec/memory.h"
#include "ram/ram_block.h"

static bool holds_address(const RAMBlock *block, ram_addr_t address)
{
    return address - block->offset < block->max_length;
}

static bool holds_host(const RAMBlock *block, const void *host)
{
    return (uintptr_t)host - (uintptr_t)block->host < block->max_length;
}

/*
 * Under the mutex, and only for a listed block: a reader that stored a block
 * just removed would leave it to readers for whom no grace period waits.
 * Not worth waiting for the mutex.
 */
static void remember(RAMBlock *block)
{
    if (qemu_mutex_trylock(&ram_list.mutex) == 0) {
        if (block->listed) {
            CMM_STORE_SHARED(ram_list.mru_block, block);
        }
        qemu_mutex_unlock_ramlist();
    }
}

RAMBlock *ram_block_find(ram_addr_t address)
{
    RCU_READ_LOCK_GUARD();
    RAMBlock *block = qatomic_rcu_read(&ram_list.mru_block);

    if (block && holds_address(block, address)) {
        return block;
    }
    RAMBLOCK_FOREACH(block) {
        if (holds_address(block, address)) {
            remember(block);
            return block;
        }
    }
    return NULL;
}

static RAMBlock *find_host(const void *host)
{
    RAMBlock *block = qatomic_rcu_read(&ram_list.mru_block);

    if (block && holds_host(block, host)) {
        return block;
    }
    RAMBLOCK_FOREACH(block) {
        if (holds_host(block, host)) {
            return block;
        }
    }
    return NULL;
}

RAMBlock *qemu_ram_block_from_host(void *host, bool round_offset, ram_addr_t *offset)
{
    RCU_READ_LOCK_GUARD();
    RAMBlock *block = find_host(host);

    if (block) {
        *offset = (uintptr_t)host - (uintptr_t)block->host;
        if (round_offset) {
            *offset &= TARGET_PAGE_MASK;
        }
    }
    return block;
}

void *qemu_map_ram_ptr(RAMBlock *ram_block, ram_addr_t addr)
{
    RAMBlock *block = ram_block ? ram_block : ram_block_find(addr);
    const ram_addr_t offset = ram_block || !block ? addr : addr - block->offset;

    memcore_require(block, "R-RAM-25", "no RAM block holds ram_addr 0x%" PRIx64, addr);
    memcore_require(ram_block_holds(block, offset), "R-RAM-25",
                    "byte 0x%" PRIx64 " of block \"%s\", of which 0x%" PRIx64 " bytes are used", offset,
                    ram_block_label(block), block->used_length);
    return block->host + offset;
}

RAMBlock *qemu_ram_block_by_name(const char *name)
{
    RAMBlock *block;

    if (!*name) {
        return NULL;
    }
    RCU_READ_LOCK_GUARD();
    RAMBLOCK_FOREACH(block) {
        if (strcmp(block->idstr, name) == 0) {
            return block;
        }
    }
    return NULL;
}

ram_addr_t qemu_ram_block_host_offset(RAMBlock *block, void *host)
{
    memcore_require(holds_host(block, host), "R-RAM-23", "%p is not in block \"%s\", which has 0x%" PRIx64
                    " bytes from %p on", host, ram_block_label(block),
                    block->max_length, (void *)block->host);
    return (uintptr_t)host - (uintptr_t)block->host;
}

ram_addr_t qemu_ram_addr_from_host(void *host)
{
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(host, false, &offset);

    return block ? block->offset + offset : RAM_ADDR_INVALID;
}

ram_addr_t qemu_ram_addr_from_host_nofail(void *host)
{
    ram_addr_t address = qemu_ram_addr_from_host(host);

    memcore_require(address != RAM_ADDR_INVALID, "R-RAM-23", "no RAM block holds %p", host);
    return address;
}

const char *qemu_ram_get_idstr(RAMBlock *block)
{
    return block->idstr;
}

void *qemu_ram_get_host_addr(RAMBlock *block)
{
    return block->host;
}

ram_addr_t qemu_ram_get_offset(RAMBlock *block)
{
    return block->offset;
}

ram_addr_t qemu_ram_get_used_length(RAMBlock *block)
{
    return CMM_LOAD_SHARED(block->used_length);
}

ram_addr_t qemu_ram_get_max_length(RAMBlock *block)
{
    return block->max_length;
}

int qemu_ram_get_fd(RAMBlock *block)
{
    return block->fd;
}

size_t qemu_ram_pagesize(RAMBlock *block)
{
    return block->page_size;
}

size_t qemu_ram_pagesize_largest(void)
{
    size_t largest = 0;
    RAMBlock *block;

    RCU_READ_LOCK_GUARD();
    RAMBLOCK_FOREACH(block) {
        if (block->page_size > largest) {
            largest = block->page_size;
        }
    }
    return largest;
}

bool qemu_ram_is_shared(RAMBlock *block)
{
    return block->flags & RAM_SHARED;
}

bool qemu_ram_is_noreserve(RAMBlock *block)
{
    return block->flags & RAM_NORESERVE;
}

bool qemu_ram_is_uf_zeroable(RAMBlock *block)
{
    return block->flags & RAM_UF_ZEROPAGE;
}

void qemu_ram_set_uf_zeroable(RAMBlock *block)
{
    block->flags |= RAM_UF_ZEROPAGE;
}

bool qemu_ram_is_migratable(RAMBlock *block)
{
    return block->flags & RAM_MIGRATABLE;
}

void qemu_ram_set_migratable(RAMBlock *block)
{
    block->flags |= RAM_MIGRATABLE;
}

void qemu_ram_unset_migratable(RAMBlock *block)
{
    block->flags &= ~RAM_MIGRATABLE;
}

int qemu_ram_foreach_block(RAMBlockIterFunc *function, void *opaque)
{
    RAMBlock *block;
    int result = 0;

    RCU_READ_LOCK_GUARD();
    RAMBLOCK_FOREACH(block) {
        result = function(block, opaque);
        if (result != 0) {
            break;
        }
    }
    return result;
}

/* "4 KiB": a page's size, a power of two. */
static void print_size(char *text, size_t size, uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    unsigned unit = 0;

    while (bytes >= 1024) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, size, "%" PRIu64 " %s", bytes, units[unit]);
}

void ram_block_dump(Monitor *mon)
{
    char line[400], size[32];
    RAMBlock *block;

    (void)mon;
    RCU_READ_LOCK_GUARD();
    snprintf(line, sizeof(line), "%24s %8s %18s %18s %18s\n", "Block Name", "PSize", "Offset", "Used", "Total");
    memcore_print(line);
    RAMBLOCK_FOREACH(block) {
        print_size(size, sizeof(size), block->page_size);
        snprintf(line, sizeof(line), "%24s %8s 0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 "\n", block->idstr,
                 size, block->offset, block->used_length, block->max_length);
        memcore_print(line);
    }
}
