/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions and orders by ram_addr, checked (R-DIRTY). */
#include <endian.h>

#include "base/state.h"
#include "exec/ram_addr.h"
#include "ram/dirty_memory.h"
#include "ram/host_memory.h"
#include "ram/ram_block.h"
#include "ram/ram_dirty.h"

uint64_t total_dirty_pages;

static void require_client(const char *function, unsigned client)
{
    if (__builtin_expect(client >= DIRTY_MEMORY_NUM, 0)) {
        memcore_misuse_at(function, "R-DIRTY-2", "there is no client %u, only 0 to %u", client,
                          DIRTY_MEMORY_NUM - 1);
    }
}

static void require_mask(const char *function, uint8_t mask)
{
    if (__builtin_expect(mask & ~DIRTY_CLIENTS_ALL, 0)) {
        memcore_misuse_at(function, "R-DIRTY-2", "mask 0x%x names clients that do not exist, only 0x%x do", mask,
                          (unsigned)DIRTY_CLIENTS_ALL);
    }
}

/* Pages that can be looked at: they have bits. */
static PageRange require_bits(const char *function, ram_addr_t start, ram_addr_t length)
{
    const PageRange pages = pages_of(start, length);

    if (__builtin_expect(length > 0 && (length - 1 > RAM_ADDR_MAX - start || pages.end > dirty_memory_pages()), 0)) {
        memcore_misuse_at(function, "R-DMB-6", "0x%" PRIx64 " bytes at ram_addr 0x%" PRIx64
                          ": there never was a block", length, start);
    }
    return pages;
}

/* Both ends must be in blocks; what lies between, in case they are two, has bits. */
static PageRange require_block(const char *function, ram_addr_t start, ram_addr_t length)
{
    const PageRange pages = require_bits(function, start, length);

    if (__builtin_expect(length > 0 && (!ram_block_find(start) || !ram_block_find(start + (length - 1))), 0)) {
        memcore_misuse_at(function, "R-DIRTY-7", "no RAM block holds 0x%" PRIx64 " bytes at ram_addr 0x%" PRIx64,
                          length, start);
    }
    return pages;
}

/* The one block in whose used part the whole range lies (R-DIRTY-8). */
static RAMBlock *require_used(const char *function, ram_addr_t start, ram_addr_t length)
{
    RAMBlock *block = ram_block_find(start);

    if (__builtin_expect(!block, 0)) {
        memcore_misuse_at(function, "R-DIRTY-8", "no RAM block holds ram_addr 0x%" PRIx64, start);
    }
    if (__builtin_expect(!ram_block_range_used(block, start - block->offset, length), 0)) {
        memcore_misuse_at(function, "R-DIRTY-8", "0x%" PRIx64 " bytes at 0x%" PRIx64 " of block \"%s\", of which "
                          "0x%" PRIx64 " bytes are used", length, start - block->offset,
                          ram_block_label(block), block->used_length);
    }
    return block;
}

/* --- looking --------------------------------------------------------------------- */

bool cpu_physical_memory_get_dirty(ram_addr_t start, ram_addr_t length, unsigned client)
{
    RCU_READ_LOCK_GUARD();
    require_client(__func__, client);
    return dirty_memory_any(require_bits(__func__, start, length), client);
}

bool cpu_physical_memory_all_dirty(ram_addr_t start, ram_addr_t length, unsigned client)
{
    RCU_READ_LOCK_GUARD();
    require_client(__func__, client);
    return dirty_memory_all(require_bits(__func__, start, length), client);
}

bool cpu_physical_memory_get_dirty_flag(ram_addr_t addr, unsigned client)
{
    RCU_READ_LOCK_GUARD();
    require_client(__func__, client);
    return dirty_memory_any(require_bits(__func__, addr, 1), client);
}

bool cpu_physical_memory_is_clean(ram_addr_t addr)
{
    return cpu_physical_memory_range_includes_clean(addr, 1, DIRTY_CLIENTS_ALL) != 0;
}

uint8_t cpu_physical_memory_range_includes_clean(ram_addr_t start, ram_addr_t length, uint8_t mask)
{
    RCU_READ_LOCK_GUARD();
    uint8_t clean = 0;

    require_mask(__func__, mask);
    const PageRange pages = require_bits(__func__, start, length);

    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        if (mask >> client & 1 && !dirty_memory_all(pages, client)) {
            clean |= (uint8_t)(1 << client);
        }
    }
    return clean;
}

/* --- setting --------------------------------------------------------------------- */

void cpu_physical_memory_set_dirty_flag(ram_addr_t addr, unsigned client)
{
    RCU_READ_LOCK_GUARD();
    require_client(__func__, client);
    dirty_memory_set(require_block(__func__, addr, 1), (uint8_t)(1 << client));
}

void cpu_physical_memory_set_dirty_range(ram_addr_t start, ram_addr_t length, uint8_t mask)
{
    RCU_READ_LOCK_GUARD();
    require_mask(__func__, mask);
    if (mask) {
        dirty_memory_set(require_block(__func__, start, length), mask);
    }
}

/* R-LEB-2. */
static uint8_t log_clients(void)
{
    const bool migration = __atomic_load_n(&global_dirty_tracking, __ATOMIC_RELAXED);

    return (uint8_t)(1 << DIRTY_MEMORY_VGA | (migration ? 1 << DIRTY_MEMORY_MIGRATION : 0) |
                     (memcore_state.code_tracking ? 1 << DIRTY_MEMORY_CODE : 0));
}

static unsigned long word_of_log(const unsigned long *bitmap, ram_addr_t index)
{
    return sizeof(*bitmap) == 8 ? (unsigned long)le64toh(bitmap[index]) : (unsigned long)le32toh(bitmap[index]);
}

/* Host pages of the block from `start` on; the last may be a part of one. */
static uint64_t host_pages_from(const RAMBlock *block, ram_addr_t start)
{
    const uint64_t size = host_page_size(), rest = block->offset + block->max_length - start;

    return rest / size + (rest % size > 0);
}

/* A run of host pages as target pages, cut to the block. */
static void set_host_pages(const RAMBlock *block, ram_addr_t start, uint64_t page, uint64_t count, uint8_t clients)
{
    const uint64_t size = host_page_size(), rest = block->offset + block->max_length - start;
    uint64_t length = count * size;

    if (page >= host_pages_from(block, start)) {
        return;         /* padding that would be another block's */
    }
    if (length > rest - page * size) {
        length = rest - page * size;
    }
    dirty_memory_set(pages_of(start + page * size, length), clients);
}

/* Bit i of the word is target page first + i: OR-ed in at once (R-LEB-4). */
static void set_word(uint64_t first, unsigned long word, uint8_t clients)
{
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        if (clients >> client & 1) {
            const DirtyPiece piece = dirty_piece(qatomic_rcu_read(&ram_list.dirty_memory[client]), first, first + 1);

            __atomic_fetch_or(&piece.words[piece.first / WORD_BITS], word, __ATOMIC_SEQ_CST);
        }
    }
}

uint64_t cpu_physical_memory_set_dirty_lebitmap(unsigned long *bitmap, ram_addr_t start, ram_addr_t pages)
{
    const uint64_t words = pages / WORD_BITS + (pages % WORD_BITS > 0);
    const uint8_t clients = log_clients();
    const uint64_t first = start >> TARGET_PAGE_BITS;
    const bool whole_words = host_page_size() == TARGET_PAGE_SIZE && start % (TARGET_PAGE_SIZE * WORD_BITS) == 0;
    uint64_t set = 0;
    RAMBlock *block;

    if (pages == 0) {
        return 0;
    }
    RCU_READ_LOCK_GUARD();
    block = ram_block_find(start);
    memcore_require(block && pages <= host_pages_from(block, start), "R-LEB-1",
                    "no RAM block holds 0x%" PRIx64 " host pages at ram_addr 0x%" PRIx64, pages, start);
    for (uint64_t i = 0; i < words; i++) {
        unsigned long word = word_of_log(bitmap, i);

        if (!word) {
            continue;
        }
        set += (unsigned)__builtin_popcountl(word);
        if (whole_words && (i + 1) * WORD_BITS <= (block->offset + block->max_length - start) >> TARGET_PAGE_BITS) {
            set_word(first + i * WORD_BITS, word, clients);
            continue;
        }
        while (word) {
            const unsigned bit = (unsigned)__builtin_ctzl(word);
            const unsigned long from_bit = ~(word >> bit);
            const unsigned run = from_bit ? (unsigned)__builtin_ctzl(from_bit) : WORD_BITS;

            set_host_pages(block, start, i * WORD_BITS + bit, run, clients);
            word = bit + run < WORD_BITS ? word >> (bit + run) << (bit + run) : 0;
        }
    }
    if (__atomic_load_n(&global_dirty_tracking, __ATOMIC_RELAXED) & GLOBAL_DIRTY_DIRTY_RATE) {
        total_dirty_pages += set;
    }
    return set;
}

/* --- taking ---------------------------------------------------------------------- */

bool cpu_physical_memory_test_and_clear_dirty(ram_addr_t start, ram_addr_t length, unsigned client)
{
    RAMBlock *block;
    bool dirty;

    require_client(__func__, client);
    if (length == 0) {
        return false;
    }
    RCU_READ_LOCK_GUARD();
    block = require_used(__func__, start, length);
    dirty = dirty_memory_take(pages_of(start, length), client);
    if (dirty) {
        bitmap_barrier();
    }
    ram_block_log_clear(block, start - block->offset, length);
    return dirty;
}

void cpu_physical_memory_clear_dirty_range(ram_addr_t start, ram_addr_t length)
{
    cpu_physical_memory_test_and_clear_dirty(start, length, DIRTY_MEMORY_MIGRATION);
    cpu_physical_memory_test_and_clear_dirty(start, length, DIRTY_MEMORY_VGA);
    cpu_physical_memory_test_and_clear_dirty(start, length, DIRTY_MEMORY_CODE);
}
