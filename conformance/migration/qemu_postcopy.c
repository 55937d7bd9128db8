/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Postcopy with a real QEMU >= 9 as the other end, `-machine none` (R-WIRE-6); without one the cases are
 * skipped and say so.  What QEMU has is known from a file that it saves, and what it is to have it loads.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "exec/ramblock.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "postcopy_guest.h"
#include "qemu/main-loop.h"
#include "qemu_process.h"

static MemoryRegion *ram;
static RAMBlock *block;
static char folder[64], socket_path[80], file_path[80];
static Qemu qemu;

static void begin(void)
{
    ram = stage_ram_migratable("ram", QEMU_RAM);
    block = ram->ram_block;
    qemu_fill(block->host);
    /* A socket's path is short, so a long name of the usual folder will not do. */
    g_snprintf(folder, sizeof(folder), "%s/memcore-qemu-XXXXXX",
               strlen(g_get_tmp_dir()) < 30 ? g_get_tmp_dir() : "/tmp");
    g_assert_nonnull(g_mkdtemp(folder));
    g_snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
    g_snprintf(file_path, sizeof(file_path), "%s/ram.mig", folder);
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    qemu_start(&qemu);
}

static void end(void)
{
    qemu_end(&qemu);
    unlink(socket_path);
    unlink(file_path);
    rmdir(folder);
}

static int new_socket(struct sockaddr_un *address)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    g_strlcpy(address->sun_path, socket_path, sizeof(address->sun_path));
    return fd;
}

/* --- from memcore to QEMU --------------------------------------------------------------------------- */

static uint8_t *at_stop;

/* What the guest did last: pages that were precopied, and have to be forgotten there. */
static void stop(void *opaque)
{
    (void)opaque;
    qemu_mutex_lock_iothread();
    for (uint64_t page = 3; page < QEMU_RAM / TARGET_PAGE_SIZE; page += page < 100 ? 2 : 41) {
        memset(block->host + page * TARGET_PAGE_SIZE, (int)(page % 5), TARGET_PAGE_SIZE);
        memory_region_set_dirty(ram, page * TARGET_PAGE_SIZE, TARGET_PAGE_SIZE);
    }
    qemu_mutex_unlock_iothread();
    at_stop = g_memdup2(block->host, QEMU_RAM);
}

static void load_what_qemu_has(void)
{
    MappedRamFile *file;
    int fd;

    qemu_set_capability(&qemu, "postcopy-ram", false);
    qemu_set_capability(&qemu, "mapped-ram", true);
    qemu_tell(&qemu, "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"file:%s\"}}", file_path);
    qemu_wait_completed(&qemu, "save");
    memset(block->host, 0x55, QEMU_RAM);
    fd = open(file_path, O_RDONLY | O_CLOEXEC);
    file = mapped_ram_probe(fd, 0, 0, "none", &error_abort);
    memcore_set_vm_running(false);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    memcore_set_vm_running(true);
    mapped_ram_free(file);
    close(fd);
}

static void to_qemu_with(bool precopy)
{
    MigrationState ms = { .stop_writers = stop, .start_postcopy = !precopy };
    struct sockaddr_un address;
    int fd;

    begin();
    qemu_set_capability(&qemu, "postcopy-ram", true);
    qemu_tell(&qemu, "{\"execute\": \"migrate-incoming\", \"arguments\": {\"uri\": \"unix:%s\"}}", socket_path);
    fd = new_socket(&address);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    ms.transport = migration_transport_socket(fd);
    qemu_mutex_unlock_iothread();
    check_number(ram_migrate_source(&ms), 0);
    qemu_mutex_lock_iothread();
    check_text(ms.error ? error_get_pretty(ms.error) : "", "");
    qemu_wait_completed(&qemu, "postcopy");
    check(ms.counters.discard_ranges > 0);
    load_what_qemu_has();
    check(memcmp(block->host, at_stop, QEMU_RAM) == 0);
    error_free(ms.error);
    migration_transport_free(&ms.transport);
    close(fd);
    g_free(at_stop);
    end();
}

static void to_qemu(void)
{
    if (!skip_without_qemu()) {
        to_qemu_with(true);
    }
}

static void to_qemu_at_once(void)
{
    if (!skip_without_qemu()) {
        to_qemu_with(false);
    }
}

/* --- from QEMU to memcore ----------------------------------------------------------------------------- */

static struct {
    pthread_t thread;
    uint64_t sum;
    bool runs;
} guest;

/* Touches all pages, backwards: against the order in which they come. */
static void *touch_all(void *opaque)
{
    (void)opaque;
    for (uint64_t page = QEMU_RAM / TARGET_PAGE_SIZE; page > 0; page--) {
        guest.sum += *(volatile uint8_t *)(block->host + (page - 1) * TARGET_PAGE_SIZE);
    }
    return NULL;
}

static void run(void *opaque, const void *devices, size_t length)
{
    (void)opaque;
    (void)devices;
    (void)length;
    guest.runs = true;
    g_assert_cmpint(pthread_create(&guest.thread, NULL, touch_all, NULL), ==, 0);
}

static void *ask_for_postcopy(void *opaque)
{
    (void)opaque;
    g_usleep(300000);           /* some of it is precopied, slowly */
    qemu_tell(&qemu, "{\"execute\": \"migrate-start-postcopy\"}");
    qemu_wait_completed(&qemu, "postcopy");
    return NULL;
}

static void give_qemu_memory(void)
{
    RamSaveParameters parameters = { .path = file_path, .machine = "none" };
    RamSave *save = ram_save_new(&parameters, &error_abort);

    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);
    qemu_set_capability(&qemu, "mapped-ram", true);
    qemu_tell(&qemu, "{\"execute\": \"migrate-incoming\", \"arguments\": {\"uri\": \"file:%s\"}}", file_path);
    qemu_wait_completed(&qemu, "load");
    qemu_set_capability(&qemu, "mapped-ram", false);
    qemu_set_capability(&qemu, "postcopy-ram", true);
    qemu_tell(&qemu, "{\"execute\": \"migrate-set-parameters\", \"arguments\": {\"max-bandwidth\": 1000000}}");
}

static void from_qemu(void)
{
    MigrationIncomingState mis = { .run = run, .machine = "none" };
    struct sockaddr_un address;
    uint8_t *before;
    pthread_t asker;
    int listener, fd;

    if (skip_without_qemu()) {
        return;
    }
    begin();
    before = g_memdup2(block->host, QEMU_RAM);
    give_qemu_memory();
    listener = new_socket(&address);
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    qemu_tell(&qemu, "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"unix:%s\"}}", socket_path);
    fd = accept(listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    mis.transport = migration_transport_socket(fd);
    g_assert_cmpint(pthread_create(&asker, NULL, ask_for_postcopy, NULL), ==, 0);
    memset(block->host, 0x55, QEMU_RAM);
    qemu_mutex_unlock_iothread();
    check_number(ram_migrate_incoming(&mis), 0);
    qemu_mutex_lock_iothread();
    check_text(mis.error ? error_get_pretty(mis.error) : "", "");
    pthread_join(asker, NULL);
    check(guest.runs);
    if (guest.runs) {
        pthread_join(guest.thread, NULL);
    }
    check(mis.counters.requests > 0);
    g_test_message("%" PRIu64 " faults, %" PRIu64 " pages, %" PRIu64 " of zeroes, %" PRIu64 " discarded",
                   mis.counters.faults, mis.counters.placed, mis.counters.zero_placed, mis.counters.discarded);
    check(memcmp(block->host, before, QEMU_RAM) == 0);
    error_free(mis.error);
    migration_transport_free(&mis.transport);
    close(fd);
    close(listener);
    g_free(before);
    end();
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    conformance_start(&argc, &argv);
    postcopy_case("/R-WIRE-6/to-qemu", to_qemu);
    postcopy_case("/R-WIRE-6/to-qemu-at-once", to_qemu_at_once);
    postcopy_case("/R-WIRE-6/from-qemu", from_qemu);
    return qemu_status(g_test_run());
}
