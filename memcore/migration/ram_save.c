/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The save engine: parameters, layout, states, completion (R-ITER-*, R-SAVE-*). */
#include "migration/ram_save.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/misuse.h"
#include "base/state.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/stream_writer.h"

#define WORD_BITS (8 * sizeof(unsigned long))

enum { RAM_SECTION = 1 };               /* not 0 (R-STRM-6) */
enum { RUN_PAGES = 1 << 14 };           /* a step of ram_save_run */

static RamSave *active;         /* under the big lock; one at a time (R-SAVE-2) */

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

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
    if (parameters->family_page_bits > TARGET_PAGE_BITS) {
        error_setg(errp, "the smallest page has %u bits, the target's %d", parameters->family_page_bits,
                   TARGET_PAGE_BITS);
        return NULL;
    }
    if (parameters->path && parameters->base) {
        error_setg(errp, "a new file starts at 0, not at 0x%" PRIx64, parameters->base);
        return NULL;
    }
    if (parameters->workers > SAVE_WORKERS_MAX) {
        error_setg(errp, "%u workers; at most %d are allowed", parameters->workers, SAVE_WORKERS_MAX);
        return NULL;
    }
    if (parameters->clear_bmap_shift && (parameters->clear_bmap_shift < CLEAR_BITMAP_SHIFT_MIN ||
                                         parameters->clear_bmap_shift > CLEAR_BITMAP_SHIFT_MAX)) {
        error_setg(errp, "clear_bmap_shift is %u; %d to %d are allowed", parameters->clear_bmap_shift,
                   CLEAR_BITMAP_SHIFT_MIN, CLEAR_BITMAP_SHIFT_MAX);
        return NULL;
    }
    save = g_new0(RamSave, 1);
    save->parameters = *parameters;
    save->parameters.alignment = alignment;
    if (!parameters->clear_bmap_shift) {
        save->parameters.clear_bmap_shift = CLEAR_BITMAP_SHIFT_DEFAULT;
    }
    save->path = g_strdup(parameters->path);
    save->machine = g_strdup(parameters->machine);
    if (parameters->uuid) {
        memcpy(save->uuid, parameters->uuid, sizeof(save->uuid));
        save->parameters.uuid = save->uuid;
    }
    return save;
}

/* Back to how it was before setup: blocks that went meanwhile are not touched. */
static void leave(RamSave *save, SaveState state)
{
    RAMBlock *block;

    save_workers_free(save->workers);
    save->workers = NULL;
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    ram_block_notifier_remove_extended(&save->notifier);
    RAMBLOCK_FOREACH(block) {
        for (size_t i = 0; i < save->block_count; i++) {
            if (block == save->blocks[i].block && block->bmap == save->blocks[i].bmap) {
                block->bmap = NULL;
                block->file_bmap = NULL;
                block->clear_bmap = NULL;
                block->bitmap_offset = 0;
                block->pages_offset = 0;
            }
        }
    }
    for (size_t i = 0; i < save->block_count; i++) {
        g_free(save->blocks[i].bmap);
        g_free(save->blocks[i].clear_bmap);
        g_free(save->blocks[i].file_bmap);
        g_free(save->blocks[i].written);
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

/* What a look at the counters shows: as of now. */
static void publish(RamSave *save)
{
    const uint64_t now = now_ms();
    RamSaveCounters *counters = &save->counters;

    counters->normal = __atomic_load_n(&save->normal, __ATOMIC_RELAXED);
    counters->zero = __atomic_load_n(&save->zero, __ATOMIC_RELAXED);
    counters->transferred = counters->normal * TARGET_PAGE_SIZE;
    counters->remaining = save->remaining;
    counters->dirty_sync_count = save->dirty_sync_count;
    counters->dirty_pages_rate = save->rate.dirty_bytes_rate / TARGET_PAGE_SIZE;
    counters->bandwidth = save->rate.bandwidth;
    counters->throttle_percent = save->rate.throttle_percent;
    counters->total_ms = now - save->started;
    counters->downtime_ms = save->writers_stopped ? now - save->stopped : 0;
    counters->direct_io = save_file_is_direct(&save->file);
}

bool save_progress(RamSave *save)
{
    publish(save);
    return !save->parameters.progress || save->parameters.progress(save->parameters.opaque, &save->counters);
}

/* --- layout ------------------------------------------------------------------------------ */

static void add_block(RamSave *save, RAMBlock *block)
{
    const uint64_t max_pages = (block->max_length + TARGET_PAGE_SIZE - 1) / TARGET_PAGE_SIZE;
    const size_t words = (size_t)((max_pages + WORD_BITS - 1) / WORD_BITS);
    const uint64_t chunks = clear_bmap_size(max_pages, save->parameters.clear_bmap_shift);
    SavedBlock *saved = &save->blocks[save->block_count++];

    *saved = (SavedBlock){
        .block = block,
        .host = block->host,
        .used_length = block->used_length,
        .pages = block->used_length / TARGET_PAGE_SIZE,
        .readable = block->flags & RAM_PREALLOC ? memory_region_size(block->mr) : block->used_length,
        .bmap = g_new(unsigned long, words),
        .clear_bmap = g_new0(unsigned long, (chunks + WORD_BITS - 1) / WORD_BITS),
        .file_bmap = g_new0(unsigned long, words),
        .written = save->parameters.punch_holes ? g_new0(unsigned long, words) : NULL,
    };
    memset(saved->bmap, 0xff, words * sizeof(unsigned long));
    block->bmap = saved->bmap;
    block->clear_bmap = saved->clear_bmap;
    block->clear_bmap_shift = save->parameters.clear_bmap_shift;
    block->file_bmap = saved->file_bmap;
    save->counters.total += saved->used_length;
    save->remaining += saved->pages;
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
    const WriterConfiguration configuration = {
        .machine = save->machine,
        .family_page_bits = save->parameters.family_page_bits,
        .mapped_ram = true,
        .uuid = save->parameters.uuid,
    };
    GByteArray *bytes = g_byte_array_new();
    int result = 0;

    save->end = save->parameters.base + 8;
    writer_configuration(bytes, &configuration);
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
    uint64_t found = 0;

    save->dirty_sync_count++;
    memory_global_dirty_log_sync();
    for (size_t i = 0; i < save->block_count; i++) {
        found += cpu_physical_memory_sync_dirty_bitmap(save->blocks[i].block, 0, save->blocks[i].used_length);
    }
    memory_global_after_dirty_log_sync();
    save->remaining += found;
    if (save_rate_looked(&save->rate, found * TARGET_PAGE_SIZE, now_ms()) && save->parameters.throttle) {
        save->parameters.throttle(save->parameters.opaque, save->rate.throttle_percent);
    }
}

int ram_save_setup(RamSave *save, Error **errp)
{
    RAMBlock *block;
    size_t count = 0;
    int result;

    memcore_require_big_lock("R-SAVE-1");
    memcore_require(save->state == SAVE_NEW, "R-SAVE-2", "save %p is set up already; that is done once",
                    (void *)save);
    if (active) {
        error_setg(errp, "another save is active");
        return -EBUSY;
    }
    RAMBLOCK_FOREACH(block) {
        count += qemu_ram_is_migratable(block);
        if (qemu_ram_is_migratable(block) &&
            (!block->idstr[0] || block->used_length % TARGET_PAGE_SIZE || block->bmap)) {
            error_setg(errp, "block \"%s\" of 0x%" PRIx64 " bytes cannot be saved: %s", block->idstr,
                       block->used_length,
                       !block->idstr[0] ? "it has no name" : block->bmap ? "it is being migrated" : "no whole pages");
            return -EINVAL;
        }
    }
    result = save_file_open(&save->file, save->path, save->parameters.fd, save->parameters.base);
    if (result == 0) {
        result = save_workers_new(&save->workers, save->parameters.workers, save_pages_write, save);
    }
    if (result < 0) {
        error_setg_errno(errp, -result, "cannot create the file");
        save_file_close(&save->file);
        save->state = SAVE_FAILED;
        return result;
    }
    if (save->parameters.direct_io) {
        save_file_go_direct(&save->file);
    }
    save->started = now_ms();
    save_rate_start(&save->rate, save->parameters.bandwidth, save->started);
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
    save_pages_drop_discarded(save);
    result = write_layout(save);
    publish(save);
    return result < 0 ? fail(save, result, "cannot write the file", errp) : 0;
}

/* --- steps ----------------------------------------------------------------------------------- */

/* -EBUSY once the blocks are not those of setup, before any of them is touched (R-ITER-11). */
static int check_blocks(const RamSave *save)
{
    return save->resized || save->version != ram_list.version ? -EBUSY : 0;
}

static int may_go_on(const RamSave *save)
{
    return __atomic_load_n(&save->cancelled, __ATOMIC_RELAXED) ? -ECANCELED : check_blocks(save);
}

/* As save_pages(), as far as the bandwidth limit allows. */
static int save_pages_within_limit(RamSave *save, uint64_t pages)
{
    int result = 0;

    do {
        const uint64_t room = save_rate_room(&save->rate, now_ms());
        const uint64_t part = MIN(pages, room / TARGET_PAGE_SIZE + (room % TARGET_PAGE_SIZE != 0));
        const uint64_t before = save->normal;

        if (part == 0) {
            break;
        }
        result = save_pages(save, part);
        /* Pages of zeroes cost nothing, so there may be room left. */
        save_rate_written(&save->rate, (save->normal - before) * TARGET_PAGE_SIZE);
        pages -= part;
    } while (result == 0 && pages > 0 && save->remaining > 0);
    return result;
}

/* So few dirty pages that the rest can be saved at once (R-ITER-7). */
static bool few_are_left(const RamSave *save)
{
    const unsigned __int128 bytes = (unsigned __int128)save->rate.bandwidth * save->parameters.downtime_limit_ms / 1000;

    return save->remaining < save->parameters.enough || save->remaining < (uint64_t)(bytes / TARGET_PAGE_SIZE);
}

static void require_active(const char *function, const RamSave *save)
{
    if (save->state != SAVE_ACTIVE) {
        memcore_misuse_at(function, "R-SAVE-2", "save %p is %s; only one that is set up and not over goes on",
                          (const void *)save, save->state == SAVE_NEW ? "new" : "over");
    }
}

int ram_save_iterate(RamSave *save, uint64_t pages, Error **errp)
{
    GByteArray *part;
    int result;

    memcore_require_big_lock("R-ITER-8");
    require_active(__func__, save);
    result = may_go_on(save);
    if (result == -EBUSY) {
        return fail(save, result, "RAM blocks came, went or were resized during the save", errp);
    }
    result = result < 0 ? result : save_pages_within_limit(save, pages);
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
    if (few_are_left(save)) {
        look_for_dirty(save);
    }
    if (!save_progress(save)) {
        return fail(save, -ECANCELED, NULL, errp);
    }
    return save->remaining > 0 && !few_are_left(save) &&
           !(save->parameters.max_rounds && save->dirty_sync_count > save->parameters.max_rounds);
}

unsigned ram_save_wait_ms(const RamSave *save)
{
    return save->state == SAVE_ACTIVE ? save_rate_wait(&save->rate, now_ms()) : 0;
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

/* END, devices, EOF, description. */
static int write_tail(RamSave *save)
{
    GByteArray *tail = g_byte_array_new();
    const void *devices = NULL;
    size_t length = 0;
    int result;

    writer_end(tail, RAM_SECTION);
    if (save->parameters.save_devices) {
        devices = save->parameters.save_devices(save->parameters.opaque, &length);
    }
    result = may_go_on(save);
    result = result < 0 ? result : append(save, tail);
    if (result == 0 && length > 0) {
        result = save_file_write(&save->file, devices, length, save->end);
        save->end += length;
    }
    writer_description(tail);
    result = result < 0 ? result : append(save, tail);
    g_byte_array_unref(tail);
    return result;
}

static int finish(RamSave *save)
{
    static const uint8_t magic[8] = { 'Q', 'E', 'V', 'M', 0, 0, 0, 3 };
    int result = save_pages(save, UINT64_MAX);

    memcore_assert(result < 0 || save->remaining == 0);
    if (result == 0 && save->parameters.punch_holes) {
        save_pages_punch_holes(save);
    }
    result = result < 0 ? result : write_bitmaps(save);
    result = result < 0 ? result : write_tail(save);
    return result < 0 ? result : save_file_finish(&save->file, magic, save->end);
}

int ram_save_complete(RamSave *save, Error **errp)
{
    int result;

    memcore_require_big_lock("R-ITER-9");
    require_active(__func__, save);
    result = may_go_on(save);
    if (result < 0) {
        return fail(save, result, "RAM blocks came, went or were resized during the save", errp);
    }
    if (save->parameters.stop_writers) {
        save->parameters.stop_writers(save->parameters.opaque);
        save->writers_stopped = true;
    }
    save->stopped = now_ms();
    look_for_dirty(save);
    result = finish(save);
    if (result < 0) {
        return fail(save, result, "cannot write the file", errp);
    }
    publish(save);
    leave(save, SAVE_DONE);
    return 0;
}

static void sleep_unlocked(unsigned ms)
{
    const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

    qemu_mutex_unlock_iothread();
    nanosleep(&time, NULL);     /* woken too early, the next step finds nothing to do */
    qemu_mutex_lock_iothread();
}

int ram_save_run(RamSave *save, Error **errp)
{
    int result = ram_save_setup(save, errp);

    if (result < 0) {
        return result;
    }
    while ((result = ram_save_iterate(save, RUN_PAGES, errp)) > 0) {
        const unsigned ms = ram_save_wait_ms(save);

        if (ms > 0) {
            sleep_unlocked(ms);
        }
    }
    return result < 0 ? result : ram_save_complete(save, errp);
}
