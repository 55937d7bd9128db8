/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The save engine: layout, dirty iteration, completion (R-ITER-*, R-SAVE-*).
 *
 * A page's bit in bmap is taken before its memory is read (R-ITER-4), so a page that is
 * written meanwhile is dirty again at the next look; its bit in file_bmap is set
 * after its bytes are in the file, and only the last bitmaps are ever written.
 */
#include "migration/ram-save.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "base/misuse.h"
#include "base/state.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/save_file.h"
#include "migration/stream_writer.h"
#include "migration/zero_page.h"

#define WORD_BITS (8 * sizeof(unsigned long))

enum { BATCH = 256 };                   /* pages a write at most */
enum { RAM_SECTION = 1 };               /* not 0 (R-STRM-6) */

/* A block as it was at setup; the bitmaps are the engine's, so that they outlive a block that goes. */
typedef struct {
    RAMBlock *block;
    uint64_t used_length, pages, pages_offset, bitmap_offset;
    unsigned long *bmap, *file_bmap;
} SavedBlock;

typedef enum { SAVE_NEW, SAVE_ACTIVE, SAVE_DONE, SAVE_FAILED } SaveState;

struct RamSave {
    RamSaveParameters parameters;
    char *path, *machine;
    SaveState state;
    bool cancelled;             /* atomic */
    bool writers_stopped;
    uint32_t version;           /* of ram_list at setup */
    RAMBlockNotifierExtended notifier;
    bool resized;               /* a block was, perhaps back again since (R-ITER-11) */
    SaveFile file;
    uint64_t end;               /* where the next piece of the stream goes */
    SavedBlock *blocks;
    size_t block_count;
    size_t next_block;          /* where the scan goes on */
    uint64_t next_page;
    RamSaveCounters counters;
};

static RamSave *active;         /* under the big lock; one at a time (R-SAVE-2) */

/* --- beginning and end ---------------------------------------------------------------- */

RamSave *ram_save_new(const RamSaveParameters *parameters, Error **errp)
{
    const uint64_t alignment = parameters->alignment ? parameters->alignment : 1 << 20;
    const size_t machine = parameters->machine ? strlen(parameters->machine) : 0;
    RamSave *save;

    if (machine < 1 || machine > 255) {
        error_setg(errp, "the machine name has %zu bytes; 1 to 255 are allowed", machine);
        return NULL;
    }
    if (alignment < TARGET_PAGE_SIZE || (alignment & (alignment - 1)) || alignment > INT64_MAX / 4) {
        error_setg(errp, "the alignment is 0x%" PRIx64 ", not a power of two of at least the target page", alignment);
        return NULL;
    }
    if (parameters->path && parameters->base) {
        error_setg(errp, "a new file starts at 0, not at 0x%" PRIx64, parameters->base);
        return NULL;
    }
    save = g_new0(RamSave, 1);
    save->parameters = *parameters;
    save->parameters.alignment = alignment;
    save->path = g_strdup(parameters->path);
    save->machine = g_strdup(parameters->machine);
    save->file.fd = -1;
    return save;
}

/* Back to how it was before setup: blocks that went meanwhile are not touched. */
static void leave(RamSave *save, SaveState state)
{
    RAMBlock *block;

    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    ram_block_notifier_remove_extended(&save->notifier);
    RAMBLOCK_FOREACH(block) {
        for (size_t i = 0; i < save->block_count; i++) {
            if (block == save->blocks[i].block && block->bmap == save->blocks[i].bmap) {
                block->bmap = NULL;
                block->file_bmap = NULL;
                block->bitmap_offset = 0;
                block->pages_offset = 0;
            }
        }
    }
    for (size_t i = 0; i < save->block_count; i++) {
        g_free(save->blocks[i].bmap);
        g_free(save->blocks[i].file_bmap);
    }
    g_free(save->blocks);
    save->blocks = NULL;
    save->block_count = 0;
    save_file_close(&save->file);
    save->state = state;
    active = NULL;
    if (state == SAVE_FAILED && save->writers_stopped && save->parameters.resume_writers) {
        save->parameters.resume_writers(save->parameters.opaque);
    }
}

static int fail(RamSave *save, int result, const char *what, Error **errp)
{
    if (result == -ECANCELED) {
        error_setg(errp, "the save was cancelled");
    } else {
        error_setg_errno(errp, -result, "%s", what);
    }
    leave(save, SAVE_FAILED);
    return result;
}

void ram_save_free(RamSave *save)
{
    if (!save) {
        return;
    }
    if (save->state == SAVE_ACTIVE) {
        memcore_require_big_lock("R-SAVE-2");
        leave(save, SAVE_FAILED);
    }
    g_free(save->path);
    g_free(save->machine);
    g_free(save);
}

void ram_save_cancel(RamSave *save)
{
    __atomic_store_n(&save->cancelled, true, __ATOMIC_RELAXED);
}

void ram_save_counters(const RamSave *save, RamSaveCounters *counters)
{
    *counters = save->counters;
}

/* --- layout ------------------------------------------------------------------------------ */

static void add_block(RamSave *save, RAMBlock *block)
{
    const uint64_t max_pages = (block->max_length + TARGET_PAGE_SIZE - 1) / TARGET_PAGE_SIZE;
    const size_t words = (size_t)((max_pages + WORD_BITS - 1) / WORD_BITS);
    SavedBlock *saved = &save->blocks[save->block_count++];

    *saved = (SavedBlock){
        .block = block,
        .used_length = block->used_length,
        .pages = block->used_length / TARGET_PAGE_SIZE,
        .bmap = g_new(unsigned long, words),
        .file_bmap = g_new0(unsigned long, words),
    };
    memset(saved->bmap, 0xff, words * sizeof(unsigned long));
    block->bmap = saved->bmap;
    block->file_bmap = saved->file_bmap;
    save->counters.total += saved->used_length;
    save->counters.remaining += saved->pages;
}

static void drop_discarded(MemoryRegionSection *section, void *opaque)
{
    RamSave *save = opaque;
    const SavedBlock *saved = &save->blocks[save->next_block];
    const uint64_t start = section->offset_within_region / TARGET_PAGE_SIZE;
    const uint64_t end = (section->offset_within_region + int128_get64(section->size)) / TARGET_PAGE_SIZE;

    for (uint64_t page = start; page < MIN(end, saved->pages); page++) {
        unsigned long *word = &saved->bmap[page / WORD_BITS], bit = 1ul << page % WORD_BITS;

        save->counters.remaining -= (*word & bit) != 0;
        *word &= ~bit;
    }
}

/* What a RamDiscardManager has discarded is not read (R-ITER-1). */
static void drop_all_discarded(RamSave *save)
{
    for (save->next_block = 0; save->next_block < save->block_count; save->next_block++) {
        MemoryRegion *mr = save->blocks[save->next_block].block->mr;
        RamDiscardManager *manager = memory_region_get_ram_discard_manager(mr);
        MemoryRegionSection all = { .mr = mr, .size = int128_make64(memory_region_size(mr)) };

        if (manager) {
            ram_discard_manager_replay_discarded(manager, &all, drop_discarded, save);
        }
    }
    save->next_block = 0;
}

static int append(RamSave *save, GByteArray *bytes)
{
    const int result = save_file_write(&save->file, bytes->data, bytes->len, save->end);

    save->end += bytes->len;
    g_byte_array_set_size(bytes, 0);
    return result;
}

/* All that is known before the first page: R-SAVE-3.  The magic stays out (R-SAVE-9). */
static int write_layout(RamSave *save)
{
    GByteArray *bytes = g_byte_array_new();
    int result = 0;

    save->end = save->parameters.base + 8;
    writer_configuration(bytes, save->machine);
    writer_section_start(bytes, RAM_SECTION, save->counters.total);
    for (size_t i = 0; i < save->block_count && result == 0; i++) {
        SavedBlock *saved = &save->blocks[i];
        const uint64_t bitmap_bytes = (saved->pages + 63) / 64 * 8;

        writer_block(bytes, saved->block->idstr, saved->used_length);
        saved->bitmap_offset = save->end + bytes->len + WRITER_HEADER_SIZE;
        saved->pages_offset = (saved->bitmap_offset + bitmap_bytes + save->parameters.alignment - 1) &
                              ~(save->parameters.alignment - 1);
        writer_header(bytes, saved->bitmap_offset, saved->pages_offset);
        saved->block->bitmap_offset = (off_t)saved->bitmap_offset;
        saved->block->pages_offset = saved->pages_offset;
        result = append(save, bytes);
        save->end = saved->pages_offset + saved->used_length;
    }
    writer_end_of_section(bytes, RAM_SECTION);
    result = result == 0 ? append(save, bytes) : result;
    g_byte_array_unref(bytes);
    return result;
}

static void on_resize(RAMBlockNotifierExtended *notifier, void *host, size_t old_length, size_t new_length)
{
    RamSave *save = (RamSave *)((char *)notifier - offsetof(RamSave, notifier));

    (void)host;
    (void)old_length;
    (void)new_length;
    save->resized = true;
}

static void look_for_dirty(RamSave *save)
{
    save->counters.dirty_sync_count++;
    memory_global_dirty_log_sync();
    for (size_t i = 0; i < save->block_count; i++) {
        save->counters.remaining += cpu_physical_memory_sync_dirty_bitmap(save->blocks[i].block, 0,
                                                                         save->blocks[i].used_length);
    }
    memory_global_after_dirty_log_sync();
}

int ram_save_setup(RamSave *save, Error **errp)
{
    RAMBlock *block;
    size_t count = 0;
    int result;

    memcore_require_big_lock("R-SAVE-1");
    memcore_require(save->state == SAVE_NEW, "R-SAVE-2", "a save is set up once");
    if (active) {
        error_setg(errp, "another save is active");
        return -EBUSY;
    }
    RAMBLOCK_FOREACH(block) {
        count += qemu_ram_is_migratable(block);
        if (qemu_ram_is_migratable(block) && (!block->idstr[0] || block->used_length % TARGET_PAGE_SIZE || block->bmap)) {
            error_setg(errp, "block \"%s\" of 0x%" PRIx64 " bytes cannot be saved: %s", block->idstr, block->used_length,
                       !block->idstr[0] ? "it has no name" : block->bmap ? "it is being migrated" : "no whole pages");
            return -EINVAL;
        }
    }
    result = save_file_open(&save->file, save->path, save->parameters.fd, save->parameters.base);
    if (result < 0) {
        error_setg_errno(errp, -result, "cannot create the file");
        save_file_close(&save->file);
        save->state = SAVE_FAILED;
        return result;
    }
    active = save;
    save->state = SAVE_ACTIVE;
    save->version = ram_list.version;
    save->blocks = g_new0(SavedBlock, count);
    RAMBLOCK_FOREACH(block) {
        if (qemu_ram_is_migratable(block)) {
            add_block(save, block);
        }
    }
    save->notifier.ram_block_resized = on_resize;
    ram_block_notifier_add_extended(&save->notifier);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    look_for_dirty(save);
    drop_all_discarded(save);
    result = write_layout(save);
    return result < 0 ? fail(save, result, "cannot write the file", errp) : 0;
}

/* --- pages --------------------------------------------------------------------------------- */

static uint64_t next_dirty(const SavedBlock *saved, uint64_t page)
{
    while (page < saved->pages) {
        const unsigned long word = saved->bmap[page / WORD_BITS] >> page % WORD_BITS;

        if (word) {
            return MIN(page + (uint64_t)__builtin_ctzl(word), saved->pages);
        }
        page = (page / WORD_BITS + 1) * WORD_BITS;
    }
    return saved->pages;
}

/* Bytes of the page that are memcore's to read (R-RAM-7). */
static uint64_t readable(const SavedBlock *saved, uint64_t page)
{
    const uint64_t start = page * TARGET_PAGE_SIZE, size = memory_region_size(saved->block->mr);

    return !(saved->block->flags & RAM_PREALLOC) || start + TARGET_PAGE_SIZE <= size ? TARGET_PAGE_SIZE
           : start < size                                                          ? size - start
                                                                                    : 0;
}

static void mark(const SavedBlock *saved, uint64_t page, bool present)
{
    unsigned long *word = &saved->file_bmap[page / WORD_BITS], bit = 1ul << page % WORD_BITS;

    *word = present ? *word | bit : *word & ~bit;
}

static int write_run(RamSave *save, const SavedBlock *saved, uint64_t page, uint64_t count)
{
    const uint64_t start = page * TARGET_PAGE_SIZE, last = readable(saved, page + count - 1);
    int result;

    if (last == TARGET_PAGE_SIZE) {
        result = save_file_write(&save->file, saved->block->host + start, count * TARGET_PAGE_SIZE,
                                 saved->pages_offset + start);
    } else {
        /* The rest of the caller's last page reads as zero. */
        uint8_t *whole = g_malloc0(count * TARGET_PAGE_SIZE);

        memcpy(whole, saved->block->host + start, (count - 1) * TARGET_PAGE_SIZE + last);
        result = save_file_write(&save->file, whole, count * TARGET_PAGE_SIZE, saved->pages_offset + start);
        g_free(whole);
    }
    for (uint64_t i = 0; result == 0 && i < count; i++) {
        mark(saved, page + i, true);
    }
    save->counters.normal += result == 0 ? count : 0;
    return result;
}

/* Takes the dirty pages that follow each other from `page` on, at most `limit`; returns how many, or -errno. */
static int64_t save_run(RamSave *save, const SavedBlock *saved, uint64_t page, uint64_t limit)
{
    uint64_t taken = 0, run = 0;
    int result = 0;

    for (; result == 0 && taken < limit && page < saved->pages; page++, taken++) {
        unsigned long *word = &saved->bmap[page / WORD_BITS], bit = 1ul << page % WORD_BITS;

        if (!(*word & bit)) {
            break;
        }
        *word &= ~bit;
        save->counters.remaining--;
        if (!save->parameters.keep_zero_pages &&
            zero_page_test(saved->block->host + page * TARGET_PAGE_SIZE, readable(saved, page))) {
            mark(saved, page, false);
            save->counters.zero++;
            result = run ? write_run(save, saved, page - run, run) : 0;
            run = 0;
        } else {
            run++;
        }
    }
    if (result == 0 && run) {
        result = write_run(save, saved, page - run, run);
    }
    return result < 0 ? result : (int64_t)taken;
}

/* -EBUSY once the blocks are not those of setup, before any of them is touched (R-ITER-11). */
static int check_blocks(const RamSave *save)
{
    return save->resized || save->version != ram_list.version ? -EBUSY : 0;
}

static int may_go_on(const RamSave *save)
{
    return __atomic_load_n(&save->cancelled, __ATOMIC_RELAXED) ? -ECANCELED : check_blocks(save);
}

/* Up to `pages` pages, from where the last call ended, around all blocks once (R-ITER-6). */
static int save_pages(RamSave *save, uint64_t pages)
{
    size_t without_hit = 0;

    while (pages > 0 && save->counters.remaining > 0 && without_hit <= save->block_count) {
        const SavedBlock *saved = &save->blocks[save->next_block];
        int64_t taken = __atomic_load_n(&save->cancelled, __ATOMIC_RELAXED) ? -ECANCELED : 0;

        save->next_page = next_dirty(saved, save->next_page);
        if (taken == 0 && save->next_page < saved->pages) {
            taken = save_run(save, saved, save->next_page, MIN(pages, BATCH));
            without_hit = 0;
        } else if (taken == 0) {
            save->next_block = (save->next_block + 1) % save->block_count;
            save->next_page = 0;
            without_hit++;
        }
        if (taken < 0) {
            return (int)taken;
        }
        save->next_page += (uint64_t)taken;
        pages -= (uint64_t)taken;
    }
    return 0;
}

int ram_save_iterate(RamSave *save, uint64_t pages, Error **errp)
{
    GByteArray *part;
    int result;

    memcore_require_big_lock("R-ITER-5");
    memcore_require(save->state == SAVE_ACTIVE, "R-SAVE-2", "the save is not active");
    result = may_go_on(save);
    if (result == -EBUSY) {
        return fail(save, result, "RAM blocks came, went or were resized during the save", errp);
    }
    result = result < 0 ? result : save_pages(save, pages);
    if (result == 0) {
        part = g_byte_array_new();
        writer_part(part, RAM_SECTION);
        result = append(save, part);
        g_byte_array_unref(part);
    }
    if (result < 0) {
        return fail(save, result, "cannot write the file", errp);
    }
    /* R-ITER-7: without a threshold the first pass converges; completing looks once more anyway. */
    if (save->counters.remaining < save->parameters.enough) {
        look_for_dirty(save);
    }
    return save->counters.remaining > 0 && save->counters.remaining >= save->parameters.enough &&
           !(save->parameters.max_rounds && save->counters.dirty_sync_count > save->parameters.max_rounds);
}

static int write_bitmaps(RamSave *save)
{
    int result = 0;

    for (size_t i = 0; i < save->block_count && result == 0; i++) {
        const SavedBlock *saved = &save->blocks[i];
        const size_t words = (size_t)((saved->pages + 63) / 64);
        uint64_t *bitmap = g_new(uint64_t, words);

        for (size_t k = 0; k < words; k++) {
            bitmap[k] = GUINT64_TO_LE(saved->file_bmap[k]);
        }
        result = save_file_write(&save->file, bitmap, words * sizeof(*bitmap), saved->bitmap_offset);
        g_free(bitmap);
    }
    return result;
}

static int finish(RamSave *save)
{
    static const uint8_t magic[8] = { 'Q', 'E', 'V', 'M', 0, 0, 0, 3 };
    GByteArray *tail = g_byte_array_new();
    int result = save_pages(save, UINT64_MAX);

    memcore_assert(result < 0 || save->counters.remaining == 0);
    result = result < 0 ? result : write_bitmaps(save);
    writer_tail(tail, RAM_SECTION);
    result = result < 0 ? result : append(save, tail);
    g_byte_array_unref(tail);
    return result < 0 ? result : save_file_finish(&save->file, magic, save->end);
}

int ram_save_complete(RamSave *save, Error **errp)
{
    int result;

    memcore_require_big_lock("R-ITER-9");
    memcore_require(save->state == SAVE_ACTIVE, "R-SAVE-2", "the save is not active");
    result = may_go_on(save);
    if (result < 0) {
        return fail(save, result, "RAM blocks came, went or were resized during the save", errp);
    }
    if (save->parameters.stop_writers) {
        save->parameters.stop_writers(save->parameters.opaque);
        save->writers_stopped = true;
    }
    look_for_dirty(save);
    result = finish(save);
    if (result < 0) {
        return fail(save, result, "cannot write the file", errp);
    }
    leave(save, SAVE_DONE);
    return 0;
}

int ram_save_run(RamSave *save, Error **errp)
{
    int result = ram_save_setup(save, errp);

    if (result == 0) {
        do {
            result = ram_save_iterate(save, 1 << 14, errp);
        } while (result > 0);
    }
    return result < 0 ? result : ram_save_complete(save, errp);
}
