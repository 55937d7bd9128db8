/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a destination, from empty RAM to the last page (R-PC-13..20, R-PC-24, R-PC-25). */
#include "migration/postcopy_incoming.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/state.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/postcopy_uffd.h"
#include "ram/host_memory.h"
#include "ram/ram_block.h"

static MigrationIncomingState *active;      /* under the big lock; one at a time (R-PC-51) */

void postcopy_fail(MigrationIncomingState *mis, Error *error)
{
    PostcopyIncoming *postcopy = mis->postcopy;

    if (postcopy) {
        qemu_mutex_lock(&postcopy->page_request_mutex);
    }
    memcore_verify(error || mis->error);
    if (mis->error) {
        error_free(error);
    } else {
        mis->error = error;
    }
    migration_status_set(&mis->status, MIGRATION_STATUS_FAILED);
    if (postcopy) {
        qemu_mutex_unlock(&postcopy->page_request_mutex);
    }
}

static bool require_setup(const MigrationIncomingState *mis, Error **errp)
{
    if (!mis->postcopy) {
        error_setg(errp, "no incoming postcopy is set up");
        return false;
    }
    return true;
}

/* --- init ---------------------------------------------------------------------------------- */

/* What it had there before it shrank, and received, is gone. */
static bool empty_growth(RAMBlock *block, uint64_t old_length, uint64_t new_length)
{
    const uint64_t length = new_length - old_length;

    ramblock_recv_bitmap_clear_range(block, block->host + old_length, length / TARGET_PAGE_SIZE);
    return ram_block_discard_range(block, old_length, length) == 0;
}

/* A block that is resized while pages come (R-POST-1). */
static void resized(RAMBlockNotifierExtended *notifier, void *host, size_t old_length, size_t new_length)
{
    const PostcopyIncoming *postcopy = active->postcopy;
    RAMBlock *block = NULL;
    Error *error = NULL;

    (void)notifier;
    for (size_t i = 0; i < postcopy->block_count; i++) {
        block = postcopy->blocks[i].block->host == host ? postcopy->blocks[i].block : block;
    }
    if (!block || postcopy_state_get() >= POSTCOPY_INCOMING_RUNNING) {
        return;
    }
    if (postcopy_state_get() != POSTCOPY_INCOMING_ADVISE) {
        error_setg(&error, "block \"%s\" is resized in postcopy state \"%s\"", ram_block_label(block),
                   postcopy_state_name(postcopy_state_get()));
    } else if (new_length > old_length && !empty_growth(block, old_length, new_length)) {
        error_setg(&error, "block \"%s\" grows, and its new part cannot be discarded", ram_block_label(block));
    } else {
        block->postcopy_length = new_length;
        return;
    }
    postcopy_fail(active, error);
}

static unsigned long *new_bitmap(const RAMBlock *block)
{
    return g_new0(unsigned long, block->max_length / block->page_size / WORD_BITS + 1);
}

static PostcopyIncoming *new_incoming(void)
{
    PostcopyIncoming *postcopy = g_new0(PostcopyIncoming, 1);
    RAMBlock *block;
    size_t count = 0;

    RAMBLOCK_FOREACH(block) {
        count += postcopy_takes_part(block);
    }
    postcopy->host = postcopy_host();
    postcopy->blocks = g_new0(PostcopyBlock, count);
    postcopy->fd = postcopy->quit_fd = -1;
    postcopy->largest_page = host_page_size();
    RAMBLOCK_FOREACH(block) {
        if (postcopy_takes_part(block)) {
            postcopy->blocks[postcopy->block_count++] = (PostcopyBlock){
                .block = block,
                .requested = new_bitmap(block),
                .claimed = new_bitmap(block),
            };
            postcopy->largest_page = MAX(postcopy->largest_page, block->page_size);
        }
    }
    qemu_mutex_init(&postcopy->page_request_mutex);
    qemu_mutex_init(&postcopy->rp_mutex);
    return postcopy;
}

/* Everything that does not depend on being registered with the kernel. */
static void free_incoming(MigrationIncomingState *mis)
{
    PostcopyIncoming *postcopy = mis->postcopy;

    for (size_t i = 0; i < postcopy->block_count; i++) {
        PostcopyBlock *entry = &postcopy->blocks[i];

        ramblock_recv_bitmap_free(entry->block);
        entry->block->postcopy_length = 0;
        g_free(entry->requested);
        g_free(entry->claimed);
    }
    if (postcopy->tmp_page) {
        munmap(postcopy->tmp_page, postcopy->largest_page);
    }
    if (postcopy->zero_page) {
        munmap(postcopy->zero_page, postcopy->largest_page);
    }
    qemu_mutex_destroy(&postcopy->page_request_mutex);
    qemu_mutex_destroy(&postcopy->rp_mutex);
    g_free(postcopy->blocks);
    g_free(postcopy);
    mis->postcopy = NULL;
    active = NULL;
}

static bool empty_block(RAMBlock *block, Error **errp)
{
    if (!block->receivedmap) {
        ramblock_recv_bitmap_init(block);
    }
    block->postcopy_length = block->used_length;
    ramblock_recv_bitmap_clear_range(block, block->host, block->used_length / TARGET_PAGE_SIZE);
    if (ram_block_discard_range(block, 0, block->used_length) != 0) {
        error_setg(errp, "block \"%s\" cannot be emptied", ram_block_label(block));
        return false;
    }
    return true;
}

bool postcopy_incoming_init(MigrationIncomingState *mis, Error **errp)
{
    if (active) {
        error_setg(errp, "another incoming migration is active");
        return false;
    }
    if (!postcopy_event_allowed(POSTCOPY_EVENT_ADVISE, errp)) {
        return false;
    }
    mis->postcopy = new_incoming();
    active = mis;
    for (size_t i = 0; i < mis->postcopy->block_count; i++) {
        if (!empty_block(mis->postcopy->blocks[i].block, errp)) {
            free_incoming(mis);
            return false;
        }
    }
    mis->postcopy->notifier.ram_block_resized = resized;
    ram_block_notifier_add_extended(&mis->postcopy->notifier);
    postcopy_state_set(POSTCOPY_INCOMING_ADVISE);
    return true;
}

/* --- discards ------------------------------------------------------------------------------ */

/* Failing is no trouble: a kernel without huge pages (R-PC-14). */
static void advise_all(const PostcopyIncoming *postcopy, int advice)
{
    for (size_t i = 0; i < postcopy->block_count; i++) {
        madvise(postcopy->blocks[i].block->host, postcopy->blocks[i].block->postcopy_length, advice);
    }
}

bool postcopy_prepare_discard(MigrationIncomingState *mis, Error **errp)
{
    if (!require_setup(mis, errp)) {
        return false;
    }
    if (postcopy_state_get() != POSTCOPY_INCOMING_ADVISE) {
        error_setg(errp, "discards were prepared in postcopy state \"%s\"", postcopy_state_name(postcopy_state_get()));
        return false;
    }
    advise_all(mis->postcopy, MADV_NOHUGEPAGE);
    postcopy_state_set(POSTCOPY_INCOMING_DISCARD);
    return true;
}

bool postcopy_discard_range(MigrationIncomingState *mis, uint8_t *start, size_t length, Error **errp)
{
    const PostcopyState state = postcopy_state_get();
    PostcopyBlock *entry;
    uint64_t offset;
    size_t pages;
    int result;

    if (!require_setup(mis, errp)) {
        return false;
    }
    if (state >= POSTCOPY_INCOMING_RUNNING || state == POSTCOPY_INCOMING_NONE) {
        error_setg(errp, "0x%zx bytes are to be discarded in postcopy state \"%s\"", length,
                   postcopy_state_name(state));
        return false;
    }
    entry = postcopy_find(mis->postcopy, start);
    offset = entry ? (uint64_t)(start - entry->block->host) : 0;
    if (!entry || offset > entry->block->postcopy_length || length > entry->block->postcopy_length - offset) {
        error_setg(errp, "0x%zx bytes to be discarded are not all in one block", length);
        return false;
    }
    if (offset % entry->block->page_size || length % entry->block->page_size) {
        error_setg(errp, "block \"%s\": 0x%zx bytes to be discarded at 0x%" PRIx64 " are no whole pages of 0x%zx",
                   ram_block_label(entry->block), length, offset, entry->block->page_size);
        return false;
    }
    pages = length / TARGET_PAGE_SIZE;
    ramblock_recv_bitmap_clear_range(entry->block, start, pages);
    result = ram_block_discard_range(entry->block, offset, length);
    if (result != 0) {
        error_setg_errno(errp, result < -1 ? -result : 0, "block \"%s\": 0x%zx bytes at 0x%" PRIx64
                         " cannot be discarded", ram_block_label(entry->block), length, offset);
        return false;
    }
    postcopy_count(mis->counters.discarded, pages);
    return true;
}

/* --- listening ------------------------------------------------------------------------------ */

/* The descriptor: what it can do is asked with one of its own (R-PC 6.1). */
static int open_descriptor(const PostcopyHost *host)
{
    PostcopyHostAbilities abilities;
    int fd;

    if (memcore_fault(MEMCORE_FAULT_OPEN)) {
        return -errno;
    }
    fd = host->open(host->opaque, 0, &abilities);
    if (fd < 0) {
        return fd;
    }
    host->close(host->opaque, fd);
    return host->open(host->opaque, abilities.features & (UFFD_MISSING_HUGETLBFS | UFFD_THREAD_ID), &abilities);
}

static bool enroll_blocks(PostcopyIncoming *postcopy, Error **errp)
{
    for (size_t i = 0; i < postcopy->block_count; i++) {
        PostcopyBlock *entry = &postcopy->blocks[i];
        uint64_t ioctls = 0;
        int result;

        if (entry->block->postcopy_length == 0) {
            continue;
        }
        /* Before: from then on a thread may wait, and the fault thread place a page. */
        __atomic_store_n(&entry->enrolled, true, __ATOMIC_RELEASE);
        result = postcopy->host->enroll(postcopy->host->opaque, postcopy->fd, entry->block->host,
                                        entry->block->postcopy_length, &ioctls);
        if (result < 0) {
            __atomic_store_n(&entry->enrolled, false, __ATOMIC_RELEASE);
            error_setg_errno(errp, -result, "block \"%s\" cannot be registered", ram_block_label(entry->block));
            return false;
        }
        if (!(ioctls & UFFD_CAN_COPY)) {
            error_setg(errp, "block \"%s\" was registered, but its pages cannot be placed",
                       ram_block_label(entry->block));
            return false;
        }
        if (ioctls & UFFD_CAN_ZEROPAGE) {
            qemu_ram_set_uf_zeroable(entry->block);
            __atomic_store_n(&entry->zeroable, true, __ATOMIC_RELEASE);
        }
    }
    return true;
}

/* As before enable_notify.  False: a range could not be let go of. */
static bool stop_listening(PostcopyIncoming *postcopy, Error **errp)
{
    bool clean = true;

    postcopy_fault_thread_stop(postcopy);
    for (size_t i = 0; i < postcopy->block_count; i++) {
        PostcopyBlock *entry = &postcopy->blocks[i];

        if (entry->enrolled) {
            const int result = postcopy->host->dismiss(postcopy->host->opaque, postcopy->fd, entry->block->host,
                                                       entry->block->postcopy_length);

            if (result < 0 && clean) {
                clean = false;
                error_setg_errno(errp, -result, "block \"%s\" cannot be unregistered", ram_block_label(entry->block));
            }
        }
        entry->enrolled = entry->zeroable = false;
        entry->block->flags &= ~(uint32_t)RAM_UF_ZEROPAGE;
    }
    if (postcopy->fd >= 0) {
        postcopy->host->close(postcopy->host->opaque, postcopy->fd);
    }
    if (postcopy->quit_fd >= 0) {
        close(postcopy->quit_fd);
    }
    postcopy->fd = postcopy->quit_fd = -1;
    return clean;
}

static bool start_listening(MigrationIncomingState *mis, Error **errp)
{
    PostcopyIncoming *postcopy = mis->postcopy;

    postcopy->fd = open_descriptor(postcopy->host);
    if (postcopy->fd < 0) {
        error_setg_errno(errp, -postcopy->fd, "the host has no userfaultfd for us");
        postcopy->fd = -1;
        return false;
    }
    postcopy->quit_fd = memcore_fault(MEMCORE_FAULT_EVENTFD) ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (postcopy->quit_fd < 0) {
        error_setg_errno(errp, errno, "no eventfd to end the fault thread with");
        return false;
    }
    if (!postcopy->zero_page && !(postcopy->zero_page = postcopy_map(postcopy->largest_page))) {
        error_setg_errno(errp, errno, "no memory for a page of zeroes");
        return false;
    }
    if (!postcopy_get_tmp_page(mis)) {
        error_setg(errp, "no memory for a page to receive into");
        return false;
    }
    return postcopy_fault_thread_start(mis, errp) && enroll_blocks(postcopy, errp);
}

bool postcopy_enable_notify(MigrationIncomingState *mis, Error **errp)
{
    if (!postcopy_event_allowed(POSTCOPY_EVENT_LISTEN, errp) || !require_setup(mis, errp)) {
        return false;
    }
    if (postcopy_state_get() == POSTCOPY_INCOMING_ADVISE) {
        advise_all(mis->postcopy, MADV_NOHUGEPAGE);
    }
    if (!start_listening(mis, errp)) {
        stop_listening(mis->postcopy, NULL);
        return false;
    }
    /* Last, or RUN would be refused (R-PC-2). */
    postcopy_state_set(POSTCOPY_INCOMING_LISTENING);
    return true;
}

/* --- the end ------------------------------------------------------------------------------- */

static bool check_complete(const PostcopyIncoming *postcopy, Error **errp)
{
    for (size_t i = 0; i < postcopy->block_count; i++) {
        RAMBlock *block = postcopy->blocks[i].block;

        for (uint64_t offset = 0; offset < block->postcopy_length; offset += TARGET_PAGE_SIZE) {
            if (!ramblock_recv_bitmap_test_byte_offset(block, offset) && !postcopy_is_discarded(block, offset)) {
                error_setg(errp, "block \"%s\": page at 0x%" PRIx64 " is missing", ram_block_label(block), offset);
                return false;
            }
        }
    }
    return true;
}

bool postcopy_cleanup(MigrationIncomingState *mis, Error **errp)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    Error *error = NULL;
    bool clean, failed;

    if (!postcopy) {
        return true;
    }
    if (postcopy->fd >= 0 && !mis->abandon && !check_complete(postcopy, &error)) {
        postcopy_fail(mis, error_copy(error));
        error_propagate(errp, error);
        return false;
    }
    advise_all(postcopy, MADV_HUGEPAGE);
    clean = stop_listening(postcopy, errp);
    if (mis->lock_memory && mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        error_setg_errno(&error, errno, "memory is not locked any more");
        warn_report_err(error);
    }
    failed = migration_status_get(&mis->status) == MIGRATION_STATUS_FAILED || !clean;
    ram_block_notifier_remove_extended(&postcopy->notifier);
    postcopy_state_set(POSTCOPY_INCOMING_END);
    if (postcopy_send_shut(mis, failed) < 0 && !failed) {
        error_setg(&error, "the source could not be told that everything arrived");
        warn_report_err(error);
    }
    free_incoming(mis);
    return clean;
}

/* --- the same, with messages ---------------------------------------------------------------- */

static int told(bool done, Error *error)
{
    if (!done) {
        error_prepend(&error, "postcopy: ");
        error_report_err(error);
    }
    return done ? 0 : -1;
}

int postcopy_ram_incoming_init(MigrationIncomingState *mis, size_t ram_pages)
{
    Error *error = NULL;

    (void)ram_pages;
    memcore_ensure_init();
    memcore_require_big_lock("R-PC-13");
    const bool done = postcopy_incoming_init(mis, &error);

    return told(done, error);
}

int postcopy_ram_prepare_discard(MigrationIncomingState *mis)
{
    Error *error = NULL;

    memcore_require_big_lock("R-PC-14");
    const bool done = postcopy_prepare_discard(mis, &error);

    return told(done, error);
}

int postcopy_ram_discard_range(MigrationIncomingState *mis, uint8_t *start, size_t length)
{
    Error *error = NULL;

    memcore_require_big_lock("R-PC-15");
    const bool done = postcopy_discard_range(mis, start, length, &error);

    return told(done, error);
}

int postcopy_ram_enable_notify(MigrationIncomingState *mis)
{
    Error *error = NULL;

    memcore_require_big_lock("R-PC-20");
    const bool done = postcopy_enable_notify(mis, &error);

    return told(done, error);
}

int postcopy_ram_incoming_cleanup(MigrationIncomingState *mis)
{
    Error *error = NULL;

    memcore_require_big_lock("R-PC-24");
    const bool done = postcopy_cleanup(mis, &error);

    return told(done, error);
}
