/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "postcopy_guest.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/cpu-common.h"

static const char *no_postcopy(void)
{
    PostcopyHostAbilities abilities;
    int fd;

    if (TARGET_PAGE_SIZE > (uint64_t)sysconf(_SC_PAGESIZE)) {
        return "the target's pages are larger than the host's";
    }
    fd = postcopy_userfaultfd.open(NULL, 0, &abilities);
    if (fd < 0) {
        return "this process may not use userfaultfd";
    }
    postcopy_userfaultfd.close(NULL, fd);
    return NULL;
}

static void skip(void)
{
    g_test_skip(no_postcopy());
}

size_t host_page;

void postcopy_case(const char *path, void (*test)(void))
{
    host_page = (size_t)sysconf(_SC_PAGESIZE);
    conformance_case(path, no_postcopy() ? skip : test);
}

static void *read_byte(void *opaque)
{
    GuestRead *read = opaque;

    read->value = *read->place;
    __atomic_store_n(&read->done, true, __ATOMIC_SEQ_CST);
    return NULL;
}

void guest_read(GuestRead *read, const void *place)
{
    *read = (GuestRead){ .place = place };
    g_assert_cmpint(pthread_create(&read->thread, NULL, read_byte, read), ==, 0);
}

bool guest_has_read(GuestRead *read)
{
    return __atomic_load_n(&read->done, __ATOMIC_SEQ_CST);
}

uint8_t guest_read_end(GuestRead *read)
{
    WAIT_FOR(guest_has_read(read));
    g_assert_true(guest_has_read(read));        /* the thread could not be joined */
    pthread_join(read->thread, NULL);
    return read->value;
}

const char *const ram_kinds[KIND_COUNT] = { "anonymous", "shared", "memfd-shared", "memfd-private", "pointer" };

RAMBlock *stage_block(RamKind kind, const char *name, uint64_t size)
{
    MemoryRegion *mr;

    if (kind == KIND_ANONYMOUS) {
        mr = stage_ram_migratable(name, size);
        return qemu_ram_block_by_name(name);
    }
    mr = stage_storage(sizeof(*mr));
    if (kind == KIND_SHARED) {
        memory_region_init_ram_flags_nomigrate(mr, NULL, name, size, RAM_SHARED, &error_fatal);
    } else if (kind == KIND_POINTER) {
        void *memory = stage_storage(size + 2 * (size_t)sysconf(_SC_PAGESIZE));
        const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

        memory_region_init_ram_ptr(mr, NULL, name, size, (void *)(((uintptr_t)memory + page - 1) / page * page));
    } else {
        const int fd = memfd_create("ram", MFD_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        memory_region_init_ram_from_fd(mr, NULL, name, size, kind == KIND_MEMFD_SHARED ? RAM_SHARED : 0, fd, 0,
                                       &error_fatal);
    }
    stage_adopt(mr, NULL);
    return stage_migratable(mr, name);
}

static unsigned count_entries(const char *path)
{
    GDir *folder = g_dir_open(path, 0, NULL);
    unsigned count = 0;

    g_assert_nonnull(folder);
    while (g_dir_read_name(folder)) {
        count++;
    }
    g_dir_close(folder);
    return count;
}

void check_unmapped(const void *page)
{
    check_number(msync((void *)page, host_page, MS_ASYNC), -1);
    check_number(errno, ENOMEM);
}

unsigned count_tasks(void)
{
    return count_entries("/proc/self/task");
}

unsigned count_descriptors(void)
{
    return count_entries("/proc/self/fd");
}

void block_one_signal(sigset_t *before)
{
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &one, before);
}

void check_one_signal_blocked(const sigset_t *before)
{
    sigset_t now;

    pthread_sigmask(SIG_SETMASK, before, &now);
    for (int number = 1; number < 32; number++) {
        if (!check_number(sigismember(&now, number), number == SIGUSR1)) {
            g_test_message("signal %d", number);
        }
    }
}

/* --- the lying host ------------------------------------------------------------------------- */

LyingHost lying;

static bool refused(void)
{
    return ++lying.calls == lying.fail_at;
}

static int lying_open(void *opaque, uint64_t features, PostcopyHostAbilities *abilities)
{
    int fd;

    if (refused()) {
        return lying.fail_with;
    }
    fd = postcopy_userfaultfd.open(opaque, features, abilities);
    lying.opened += fd >= 0;
    if (lying.opens_0 && fd > 0) {
        g_assert_cmpint(dup2(fd, STDIN_FILENO), ==, STDIN_FILENO);
        close(fd);
        fd = STDIN_FILENO;
    }
    abilities->features &= ~lying.features_without;
    abilities->ioctls &= ~lying.ioctls_without;
    lying.features = abilities->features;
    lying.asked = features;
    if (lying.frees_0 && lying.opened == 2) {
        close(STDIN_FILENO);
    }
    return fd;
}

static void lying_close(void *opaque, int fd)
{
    lying.closed++;
    postcopy_userfaultfd.close(opaque, fd);
}

static int lying_enroll(void *opaque, int fd, void *start, uint64_t length, uint64_t *ioctls)
{
    int result;

    if (refused()) {
        return lying.fail_with;
    }
    result = postcopy_userfaultfd.enroll(opaque, fd, start, length, ioctls);
    *ioctls &= ~lying.range_without;
    if (lying.after_enroll) {
        void (*after_enroll)(void) = lying.after_enroll;

        lying.after_enroll = NULL;
        after_enroll();
    }
    return result;
}

static int lying_dismiss(void *opaque, int fd, void *start, uint64_t length)
{
    const int result = postcopy_userfaultfd.dismiss(opaque, fd, start, length);

    return refused() ? lying.fail_with : result;
}

/* What the script says; positive: the call does that much at most. */
static int64_t scripted(void)
{
    return lying.script_at < G_N_ELEMENTS(lying.script) ? lying.script[lying.script_at++] : 0;
}

static int64_t lying_copy(void *opaque, int fd, void *to, const void *from, uint64_t length)
{
    const int64_t told = scripted();

    if (lying.before_copy) {
        void (*before_copy)(void) = lying.before_copy;

        lying.before_copy = NULL;
        before_copy();
    }
    lying.copies++;
    lying.from = from;
    return told < 0 ? told : postcopy_userfaultfd.copy(opaque, fd, to, from, told > 0 ? (uint64_t)told : length);
}

static int64_t lying_zero(void *opaque, int fd, void *to, uint64_t length)
{
    const int64_t told = scripted();

    lying.zeroes++;
    return told < 0 ? told : postcopy_userfaultfd.zero(opaque, fd, to, told > 0 ? (uint64_t)told : length);
}

static int lying_wake(void *opaque, int fd, void *start, uint64_t length)
{
    __atomic_fetch_add(&lying.wakes, 1, __ATOMIC_SEQ_CST);
    return postcopy_userfaultfd.wake(opaque, fd, start, length);
}

void lying_host(void)
{
    static PostcopyHost host;

    host = postcopy_userfaultfd;
    host.open = lying_open;
    host.close = lying_close;
    host.enroll = lying_enroll;
    host.dismiss = lying_dismiss;
    host.copy = lying_copy;
    host.zero = lying_zero;
    host.wake = lying_wake;
    lying = (LyingHost){ 0 };
    postcopy_set_host(&host);
}
