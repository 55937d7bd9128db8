/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6: calls in the wrong state; blocks and places that do not fit. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "postcopy_reader.h"
#include "postcopy_stage.h"

static RAMBlock *resizeable(const char *name, size_t pages, bool migratable)
{
    RAMBlock *block = stage_migratable(stage_resizeable(name, pages * host_page, 8 * host_page, NULL), name);

    if (!migratable) {
        qemu_ram_unset_migratable(block);
    }
    return block;
}

static void not_set_up(void)
{
    void *page;

    destination_begin(KIND_ANONYMOUS);
    page = g_malloc0(host_page);
    postcopy_state_set(POSTCOPY_INCOMING_ADVISE);       /* says who? */
    check_number(postcopy_ram_prepare_discard(&mis), (uint64_t)-1);
    check_number(postcopy_ram_discard_range(&mis, ram->host, host_page), (uint64_t)-1);
    check_number(postcopy_ram_enable_notify(&mis), (uint64_t)-1);
    check_number(postcopy_place_page(&mis, ram->host, page), -EINVAL);
    check_number(postcopy_ram_fault(&mis, ram->host), -EINVAL);
    check_number(ram->host[0], 0x11);
    check_pointer(postcopy_get_tmp_page(&mis), NULL);
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_fault(&mis, ram->host), -EINVAL);         /* nobody can wait yet */
    check_number(postcopy_place_page(&mis, page, page), -EINVAL);       /* in no block */
    destination_end();
    g_free(page);
}

/* What is not migrated may change; what is follows, until something has been discarded. */
static void resized(void)
{
    RAMBlock *flash, *other;

    destination_begin(KIND_ANONYMOUS);
    flash = resizeable("flash", 2, true);
    other = resizeable("other", 2, false);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(qemu_ram_resize(other, 4 * host_page, &error_abort), 0);
    check_number(qemu_ram_resize(flash, 4 * host_page, &error_abort), 0);
    check_number(flash->postcopy_length, 4 * host_page);
    check_number(qemu_ram_resize(flash, host_page, &error_abort), 0);
    check_number(flash->postcopy_length, host_page);
    check_number(mis.status, MIGRATION_STATUS_NONE);
    host_refuses(MEMCORE_FAULT_MADVISE, EIO);
    check_number(qemu_ram_resize(flash, 4 * host_page, &error_abort), 0);
    host_agrees();
    check_number(mis.status, MIGRATION_STATUS_FAILED);
    check(mis.error && strstr(error_get_pretty(mis.error), "its new part cannot be discarded"));
    destination_end();
}

/* Between the used part of a block and its end there is nothing to discard; and the host may refuse. */
static void discards(void)
{
    RAMBlock *flash;

    destination_begin(KIND_ANONYMOUS);
    flash = resizeable("flash", 2, true);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_discard_range(&mis, flash->host + 3 * host_page, 0), (uint64_t)-1);
    check_number(postcopy_ram_discard_range(&mis, flash->host + 2 * host_page, host_page), (uint64_t)-1);
    host_refuses(MEMCORE_FAULT_MADVISE, EIO);
    check_number(postcopy_ram_discard_range(&mis, flash->host, host_page), (uint64_t)-1);
    host_agrees();
    check_number(mis.counters.discarded, 0);
    check_number(postcopy_ram_discard_range(&mis, flash->host, 2 * host_page), 0);
    check_number(mis.counters.discarded, 2 * host_page / TARGET_PAGE_SIZE);
    destination_end();
}

/* A block of which nothing is used is neither registered nor waited for. */
static void empty_block(void)
{
    destination_begin(KIND_ANONYMOUS);
    resizeable("flash", 0, true);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    lying.calls = 0;
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check_number(lying.calls, 3);       /* two descriptors, one block */
    destination_complete();
}

static void cannot_copy(void)
{
    destination_begin(KIND_ANONYMOUS);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    lying.range_without = UINT64_MAX;
    check_number(postcopy_ram_enable_notify(&mis), (uint64_t)-1);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_DISCARD);
    destination_end();
}

/* No hook to ask with, and no connection. */
static void nobody_to_ask(void)
{
    destination_begin(KIND_ANONYMOUS);
    mis.request_page = NULL;
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check_number(postcopy_ram_fault(&mis, ram->host), -ENOTCONN);
    check_number(mis.status, MIGRATION_STATUS_FAILED);
    check_number(postcopy_ram_fault(&mis, ram->host + host_page), 0);   /* not asked for any more: who waits, waits */
    check_number(mis.counters.requests, 1);
    destination_end();
}

/* ---- a stream's end ---- */

static int send_all_but_shut(void *opaque, const void *bytes, size_t length)
{
    const uint8_t *message = bytes;

    return message[1] == 1 ? -EPIPE : tape_transport(opaque).send(opaque, bytes, length);
}

/* Everything arrived: that the source cannot be told is no failure here. */
static void source_is_gone(void)
{
    reader_begin();
    reader.mis.transport.send = send_all_but_shut;
    put_all();
    check_number(reader_receive(), 0);
    check_number(reader.mis.status, MIGRATION_STATUS_COMPLETED);
    reader_end();
}

/* Before the first page, and after the last one, which comes too late to be refused: all is here, and nothing waits. */
static void host_fails(void)
{
    unsigned calls = 0;

    reader_begin();
    put_all();
    host_refuses(MEMCORE_FAULT_MADVISE, EIO);
    reader_refused("block \"ram\" cannot be emptied");
    host_agrees();
    reader_end();
    for (unsigned turn = 0; turn < 2; turn++) {
        reader_begin();
        lying_host();
        lying.fail_at = calls;          /* the last: dismiss */
        lying.fail_with = -EIO;
        put_all();
        check_number(reader_receive(), turn ? (uint64_t)-1 : 0);
        check(!turn || strstr(error_get_pretty(reader.mis.error), "block \"ram\" cannot be unregistered"));
        calls = lying.calls;
        postcopy_set_host(NULL);
        reader_end();
    }
}

/* A block that nothing can be written to, before LISTEN and in a list. */
static void read_only(void)
{
    const int fd = memfd_create("rom", MFD_CLOEXEC);
    char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    reader_begin();
    g_assert_true(ftruncate(fd, (off_t)reader.host_page) == 0);
    memory_region_init_ram_from_file(mr, NULL, "rom", reader.host_page, 0, RAM_SHARED, path, true, &error_fatal);
    stage_adopt(mr, NULL);
    stage_migratable(mr, "rom");
    qemu_ram_unset_migratable(reader.ram);
    put_begin(reader.tape.in, "none");
    put_start(reader.tape.in, "rom", reader.host_page);
    put_section(reader.tape.in, 2);
    put_page(reader.tape.in, "rom", 0, 1);
    reader_refused("\"rom\" is mapped read-only");
    reader_end();
    g_free(path);
    close(fd);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-2/not-set-up", not_set_up);
    postcopy_case("/R-PC-4/resized-in-advise", resized);
    postcopy_case("/R-PC-15/places", discards);
    postcopy_case("/R-PC-13/host-fails", host_fails);
    postcopy_case("/R-PC-20/empty-block", empty_block);
    postcopy_case("/R-PC-20/cannot-copy", cannot_copy);
    postcopy_case("/R-PC-22/nobody-to-ask", nobody_to_ask);
    postcopy_case("/R-PC-24/host-fails", host_fails);
    postcopy_case("/R-PC-24/source-is-gone", source_is_gone);
    postcopy_case("/R-WIRE-4/read-only", read_only);
    return g_test_run();
}
