/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subject is memcore.
 */
#include "run/subject.h"

#include <stdio.h>
#include <stdlib.h>

#include "hw/qdev-core.h"
#include "memcore/bitmap_discard_manager.h"
#include "memcore/memcore.h"

const char *subject_name(void)
{
#ifdef MEMCORE_VERIFY
    return "memcore " MEMCORE_VERSION " (VERIFY)";
#else
    return "memcore " MEMCORE_VERSION;
#endif
}

const char *subject_default_profile(void)
{
    return "memcore";
}

/* --- owners -------------------------------------------------------------------- */

#define TYPE_HARNESS_OWNER "harness-owner"

struct harness_owner {
    DeviceState device;
    void (*finalized)(void *opaque);
    void *opaque;
};

static void owner_finalize(Object *object)
{
    struct harness_owner *owner = (struct harness_owner *)object;

    if (owner->finalized) {
        owner->finalized(owner->opaque);
    }
}

static const TypeInfo owner_type = {
    .name = TYPE_HARNESS_OWNER,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(struct harness_owner),
    .instance_finalize = owner_finalize,
};

Object *subject_owner_new(const char *id, void (*finalized)(void *opaque), void *opaque)
{
    struct harness_owner *owner = (struct harness_owner *)object_new(TYPE_HARNESS_OWNER);

    device_set_id(&owner->device, id);
    device_set_path(&owner->device, id);
    owner->finalized = finalized;
    owner->opaque = opaque;
    return OBJECT(owner);
}

unsigned subject_owner_references(Object *owner)
{
    return memcore_object_references(owner);
}

/* --- planted failures ------------------------------------------------------------- */

static struct {
    size_t nth, calls;
    int error;
} planted = { .nth = SIZE_MAX };

static struct {
    void (*interrupt)(void *opaque);
    void *opaque;
} interruption;

void subject_set_interruption(void (*interrupt)(void *opaque), void *opaque)
{
    interruption.interrupt = interrupt;
    interruption.opaque = opaque;
}

static int ask_planted(void *opaque, MemcoreFault kind)
{
    (void)opaque;
    (void)kind;
    if (interruption.interrupt) {
        interruption.interrupt(interruption.opaque);
    }
    return planted.calls++ == planted.nth ? planted.error : 0;
}

size_t subject_plant_failure(size_t nth, int error)
{
    const size_t calls = planted.calls;

    planted.nth = nth;
    planted.calls = 0;
    planted.error = error;
    return calls;
}

/* --- another thread ----------------------------------------------------------------- */

static struct {
    void (*play)(void *opaque);
    void *opaque;
} other_thread;

bool subject_set_meanwhile(void (*play)(void *opaque), void *opaque)
{
    other_thread.play = play;
    other_thread.opaque = opaque;
    return true;
}

static void on_place(void *opaque, MemcorePlace place)
{
    void (*const play)(void *opaque) = other_thread.play;

    (void)opaque;
    (void)place;
    if (play) {
        other_thread.play = NULL;
        play(other_thread.opaque);
    }
}

/* --- the rest ------------------------------------------------------------------ */

void subject_start(void)
{
    static bool started;

    if (!started) {
        started = true;
        memcore_init(MEMCORE_RECLAIM_MANUAL);
        /* For good: were they set by the first input that needs them, that one would take other edges. */
        memcore_set_fault(ask_planted, NULL);
        memcore_set_meanwhile(on_place, NULL);
        type_register_static(&owner_type);
    }
}

void subject_drain(void)
{
    memcore_drain();
}

size_t subject_deferred(void)
{
    return memcore_deferred();
}

static void (*flush_hook)(void);

static void on_flush(void *opaque)
{
    (void)opaque;
    if (flush_hook) {
        flush_hook();
    }
}

void subject_set_coalesced_flush_hook(void (*hook)(void))
{
    flush_hook = hook;
    memcore_set_coalesced_flush(on_flush, NULL);
}

void subject_set_vm_running(bool running)
{
    memcore_set_vm_running(running);
}

void subject_set_code_tracking(bool on)
{
    memcore_set_code_tracking(on);
}

static void (*code_hook)(uint64_t start, uint64_t end);

static void on_code_written(void *opaque, uint64_t start, uint64_t end)
{
    (void)opaque;
    if (code_hook) {
        code_hook(start, end);
    }
}

void subject_set_code_hook(void (*hook)(uint64_t start, uint64_t end))
{
    code_hook = hook;
    memcore_set_code_invalidate(on_code_written, NULL);
}

void subject_run_bottom_halves(void)
{
    memcore_run_bottom_halves();
}

static void print_to_stream(void *opaque, const char *text)
{
    fputs(text, opaque);
}

struct printed {
    char *text;
    size_t size;
    FILE *stream;
};

static void print_begin(struct printed *printed)
{
    printed->stream = open_memstream(&printed->text, &printed->size);
    if (!printed->stream) {
        abort();
    }
    memcore_set_print(print_to_stream, printed->stream);
}

static char *print_end(struct printed *printed)
{
    memcore_set_print(NULL, NULL);
    fclose(printed->stream);
    return printed->text;
}

char *subject_mtree(bool flatview, bool dispatch_tree, bool owner, bool disabled)
{
    struct printed printed;

    print_begin(&printed);
    mtree_info(flatview, dispatch_tree, owner, disabled);
    return print_end(&printed);
}

char *subject_ram_dump(void)
{
    struct printed printed;

    print_begin(&printed);
    ram_block_dump(NULL);
    return print_end(&printed);
}

size_t subject_live_views(void)
{
    MemcoreStatistics statistics;

    memcore_statistics(&statistics);
    return statistics.flat_views;
}

size_t subject_live_blocks(void)
{
    MemcoreStatistics statistics;

    memcore_statistics(&statistics);
    return statistics.ram_blocks;
}

/* --- a discard manager ------------------------------------------------------------ */

static BitmapDiscardManager *bitmap_manager(struct subject_manager *manager)
{
    return (BitmapDiscardManager *)manager;
}

struct subject_manager *subject_manager_new(MemoryRegion *mr, uint64_t granularity,
                                            const struct subject_manager_hooks *hooks, Error **errp)
{
    const BitmapDiscardHooks same = { hooks->busy, hooks->preallocate, hooks->opaque };

    return (struct subject_manager *)bitmap_discard_manager_new(mr, granularity, &same, errp);
}

bool subject_manager_destroy(struct subject_manager *manager, Error **errp)
{
    return bitmap_discard_manager_destroy(bitmap_manager(manager), errp);
}

RamDiscardManager *subject_manager_object(struct subject_manager *manager)
{
    return RAM_DISCARD_MANAGER(bitmap_manager(manager));
}

int subject_manager_plug(struct subject_manager *manager, uint64_t offset, uint64_t length)
{
    return bitmap_discard_manager_plug(bitmap_manager(manager), offset, length);
}

int subject_manager_unplug(struct subject_manager *manager, uint64_t offset, uint64_t length)
{
    return bitmap_discard_manager_unplug(bitmap_manager(manager), offset, length);
}

int subject_manager_unplug_all(struct subject_manager *manager)
{
    return bitmap_discard_manager_unplug_all(bitmap_manager(manager));
}

int subject_manager_load(struct subject_manager *manager, uint64_t bits)
{
    const size_t words = (size_t)(bitmap_discard_manager_granules(bitmap_manager(manager)) + 63) / 64;
    unsigned long *all = calloc(words + 1, sizeof(*all));
    int result;

    if (!all) {
        abort();
    }
    for (size_t i = 0; i < words; i++) {
        all[i] = bits;
    }
    result = bitmap_discard_manager_load(bitmap_manager(manager), all);
    free(all);
    return result;
}

const char *subject_manager_state(struct subject_manager *manager, uint64_t offset, uint64_t length)
{
    static const char *const names[] = {
        [BITMAP_DISCARD_DISCARDED] = "discarded",
        [BITMAP_DISCARD_POPULATED] = "populated",
        [BITMAP_DISCARD_MIXED] = "mixed",
    };

    return names[bitmap_discard_manager_state(bitmap_manager(manager), offset, length)];
}

uint64_t subject_manager_populated_bytes(struct subject_manager *manager)
{
    return bitmap_discard_manager_populated_bytes(bitmap_manager(manager));
}
