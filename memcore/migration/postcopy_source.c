/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source's driver: precopy, the switch, postcopy (R-PC-40, R-PC-52, R-WIRE-6). */
#include "migration/postcopy_source.h"

#include <string.h>

#include "base/state.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/postcopy_incoming.h"
#include "migration/postcopy_wire.h"
#include "ram/host_memory.h"

enum { PART_PAGES = 64, ROUNDS_MAX = 30, FEW_PAGES = 64 };
enum { DEVICES_MAX = (16 << 20) - 10 };         /* what a destination takes, LISTEN and RUN included */

static bool flush(MigrationState *ms, Error **errp)
{
    GByteArray *bytes = ms->source->bytes;
    const int result = bytes->len ? ms->transport.send(ms->transport.opaque, bytes->data, bytes->len) : 0;

    g_byte_array_set_size(bytes, 0);
    if (result < 0) {
        error_setg_errno(errp, -result, "the connection to the destination broke");
    }
    return result == 0;
}

/* --- setup ------------------------------------------------------------------------------------ */

static bool check_parameters(const MigrationState *ms, Error **errp)
{
    const size_t machine = ms->machine ? strlen(ms->machine) : 4;

    if (machine < 1 || machine > 255) {
        error_setg(errp, "the machine name has %zu bytes; 1 to 255 are allowed", machine);
        return false;
    }
    if (ms->family_page_bits > TARGET_PAGE_BITS) {
        error_setg(errp, "the smallest page has %u bits, the target's %d", ms->family_page_bits, TARGET_PAGE_BITS);
        return false;
    }
    if (TARGET_PAGE_SIZE > host_page_size()) {
        error_setg(errp, "the target's pages of 0x%llx are larger than the host's", TARGET_PAGE_SIZE);
        return false;
    }
    return true;
}

static bool send_setup(MigrationState *ms, Error **errp)
{
    const WriterConfiguration configuration = {
        .machine = ms->machine ? ms->machine : "none",
        .family_page_bits = ms->family_page_bits,
        .uuid = ms->uuid,
    };
    PostcopySource *source = ms->source;
    uint64_t page_sizes = 0;

    for (size_t i = 0; i < source->block_count; i++) {
        page_sizes |= source->blocks[i].block->page_size;
    }
    wire_begin(source->bytes, &configuration);
    wire_command(source->bytes, WIRE_OPEN_RETURN_PATH, NULL, 0);
    wire_ping(source->bytes, 1);
    wire_advise(source->bytes, page_sizes, TARGET_PAGE_SIZE);
    wire_ram_start(source->bytes, source->pages * TARGET_PAGE_SIZE);
    for (size_t i = 0; i < source->block_count; i++) {
        const RAMBlock *block = source->blocks[i].block;

        wire_ram_block(source->bytes, block->idstr, source->blocks[i].used_length,
                       wire_lists_page_size(block->page_size, host_page_size()) ? block->page_size : 0);
    }
    wire_end_of_section(source->bytes);
    return flush(ms, errp);
}

static bool set_up(MigrationState *ms, Error **errp)
{
    bool done;

    qemu_mutex_lock_iothread();
    done = source_blocks_init(ms, errp);
    if (done) {
        memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
        ms->source->logging = true;
        done = source_look_for_dirty(ms, errp);
    }
    qemu_mutex_unlock_iothread();
    return done && source_return_start(ms, errp) && send_setup(ms, errp);
}

/* --- pages ------------------------------------------------------------------------------------- */

/* A section of pages, each of which goes out at once: somebody may wait for it. */
static bool send_part(MigrationState *ms, Error **errp)
{
    PostcopySource *source = ms->source;

    wire_section(source->bytes, WIRE_PART);
    for (unsigned i = 0; i < PART_PAGES && source_return_fine(source) && source_add_page(ms); i++) {
        if (!flush(ms, errp)) {
            return false;
        }
    }
    wire_end_of_section(source->bytes);
    return flush(ms, errp);
}

/* False, and the error is ms's already. */
static bool may_go_on(const MigrationState *ms)
{
    return migration_status_get(&ms->status) != MIGRATION_STATUS_FAILED;
}

static bool precopy(MigrationState *ms, Error **errp)
{
    PostcopySource *source = ms->source;
    const unsigned rounds = ms->max_rounds ? ms->max_rounds : ROUNDS_MAX;
    bool done = true;

    while (done && may_go_on(ms) && !__atomic_load_n(&ms->start_postcopy, __ATOMIC_RELAXED)) {
        if (source->remaining > 0) {
            done = send_part(ms, errp);
            continue;
        }
        if (ms->counters.syncs >= rounds) {
            break;
        }
        qemu_mutex_lock_iothread();
        done = source_look_for_dirty(ms, errp);
        qemu_mutex_unlock_iothread();
        if (source->remaining < FEW_PAGES) {
            break;
        }
    }
    return done && may_go_on(ms);
}

/* --- the switch -------------------------------------------------------------------------------- */

static bool last_look(MigrationState *ms, Error **errp)
{
    bool done;

    qemu_mutex_lock_iothread();
    done = source_look_for_dirty(ms, errp);
    qemu_mutex_unlock_iothread();
    return done;
}

/* From here on the guest is the destination's; *gone: its package may have arrived. */
static bool switch_over(MigrationState *ms, bool *gone, Error **errp)
{
    const void *devices = NULL;
    size_t length = 0;

    if (ms->stop_writers) {
        ms->stop_writers(ms->opaque);
        ms->source->stopped = true;
    }
    if (!last_look(ms, errp)) {
        return false;
    }
    if (ms->save_devices) {
        devices = ms->save_devices(ms->opaque, &length);
    }
    if (length > DEVICES_MAX) {
        error_setg(errp, "the devices have %zu bytes, more than %d", length, DEVICES_MAX);
        return false;
    }
    source_announce(ms);
    if (!may_go_on(ms)) {
        return false;
    }
    *gone = true;
    migration_status_set(&ms->status, MIGRATION_STATUS_POSTCOPY_ACTIVE);
    wire_ping(ms->source->bytes, 2);
    wire_package(ms->source->bytes, devices, length);
    wire_ping(ms->source->bytes, 4);
    return flush(ms, errp);
}

static bool postcopy(MigrationState *ms, Error **errp)
{
    PostcopySource *source = ms->source;

    while (source->remaining > 0 && may_go_on(ms)) {
        if (!send_part(ms, errp)) {
            return false;
        }
    }
    qemu_mutex_lock(&source->mutex);
    source->ended = true;
    qemu_mutex_unlock(&source->mutex);
    wire_section(source->bytes, WIRE_END);
    wire_end_of_section(source->bytes);
    g_byte_array_append(source->bytes, (const guint8[]){ WIRE_EOF }, 1);
    if (!may_go_on(ms) || !flush(ms, errp)) {
        return false;
    }
    if (!source_wait_shut(ms)) {
        error_setg(errp, "the destination has not confirmed that it has everything");
        return false;
    }
    return true;
}

/* --- the driver --------------------------------------------------------------------------------- */

static void source_new(MigrationState *ms)
{
    PostcopySource *source = g_new0(PostcopySource, 1);

    source->bytes = g_byte_array_new();
    qemu_mutex_init(&source->mutex);
    pthread_cond_init(&source->changed, NULL);
    ms->source = source;
}

static void source_free(MigrationState *ms)
{
    PostcopySource *source = ms->source;

    qemu_mutex_lock_iothread();
    if (source->logging) {
        memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    }
    source_blocks_free(source);
    qemu_mutex_unlock_iothread();
    g_byte_array_unref(source->bytes);
    g_queue_clear_full(&source->requests, g_free);
    pthread_cond_destroy(&source->changed);
    qemu_mutex_destroy(&source->mutex);
    g_free(source);
    ms->source = NULL;
}

int ram_migrate_source(MigrationState *ms)
{
    Error *error = NULL;
    bool gone = false, stopped, done;

    memcore_require(!qemu_mutex_iothread_locked(), "R-PC-52", "called with the big lock");
    memcore_require(!ms->source, "R-PC-52", "the state %p is in use", (void *)ms);
    source_new(ms);
    migration_status_set(&ms->status, MIGRATION_STATUS_SETUP);
    done = check_parameters(ms, &error) && set_up(ms, &error);
    if (done && may_go_on(ms)) {
        migration_status_set(&ms->status, MIGRATION_STATUS_ACTIVE);
    }
    done = done && precopy(ms, &error) && switch_over(ms, &gone, &error) && postcopy(ms, &error);
    if (!done && error) {
        postcopy_source_fail(ms, error);
    }
    source_return_stop(ms);
    memcore_verify(done || ms->error);
    stopped = ms->source->stopped;
    source_free(ms);
    if (!done) {
        if (stopped && !gone && ms->resume_writers) {
            ms->resume_writers(ms->opaque);
        }
        return -1;
    }
    migration_status_set(&ms->status, MIGRATION_STATUS_COMPLETED);
    return 0;
}
