/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/player_dirty.h"

#include <inttypes.h>
#include <stdlib.h>

#include "exec/ram_addr.h"
#include "run/player_parts.h"
#include "run/region_block.h"

enum { BMAP_NONE, BMAP_ONES, BMAP_ZEROS, BMAP_ONES_CHUNKS, BMAP_ZEROS_CHUNKS };
enum { WORD_BITS = 64, CHUNK_SHIFT = CLEAR_BITMAP_SHIFT_MIN, LOG_WORDS = 8 };

static void ask(ram_addr_t start, ram_addr_t length, unsigned client, FILE *out)
{
    fprintf(out, "dirty %d all %d flag %d clean %d includes_clean",
            cpu_physical_memory_get_dirty(start, length, client),
            cpu_physical_memory_all_dirty(start, length, client),
            cpu_physical_memory_get_dirty_flag(start, client), cpu_physical_memory_is_clean(start));
    for (unsigned mask = 0; mask < 1 << DIRTY_MEMORY_NUM; mask++) {
        fprintf(out, " %u", cpu_physical_memory_range_includes_clean(start, length, (uint8_t)mask));
    }
    fprintf(out, "\n");
}

static void snapshot(MemoryRegion *mr, uint64_t used, const struct trace_step *s, FILE *out)
{
    DirtyBitmapSnapshot *taken =
        memory_region_snapshot_and_clear_dirty(mr, s->v.absolute, s->w.absolute, (unsigned)s->n);
    const ram_addr_t base = memory_region_get_ram_addr(mr);

    /* As far as the block goes: what is in the window's last word behind it means nothing. */
    for (ram_addr_t a = taken->start; a < taken->end && a - base < used; a += TARGET_PAGE_SIZE) {
        fprintf(out, "%s", memory_region_snapshot_get_dirty(mr, taken, a - base, 1) ? "x" : ".");
    }
    fprintf(out, " in the snapshot\n");
    free(taken);
}

static void lebitmap(ram_addr_t start, const struct trace_step *s, FILE *out)
{
    unsigned long words[LOG_WORDS];

    for (int i = 0; i < LOG_WORDS; i++) {
        words[i] = s->w.absolute; /* little-endian, as the host is */
    }
    const uint64_t set = cpu_physical_memory_set_dirty_lebitmap(words, start, (ram_addr_t)s->n);

    fprintf(out, "set %" PRIu64 " dirty_rate %" PRIu64 "\n", set, total_dirty_pages);
}

void player_forget_bmap(struct player *p, unsigned region)
{
    free(p->bmaps[region]);
    free(p->clear_bmaps[region]);
    p->bmaps[region] = p->clear_bmaps[region] = NULL;
}

static unsigned long *new_bits(uint64_t count, int byte)
{
    const size_t size = (size_t)((count + WORD_BITS - 1) / WORD_BITS) * sizeof(unsigned long);
    unsigned long *bits = malloc(size);

    if (!bits) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        ((unsigned char *)bits)[i] = (unsigned char)byte;
    }
    return bits;
}

static void new_bmap(struct player *p, unsigned region, int kind)
{
    RAMBlock *block = region_block(&p->regions[region].mr);
    const uint64_t pages = (block->max_length + TARGET_PAGE_SIZE - 1) >> TARGET_PAGE_BITS;

    player_forget_bmap(p, region);
    if (kind != BMAP_NONE) {
        p->bmaps[region] = new_bits(pages, kind == BMAP_ONES || kind == BMAP_ONES_CHUNKS ? 0xff : 0);
    }
    if (kind == BMAP_ONES_CHUNKS || kind == BMAP_ZEROS_CHUNKS) {
        p->clear_bmaps[region] = new_bits(clear_bmap_size(pages, CHUNK_SHIFT), 0);
    }
    block->bmap = p->bmaps[region];
    block->clear_bmap = p->clear_bmaps[region];
    block->clear_bmap_shift = CHUNK_SHIFT;
}

static bool bmap_bit(const unsigned long *bmap, uint64_t page)
{
    return bmap[page / WORD_BITS] >> page % WORD_BITS & 1;
}

/* What whoever sends a page does, R-CLR-3. */
static bool send(MemoryRegion *mr, uint64_t offset)
{
    RAMBlock *block = region_block(mr);
    const uint64_t page = offset >> TARGET_PAGE_BITS;
    const bool was = bmap_bit(block->bmap, page);

    if (block->clear_bmap && clear_bmap_test_and_clear(block, page)) {
        const hwaddr chunk = TARGET_PAGE_SIZE << CHUNK_SHIFT;

        memory_region_clear_dirty_bitmap(mr, offset / chunk * chunk, chunk);
    }
    block->bmap[page / WORD_BITS] &= ~(1ul << page % WORD_BITS);
    return was;
}

/*
 * Read from where they are kept (R-DMB-1): asking the core for each of a window's pages would be most of what a
 * step costs.  One page is asked for, to see that the core reads what is there.
 */
static unsigned clients_of(ram_addr_t address)
{
    const ram_addr_t page = address >> TARGET_PAGE_BITS;
    unsigned clients = 0;

    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        const DirtyMemoryBlocks *bits = qatomic_rcu_read(&ram_list.dirty_memory[client]);

        clients |= (unsigned)bmap_bit(bits->blocks[page / DIRTY_MEMORY_BLOCK_SIZE], page % DIRTY_MEMORY_BLOCK_SIZE)
                   << client;
    }
    return clients;
}

static unsigned clients_asked(ram_addr_t address)
{
    unsigned clients = 0;

    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        clients |= (unsigned)cpu_physical_memory_get_dirty_flag(address, client) << client;
    }
    return clients;
}

void player_show_pages(struct player *p, unsigned region, uint64_t around, FILE *out)
{
    MemoryRegion *mr = &p->regions[region].mr;
    const ram_addr_t base = memory_region_get_ram_addr(mr);
    const size_t pages = (size_t)((p->region_block_length[region] + TARGET_PAGE_SIZE - 1) >> TARGET_PAGE_BITS);
    const size_t middle = (size_t)(around >> TARGET_PAGE_BITS);
    uint8_t bits[OBSERVED_WINDOW];
    size_t from, count;

    observed_window(pages, middle, &from, &count);
    for (size_t i = 0; i < count; i++) {
        const ram_addr_t a = base + ((from + i) << TARGET_PAGE_BITS);

        bits[i] = (uint8_t)(p->bmaps[region] && bmap_bit(p->bmaps[region], from + i) ? 1 << 3 : 0);
        bits[i] |= (uint8_t)(from + i == middle ? clients_asked(a) : clients_of(a));
    }
    observed_pages_print(out, from, bits, count);
}

static void apply(struct player *p, const struct trace_step *s, FILE *out)
{
    MemoryRegion *mr = &p->regions[s->a].mr;
    const ram_addr_t start = memory_region_get_ram_addr(mr) + s->v.absolute;
    const ram_addr_t length = s->w.absolute;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_DIRTY_SET:
        cpu_physical_memory_set_dirty_range(start, length, (uint8_t)s->n);
        break;
    case TRACE_OP_DIRTY_FLAG:
        cpu_physical_memory_set_dirty_flag(start, (unsigned)s->n);
        break;
    case TRACE_OP_DIRTY_WRITTEN:
        memory_region_set_dirty(mr, s->v.absolute, length);
        break;
    case TRACE_OP_DIRTY_ASK:
        ask(start, length, (unsigned)s->n, out);
        break;
    case TRACE_OP_DIRTY_TAKE:
        fprintf(out, "taken %d\n", cpu_physical_memory_test_and_clear_dirty(start, length, (unsigned)s->n));
        break;
    case TRACE_OP_DIRTY_CLEAR:
        cpu_physical_memory_clear_dirty_range(start, length);
        break;
    case TRACE_OP_DIRTY_RESET:
        memory_region_reset_dirty(mr, s->v.absolute, length, (unsigned)s->n);
        break;
    case TRACE_OP_SNAPSHOT:
        snapshot(mr, p->region_block_length[s->a], s, out);
        break;
    case TRACE_OP_LEBITMAP:
        lebitmap(start, s, out);
        break;
    case TRACE_OP_BMAP:
        new_bmap(p, s->a, s->n);
        break;
    case TRACE_OP_BMAP_SYNC:
        fprintf(out, "new %" PRIu64 "\n",
                cpu_physical_memory_sync_dirty_bitmap(region_block(mr), s->v.absolute, length));
        break;
    case TRACE_OP_BMAP_SEND:
        fprintf(out, "sent %d\n", send(mr, s->v.absolute));
        break;
    default:
        abort();
    }
}

void player_apply_dirty(struct player *p, const struct trace_step *s, struct observation *seen)
{
    FILE *out = observation_text(seen);

    apply(p, s, out);
    player_show_pages(p, s->a, s->v.absolute, out);
    observation_text_end(seen);
}
