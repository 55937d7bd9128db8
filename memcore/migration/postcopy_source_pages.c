/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which page goes next (R-PC-40, R-PC-42, R-PC-43). */
#include <inttypes.h>

#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/postcopy_incoming.h"
#include "migration/postcopy_source.h"
#include "migration/postcopy_wire.h"
#include "migration/zero_page.h"
#include "ram/bitmap.h"
#include "ram/ram_block.h"

/* --- blocks -------------------------------------------------------------------------------- */

static bool check_block(const RAMBlock *block, Error **errp)
{
    const char *why = !block->idstr[0]                                        ? "it has no name"
                      : block->bmap                                           ? "it is being migrated"
                      : block->flags & RAM_PMEM                               ? "it is persistent memory"
                      : postcopy_sticks_out(block)                            ? "its last page has bytes of others"
                      : block->used_length == 0                               ? "it is empty"
                      : block->used_length % MAX(block->page_size, TARGET_PAGE_SIZE) ? "it has no whole number of pages"
                                                                              : NULL;

    if (why) {
        error_setg(errp, "block \"%s\" of 0x%" PRIx64 " bytes cannot be migrated: %s", ram_block_label(block),
                   block->used_length, why);
    }
    return !why;
}

static void add_block(PostcopySource *source, RAMBlock *block)
{
    SourceBlock *entry = &source->blocks[source->block_count++];

    *entry = (SourceBlock){
        .block = block,
        .used_length = block->used_length,
        .pages = block->used_length / TARGET_PAGE_SIZE,
        .whole = MAX(block->page_size / TARGET_PAGE_SIZE, 1),
        .bmap = g_new0(unsigned long, block->max_length / TARGET_PAGE_SIZE / WORD_BITS + 1),
    };
    bitmap_set(entry->bmap, 0, entry->pages);
    block->bmap = entry->bmap;
    source->pages += entry->pages;
    source->remaining += entry->pages;
}

typedef struct {
    PostcopySource *source;
    SourceBlock *entry;
} Dropping;

static void drop_discarded(MemoryRegionSection *section, void *opaque)
{
    const Dropping *dropping = opaque;
    const SourceBlock *entry = dropping->entry;
    const uint64_t start = section->offset_within_region / TARGET_PAGE_SIZE;
    const uint64_t end = (section->offset_within_region + int128_get64(section->size)) / TARGET_PAGE_SIZE;

    for (uint64_t page = start; page < MIN(end, entry->pages); page++) {
        dropping->source->remaining -= bitmap_take(entry->bmap, page, 1);
    }
}

/* What a RamDiscardManager has discarded is not read. */
static void drop_all_discarded(PostcopySource *source)
{
    for (size_t i = 0; i < source->block_count; i++) {
        MemoryRegion *mr = source->blocks[i].block->mr;
        RamDiscardManager *manager = memory_region_get_ram_discard_manager(mr);
        MemoryRegionSection all = { .mr = mr, .size = int128_make64(memory_region_size(mr)) };
        Dropping dropping = { .source = source, .entry = &source->blocks[i] };

        if (manager) {
            ram_discard_manager_replay_discarded(manager, &all, drop_discarded, &dropping);
        }
    }
}

bool source_blocks_init(MigrationState *ms, Error **errp)
{
    PostcopySource *source = ms->source;
    size_t count = 0;
    RAMBlock *block;

    RAMBLOCK_FOREACH(block) {
        if (postcopy_takes_part(block)) {
            count++;
            if (!check_block(block, errp)) {
                return false;
            }
        }
    }
    if (count == 0) {
        error_setg(errp, "there is no RAM to migrate");
        return false;
    }
    source->version = ram_list.version;
    source->blocks = g_new0(SourceBlock, count);
    RAMBLOCK_FOREACH(block) {
        if (postcopy_takes_part(block)) {
            add_block(source, block);
        }
    }
    return true;
}

void source_blocks_free(PostcopySource *source)
{
    RAMBlock *block;

    RAMBLOCK_FOREACH(block) {
        for (size_t i = 0; i < source->block_count; i++) {
            if (block == source->blocks[i].block && block->bmap == source->blocks[i].bmap) {
                block->bmap = NULL;
            }
        }
    }
    for (size_t i = 0; i < source->block_count; i++) {
        g_free(source->blocks[i].bmap);
    }
    g_free(source->blocks);
}

bool source_look_for_dirty(MigrationState *ms, Error **errp)
{
    PostcopySource *source = ms->source;
    bool changed = source->version != ram_list.version;

    for (size_t i = 0; i < source->block_count && !changed; i++) {
        changed = source->blocks[i].block->used_length != source->blocks[i].used_length;
    }
    if (changed) {
        error_setg(errp, "RAM blocks came, went or changed their length");
        return false;
    }
    postcopy_count(ms->counters.syncs, 1);
    memory_global_dirty_log_sync();
    for (size_t i = 0; i < source->block_count; i++) {
        source->remaining += cpu_physical_memory_sync_dirty_bitmap(source->blocks[i].block, 0,
                                                                  source->blocks[i].used_length);
    }
    memory_global_after_dirty_log_sync();
    drop_all_discarded(source);
    return true;
}

/* --- the switch ---------------------------------------------------------------------------- */

/* The first dirty (or clean) page from `page` on, or the number of pages. */
static uint64_t find(const SourceBlock *entry, uint64_t page, bool dirty)
{
    while (page < entry->pages) {
        const unsigned long word = (dirty ? 0 : ~0ul) ^ bitmap_word(entry->bmap, page);
        const unsigned long rest = word >> page % WORD_BITS;

        if (rest) {
            return MIN(page + (uint64_t)__builtin_ctzl(rest), entry->pages);
        }
        page = (page / WORD_BITS + 1) * WORD_BITS;
    }
    return entry->pages;
}

/* A page of the backing is sent whole, as it is placed whole. */
static void make_whole(PostcopySource *source, SourceBlock *entry)
{
    for (uint64_t page = find(entry, 0, true); page < entry->pages; page = find(entry, page, true)) {
        const uint64_t start = page / entry->whole * entry->whole;

        for (page = start; page < start + entry->whole; page++) {
            source->remaining += !bitmap_test(entry->bmap, page);
            bitmap_set(entry->bmap, page, 1);
        }
    }
}

void source_announce(MigrationState *ms)
{
    PostcopySource *source = ms->source;

    source->next_block = 0;
    source->next_page = 0;
    source->last_sent = NULL;
    source->announced = true;
    if (source->remaining == 0) {
        /* Without a DISCARD QEMU refuses to run (R-PC-2). */
        bitmap_set(source->blocks[0].bmap, 0, 1);
        source->remaining = 1;
    }
    for (size_t i = 0; i < source->block_count; i++) {
        SourceBlock *entry = &source->blocks[i];
        PostcopyDiscardState *discard = postcopy_discard_send_init(ms, 0, entry->block->idstr);
        uint64_t page = 0, end;

        make_whole(source, entry);
        for (page = find(entry, 0, true); page < entry->pages; page = find(entry, end, true)) {
            end = find(entry, page, false);
            postcopy_discard_send_range(ms, discard, page, end - page);
        }
        postcopy_discard_send_finish(ms, discard);
    }
}

/* --- pages --------------------------------------------------------------------------------- */

static void add_target_page(MigrationState *ms, SourceBlock *entry, uint64_t page)
{
    PostcopySource *source = ms->source;
    const uint64_t offset = page * TARGET_PAGE_SIZE;
    const uint8_t *data = entry->block->host + offset;

    wire_page(source->bytes, source->last_sent == entry->block ? NULL : entry->block->idstr, offset,
              zero_page_test(data, TARGET_PAGE_SIZE) ? NULL : data);
    source->last_sent = entry->block;
    postcopy_count(ms->counters.sent, 1);
}

/* Those of its target pages that are dirty: after the switch, all or none (make_whole). */
static bool add_whole(MigrationState *ms, SourceBlock *entry, uint64_t page)
{
    PostcopySource *source = ms->source;
    const uint64_t start = page / entry->whole * entry->whole, end = MIN(start + entry->whole, entry->pages);
    bool any = false;

    for (page = start; page < end; page++) {
        /* What is written while it is read is found at the next look: the bit is ours since the last one. */
        if (bitmap_take(entry->bmap, page, 1)) {
            source->remaining--;
            add_target_page(ms, entry, page);
            any = true;
        }
    }
    if (any) {
        source->next_block = (size_t)(entry - source->blocks);
        source->next_page = end;
    }
    return any;
}

bool source_add_page(MigrationState *ms)
{
    PostcopySource *source = ms->source;
    SourceRequest request;

    while (source->announced && source_next_request(source, &request)) {
        if (add_whole(ms, request.block, request.page)) {
            return true;
        }
        postcopy_count(ms->counters.ignored, request.block->whole);
    }
    while (source->remaining > 0) {
        SourceBlock *entry = &source->blocks[source->next_block];
        const uint64_t page = find(entry, source->next_page, true);

        if (page < entry->pages) {
            return add_whole(ms, entry, page);
        }
        source->next_page = 0;
        source->next_block = (source->next_block + 1) % source->block_count;
    }
    return false;
}
