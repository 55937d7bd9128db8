/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.4: connections that break, RAM that changes or cannot move. */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "postcopy_peer.h"
#include "qemu/main-loop.h"

/* --- the connection --- */

/* The connection breaks at each call: an Error; the guest goes on here if it cannot have started there. */
static void broken(void)
{
    unsigned calls, before = 0;

    source_begin();
    check_number(source_migrate(), 0);
    calls = peer.sends;
    source_end();
    for (unsigned call = 1; call <= calls; call += call < 8 || call > calls - 4 ? 1 : 97) {
        source_begin();
        peer.fail_at = call;
        check_number(source_migrate(), (uint64_t)-1);
        check_number(peer.resumed, call == 2);  /* call 1 has the setup, 2 the discards, 3 the package */
        check_number(peer.stopped, call > 1);
        before += !peer.packaged;
        source_end();
    }
    check_number(before, 3);
    source_begin();
    peer.silent = true;
    check_number(source_migrate(), (uint64_t)-1);      /* nobody has confirmed */
    source_end();
}

/* Before the switch nothing has been stopped yet, and nothing will be. */
static void broken_in_precopy(void)
{
    for (unsigned call = 1; call < 5; call++) {
        source_begin();
        source.start_postcopy = false;
        source.max_rounds = 2;
        peer.fail_at = call;
        check_number(source_migrate(), (uint64_t)-1);
        check_number(peer.sends, call);
        check_number(peer.stopped + peer.resumed, 0);
        source_end();
    }
}

/* What the system takes of one send; 0: all. */
static size_t send_takes;

WRAPPED(ssize_t, send, int fd, const void *from, size_t length, int flags)
{
    return __real_send(fd, from, send_takes && send_takes < length ? send_takes : length, flags);
}

static void sent_in_parts(void)
{
    static const char message[] = "all of it, whatever the system takes at a time";
    MigrationTransport transport;
    char got[sizeof(message)] = "";
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    transport = migration_transport_socket(fds[0]);
    send_takes = 7;
    check_number(transport.send(transport.opaque, message, sizeof(message)), 0);
    send_takes = 0;
    check_number(read(fds[1], got, sizeof(got)), sizeof(message));
    check_number(memcmp(got, message, sizeof(message)), 0);
    migration_transport_free(&transport);
    close(fds[0]);
    close(fds[1]);
}

/* --- RAM and devices --- */

static void new_ram(void)
{
    qemu_mutex_lock_iothread();
    stage_ram("late", host_page);
    qemu_mutex_unlock_iothread();
}

static void longer_ram(void)
{
    RAMBlock *block = qemu_ram_block_by_name("flash");

    qemu_mutex_lock_iothread();
    check_number(qemu_ram_resize(block, 2 * host_page, &error_abort), 0);
    qemu_mutex_unlock_iothread();
}

static RAMBlock *resizeable(uint64_t size)
{
    return stage_migratable(stage_resizeable("flash", size, 4 * host_page, NULL), "flash");
}

/* Blocks must not come, go or change (R-PC-52): seen when the writers have stopped, who may then go on. */
static void blocks_change(void)
{
    for (unsigned what = 0; what < 3; what++) {
        RAMBlock *flash;

        source_begin();
        flash = resizeable(host_page);
        peer.at_stop = what ? longer_ram : new_ram;
        source.resume_writers = what == 2 ? NULL : source_resume;
        check_number(source_migrate(), (uint64_t)-1);
        check(strstr(error_get_pretty(source.error), "came, went or changed"));
        check_number(peer.stopped, 1);
        check_number(peer.resumed, what < 2);
        check(!peer.packaged);
        stage_release(flash->mr);
        source_end();
    }
}

enum { DEVICES_MAX = (16 << 20) - 10 };         /* a package, LISTEN and RUN included, has 16 MiB at most */
static size_t devices_length;

static const void *devices(void *opaque, size_t *length)
{
    *length = devices_length;
    return opaque;
}

static void devices_too_long(void)
{
    source_begin();
    source.save_devices = devices;
    source.opaque = g_malloc0(DEVICES_MAX);
    devices_length = DEVICES_MAX;
    check_number(source_migrate(), 0);
    check(peer.stream->len > DEVICES_MAX);
    check_number(peer.resumed, 0);
    devices_length++;
    check_number(source_migrate(), (uint64_t)-1);
    g_free(source.opaque);
    check(strstr(error_get_pretty(source.error), "devices have 16777207 bytes"));
    check_number(peer.resumed, 1);
    source_end();
}

static void refused_ram(const char *text)
{
    check_number(source_migrate(), (uint64_t)-1);
    check(strstr(error_get_pretty(source.error), text));
    check_number(peer.sends + peer.stopped, 0);
    error_free(source.error);
    source.error = NULL;
}

static void other_bad_ram(void)
{
    const int fd = memfd_create("pmem", MFD_CLOEXEC);
    MemoryRegion *pmem = stage_storage(sizeof(*pmem));
    unsigned long *foreign = g_new0(unsigned long, 1);
    RAMBlock *other;

    source_begin();
    qemu_ram_unset_migratable(source_ram);
    refused_ram("there is no RAM");
    other = resizeable(0);
    refused_ram("it is empty");
    stage_release(other->mr);
    memory_region_init_ram_from_fd(pmem, NULL, "pmem", host_page, RAM_PMEM, fd, 0, &error_fatal);
    stage_adopt(pmem, NULL);
    stage_migratable(pmem, "pmem");
    refused_ram("persistent memory");
    qemu_ram_unset_migratable(pmem->ram_block);
    other = stage_block(KIND_POINTER, "part", 2 * host_page - 1);
    refused_ram("bytes of others");             /* R-RAM-7 */
    qemu_ram_unset_migratable(other);
    other = stage_block(KIND_SHARED, "other", host_page);
    other->bmap = foreign;
    refused_ram("being migrated");
    check_pointer(other->bmap, foreign);
    other->bmap = NULL;
    g_free(foreign);
    source_end();
}

static void bad_ram(void)
{
    source_begin();
    RAMBlock *nameless = stage_block(KIND_SHARED, "nameless", host_page);

    qemu_ram_unset_idstr(nameless);
    check_number(source_migrate(), (uint64_t)-1);
    check_number(peer.sends + peer.stopped, 0);
    error_free(source.error);
    source.error = NULL;
    source.machine = "";
    qemu_ram_unset_migratable(nameless);
    check_number(source_migrate(), (uint64_t)-1);
    error_free(source.error);
    source.error = NULL;
    source.machine = "m";
    check_number(source_migrate(), 0);
    check(memcmp(peer.stream->data, "QEVM\0\0\0\3\7\0\0\0\1m", 14) == 0);
    source_end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-52/broken", broken);
    postcopy_case("/R-PC-52/broken-in-precopy", broken_in_precopy);
    postcopy_case("/R-PC-52/sent-in-parts", sent_in_parts);
    postcopy_case("/R-PC-52/blocks-change", blocks_change);
    postcopy_case("/R-PC-52/devices-too-long", devices_too_long);
    postcopy_case("/R-PC-52/other-ram", other_bad_ram);
    postcopy_case("/R-PC-52/ram", bad_ram);
    return g_test_run();
}
