/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapter 6, on hosts that are not this one: with huge pages, without userfaultfd, with
 * calls that fail or are interrupted.  The core's calls go through here (--wrap).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <semaphore.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "postcopy_reader.h"
#include "qemu/main-loop.h"

/* What differs from this host; all zero: nothing. */
static struct {
    bool huge;                          /* files are on hugetlbfs, with pages of two of the host's */
    int fstatfs_fails, munlockall_fails, mmap_fails;    /* errno */
    bool no_device;                     /* /dev/userfaultfd cannot be opened; there is only the system call */
    int no_call;                        /* errno of that */
    long call_flags;                    /* it was made with */
    unsigned long ioctl_fails;          /* with EINVAL */
    _Atomic unsigned poll_interrupted;  /* so many times */
    int poll_fails;                     /* errno */
    bool broken;                        /* the descriptor, says poll */
    _Atomic unsigned spurious;          /* so often poll wakes for nothing, less than a message, another event */
    bool device;                        /* /dev/userfaultfd is there, and gives descriptors as the call does */
    bool gives_0;                       /* the first of those is 0 */
    _Atomic unsigned interrupted;       /* so many writes of eight bytes, waits for a semaphore, sends and receives */
    int no_thread;                      /* errno of making one */
} host;

WRAPPED(int, fstatfs, int fd, struct statfs *status)
{
    if (host.fstatfs_fails) {
        return failed(host.fstatfs_fails);
    }
    const int result = __real_fstatfs(fd, status);

    if (host.huge) {
        status->f_type = HUGETLBFS_MAGIC;
        status->f_bsize = 2 * sysconf(_SC_PAGESIZE);
    }
    return result;
}

WRAPPED(int, munlockall, void)
{
    return host.munlockall_fails ? failed(host.munlockall_fails) : __real_munlockall();
}

WRAPPED(void *, mmap, void *place, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (host.mmap_fails) {
        errno = host.mmap_fails;
        return MAP_FAILED;
    }
    return __real_mmap(place, length, protection, flags, fd, offset);
}

WRAPPED(int, poll, struct pollfd *waits, nfds_t count, int timeout)
{
    if (host.poll_interrupted > 0) {
        host.poll_interrupted--;
        return failed(EINTR);
    }
    if (host.poll_fails) {
        return failed(host.poll_fails);
    }
    if (host.broken) {
        waits[0].revents = POLLERR;
        waits[1].revents = 0;
        return 1;
    }
    if (host.spurious % 3 == 1) {
        host.spurious--;
        waits[0].revents = waits[1].revents = 0;
        return 0;
    }
    return __real_poll(waits, count, timeout);
}

WRAPPED(ssize_t, read, int fd, void *to, size_t length)
{
    struct uffd_msg *message = to;

    if (length != sizeof(*message) || host.spurious == 0) {
        return __real_read(fd, to, length);
    }
    if (host.spurious-- % 3 == 0) {
        return failed(EAGAIN);
    }
    memset(message, 0, sizeof(*message));
    message->event = UFFD_EVENT_FORK;
    return sizeof(*message);
}

static bool is_interrupted(void)
{
    if (host.interrupted == 0) {
        return false;
    }
    host.interrupted--;
    errno = EINTR;
    return true;
}

WRAPPED(ssize_t, write, int fd, const void *from, size_t length)
{
    return length == 8 && is_interrupted() ? -1 : __real_write(fd, from, length);
}

WRAPPED(int, sem_wait, sem_t *semaphore)
{
    return is_interrupted() ? -1 : __real_sem_wait(semaphore);
}

WRAPPED(ssize_t, send, int fd, const void *from, size_t length, int flags)
{
    return is_interrupted() ? -1 : __real_send(fd, from, length, flags);
}

WRAPPED(ssize_t, recv, int fd, void *to, size_t length, int flags)
{
    return is_interrupted() ? -1 : __real_recv(fd, to, length, flags);
}

WRAPPED(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *opaque)
{
    return host.no_thread ? host.no_thread : __real_pthread_create(thread, attributes, start, opaque);
}

WRAPPED_OPEN
{
    if (strcmp(path, "/dev/userfaultfd") == 0 && (host.no_device || host.device)) {
        return host.device ? memfd_create("device", MFD_CLOEXEC) : failed(ENOENT);
    }
    return __real_open(path, flags, mode);
}

WRAPPED_SYSCALL
{
    if (number != __NR_userfaultfd) {
        return real_syscall(number, a);
    }
    host.call_flags = a[0];
    return host.no_call ? failed(host.no_call) : real_syscall(number, a);
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (host.device && request == _IO(0xAA, 0)) {
        if (host.gives_0) {
            close(STDIN_FILENO);
        }
        return (int)__real_syscall(__NR_userfaultfd, (long)(uintptr_t)argument, 0, 0, 0, 0, 0);
    }
    return host.ioctl_fails == request ? failed(EINVAL) : __real_ioctl(fd, request, argument);
}

static void as_here(void)
{
    memset(&host, 0, sizeof(host));
}

/* ---- what the host has ---- */

static void check_unsupported(void)
{
    check(!postcopy_ram_supported_by_host());
    as_here();
    check(postcopy_ram_supported_by_host());
}

static void descriptors(void)
{
    const unsigned before = count_descriptors();

    check(postcopy_ram_supported_by_host());
    host.no_device = true;
    check(postcopy_ram_supported_by_host());
    /* A program that is started meanwhile must not have it, nor a thread wait that has looked by poll. */
    check_number((uint64_t)host.call_flags, O_CLOEXEC | O_NONBLOCK);
    host.no_call = EPERM;
    check_unsupported();
    host.no_call = EPERM;
    host.device = true;
    check(postcopy_ram_supported_by_host());
    as_here();
    static const unsigned long calls[] = { UFFDIO_API, UFFDIO_REGISTER, UFFDIO_UNREGISTER };
    for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
        host.ioctl_fails = calls[i];
        check_unsupported();
    }
    check_number(count_descriptors(), before);
}

/* 0 is a descriptor, too: a userfaultfd, the one that a block lives in. */
static void descriptor_0(void)
{
    const int input = dup(STDIN_FILENO);
    RAMBlock *block;

    host.device = host.gives_0 = true;
    check(postcopy_ram_supported_by_host());
    as_here();
    check_number(fcntl(STDIN_FILENO, F_GETFD), -1);         /* closed again */
    block = stage_block(KIND_MEMFD_SHARED, "file", 4 * host_page);
    check_number(qemu_ram_get_fd(block), STDIN_FILENO);
    check(postcopy_ram_supported_by_host());
    host.fstatfs_fails = EIO;
    check_unsupported();
    stage_release(block->mr);
    memcore_drain();
    dup2(input, STDIN_FILENO);
    close(input);
}

static void memory(void)
{
    host_refuses(MEMCORE_FAULT_OPEN, EMFILE);
    check(!postcopy_ram_supported_by_host());
    host_agrees();
    host.munlockall_fails = ENOMEM;
    check_unsupported();
    host.mmap_fails = ENOMEM;
    check_unsupported();
}

static void files(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    const int fd = memfd_create("pmem", MFD_CLOEXEC);
    RAMBlock *block = stage_block(KIND_MEMFD_SHARED, "file", 4 * host_page);

    host.fstatfs_fails = EIO;
    check_unsupported();
    stage_release(block->mr);
    host.huge = true;
    block = stage_block(KIND_MEMFD_SHARED, "huge", 4 * host_page);
    check(postcopy_ram_supported_by_host());
    stage_release(block->mr);
    /* R-FILE-4: of the last huge page, half. */
    block = stage_block(KIND_MEMFD_SHARED, "odd", 3 * host_page);
    check(!postcopy_ram_supported_by_host());
    stage_release(block->mr);
    as_here();
    check(postcopy_ram_supported_by_host());
    memory_region_init_ram_from_fd(mr, NULL, "pmem", host_page, RAM_PMEM, fd, 0, &error_fatal);
    stage_adopt(mr, NULL);
    stage_migratable(mr, "pmem");
    check(!postcopy_ram_supported_by_host());
}

static void no_huge_pages(void)
{
    RAMBlock *block;

    host.huge = true;
    block = stage_block(KIND_MEMFD_SHARED, "huge", 4 * host_page);
    lying_host();
    lying.features_without = UFFD_FEATURE_MISSING_HUGETLBFS;
    check(!postcopy_ram_supported_by_host());
    lying.features_without = 0;
    check(postcopy_ram_supported_by_host());
    stage_release(block->mr);
    as_here();
    /* Who has no block of huge pages does not need them. */
    block = stage_block(KIND_MEMFD_SHARED, "small", 4 * (size_t)sysconf(_SC_PAGESIZE));
    lying.features_without = UFFD_FEATURE_MISSING_HUGETLBFS;
    check(postcopy_ram_supported_by_host());
    lying.features_without = 0;
    postcopy_set_host(NULL);
    check_number(lying.opened, lying.closed);
    stage_release(block->mr);
}

/* ---- huge pages ---- */

static void begin_huge(void)
{
    as_here();
    host.huge = true;
    reader_begin_with(KIND_MEMFD_SHARED, 2 * host_page);
    check_number(reader.ram->page_size, reader.host_page);
}

static void end_huge(void)
{
    reader_end();
    as_here();
}

/* Where there are larger pages than the host's, the list says of which size (R-WIRE-4). */
static void put_huge_setup(uint64_t page_size)
{
    put_begin(reader.tape.in, "none");
    put_command(reader.tape.in, 1, NULL, 0);
    put_advise(reader.tape.in, reader.host_page, TARGET_PAGE_SIZE);
    put_section(reader.tape.in, 1);
    put_hex(reader.tape.in, "03 72 61 6d 00 00 00 00 00 00 00 04");
    put(reader.tape.in, READER_PAGES * reader.host_page | 4, 8);
    put_name(reader.tape.in, "ram");
    put(reader.tape.in, READER_PAGES * reader.host_page, 8);
    put(reader.tape.in, page_size, 8);
    put_section_end(reader.tape.in);
}

static void huge_lists(void)
{
    begin_huge();
    put_huge_setup(reader.host_page / 2);
    reader_refused("bytes there, of 0x");
    end_huge();
    begin_huge();
    put_huge_setup(reader.host_page);
    g_byte_array_set_size(reader.tape.in, reader.tape.in->len - 5 - 8 - 4);     /* inside the page's size */
    reader_refused("page size of a block");
    end_huge();
}

/* Which of the target pages of a page came is what counts. */
static void huge_parts(void)
{
    static const struct {
        unsigned first, second;         /* in target pages */
        const char *text;
    } bad[] = { { 0, 0, "comes twice" }, { 0, 2, "is incomplete" } };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        begin_huge();
        put_huge_setup(reader.host_page);
        put_switch();
        put_section(reader.tape.in, 2);
        put_page(reader.tape.in, "ram", bad[i].first * TARGET_PAGE_SIZE, 1);
        put_page(reader.tape.in, NULL, bad[i].second * (reader.host_page / 2), 2);
        reader_refused(bad[i].text);
        end_huge();
    }
    begin_huge();
    put_huge_setup(reader.host_page);
    put_switch();
    put_section(reader.tape.in, 2);
    for (unsigned page = 0; page < READER_PAGES; page++) {
        /* One of its target pages is zero: never that which was zero in the page before. */
        const size_t zero = page % 2 ? TARGET_PAGE_SIZE : reader.host_page;

        for (size_t offset = reader.host_page; offset > 0; offset -= TARGET_PAGE_SIZE) {        /* backwards */
            put_page(reader.tape.in, "ram", page * reader.host_page + offset - TARGET_PAGE_SIZE,
                     page == 3 || offset == zero ? -1 : (int)page + 1);
        }
    }
    put_section_end(reader.tape.in);
    put_section(reader.tape.in, 3);
    put_section_end(reader.tape.in);
    put(reader.tape.in, 0, 1);
    check_number(reader_receive(), 0);
    for (unsigned page = 0; page < READER_PAGES; page++) {
        const uint8_t *bytes = reader.ram->host + page * reader.host_page, value = page == 3 ? 0 : (uint8_t)(page + 1);

        check_number(bytes[0], page % 2 ? 0 : value);
        check_number(bytes[reader.host_page - 1], page % 2 ? value : 0);
    }
    check_number(reader.mis.counters.placed, READER_PAGES - 1);
    check_number(reader.mis.counters.zero_placed, 1);
    end_huge();
}

/* The source's side: the list has the size; half a page cannot go. */
static int keep(void *opaque, const void *bytes, size_t length)
{
    g_byte_array_append(opaque, bytes, (guint)length);
    return -EPIPE;
}

static int never_comes(void *opaque, void *to, size_t length)
{
    (void)opaque;
    (void)to;
    (void)length;
    return -EPIPE;
}

static void nothing(void *opaque)
{
    (void)opaque;
}

static int migrate_away(MigrationState *ms)
{
    int result;

    qemu_mutex_unlock_iothread();
    result = ram_migrate_source(ms);
    qemu_mutex_lock_iothread();
    return result;
}

static void huge_source(void)
{
    const size_t small = host_page;
    GByteArray *sent = g_byte_array_new(), *expected = g_byte_array_new(), *advise = g_byte_array_new();
    MigrationState ms = { .transport = { .send = keep, .opaque = sent } };
    RAMBlock *block;

    host.huge = true;
    block = stage_block(KIND_MEMFD_SHARED, "huge", 4 * small);
    check_number(migrate_away(&ms), (uint64_t)-1);
    put_name(expected, "huge");
    put(expected, 4 * small, 8);
    put(expected, 2 * small, 8);
    put(expected, 0x10, 8);
    check(sent->len > expected->len + 5 &&
          memcmp(sent->data + sent->len - expected->len - 5, expected->data, expected->len) == 0);
    put_advise(advise, 2 * small, TARGET_PAGE_SIZE);
    check(memmem(sent->data, sent->len, advise->data, advise->len) != NULL);
    g_byte_array_unref(advise);
    error_free(ms.error);
    stage_release(block->mr);
    block = stage_block(KIND_MEMFD_SHARED, "odd", 3 * small);
    ms = (MigrationState){ .transport = { .send = keep, .opaque = sent } };
    check_number(migrate_away(&ms), (uint64_t)-1);
    check(ms.error && strstr(error_get_pretty(ms.error), "no whole number of pages"));
    error_free(ms.error);
    /* Nobody to hear the destination. */
    as_here();
    stage_release(block->mr);
    block = stage_block(KIND_ANONYMOUS, "ram", small);
    host.no_thread = EAGAIN;
    ms = (MigrationState){ .transport = { .send = keep, .recv = never_comes, .shutdown = nothing, .opaque = sent } };
    check_number(migrate_away(&ms), (uint64_t)-1);
    check(ms.error && strstr(error_get_pretty(ms.error), "no thread"));
    error_free(ms.error);
    as_here();
    g_byte_array_unref(sent);
    g_byte_array_unref(expected);
}

/* ---- sockets ---- */

static void sockets(void)
{
    const int file = memfd_create("no socket", MFD_CLOEXEC);
    MigrationTransport transport;
    char text[6] = "";
    int fds[2];

    g_assert_true(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    transport = migration_transport_socket(fds[0]);
    host.interrupted = 2;
    check_number(transport.send(transport.opaque, "hello", 5), 0);
    check_number(host.interrupted, 0);
    g_assert_true(__real_recv(fds[1], text, 5, 0) == 5);
    check_text(text, "hello");
    g_assert_true(__real_send(fds[1], "world", 5, 0) == 5);
    host.interrupted = 2;
    check_number(transport.recv(transport.opaque, text, 5), 0);
    check_text(text, "world");
    close(fds[1]);
    check_number(transport.send(transport.opaque, "hello", 5), -EPIPE);
    check_number(transport.recv(transport.opaque, text, 5), -EPIPE);
    migration_transport_free(&transport);
    close(fds[0]);
    transport = migration_transport_socket(file);
    check_number(transport.send(transport.opaque, "hello", 5), -ENOTSOCK);
    check_number(transport.recv(transport.opaque, text, 5), -ENOTSOCK);
    migration_transport_free(&transport);
    close(file);
    as_here();
}

/* ---- the thread that waits for faults ---- */

static MigrationIncomingState mis;

static int ask(void *opaque, RAMBlock *block, uint64_t start, uint64_t length)
{
    (void)opaque;
    (void)block;
    (void)start;
    (void)length;
    return 0;
}

static RAMBlock *wait_for_faults(void)
{
    RAMBlock *block = stage_block(KIND_ANONYMOUS, "ram", 4 * host_page);

    mis = (MigrationIncomingState){ .request_page = ask };
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    return block;
}

static void abandon(void)
{
    mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    error_free(mis.error);
    mis.error = NULL;
    as_here();
}

static void interrupted(void)
{
    GuestRead reading;
    RAMBlock *block;
    uint8_t *page = g_malloc(host_page);

    host.poll_interrupted = 3;
    host.interrupted = 2;
    host.spurious = 3;
    block = wait_for_faults();
    check_number(host.interrupted, 0);
    guest_read(&reading, block->host);
    WAIT_FOR(READ_COUNTER(mis.counters.requests) == 1);
    check_number(host.poll_interrupted + host.spurious, 0);
    memset(page, 7, host_page);
    check_number(postcopy_place_page(&mis, block->host, page), 0);
    check_number(guest_read_end(&reading), 7);
    g_free(page);
    host.interrupted = 2;       /* the thread is told to end */
    abandon();
}

/* Pages can still be placed, but nobody hears who waits: the migration has failed. */
static void deaf(void)
{
    for (unsigned broken = 0; broken < 2; broken++) {
        host.broken = broken;
        host.poll_fails = broken ? 0 : EFAULT;
        RAMBlock *block = wait_for_faults();

        WAIT_FOR(__atomic_load_n(&mis.status, __ATOMIC_SEQ_CST) == MIGRATION_STATUS_FAILED);
        abandon();
        stage_release(block->mr);
        memcore_drain();
    }
}

/* Calls that say no more than that they failed. */
static void refused_calls(void)
{
    RAMBlock *block = wait_for_faults();
    uint8_t *page = g_malloc0(host_page);

    host.ioctl_fails = UFFDIO_COPY;
    check_number(postcopy_place_page(&mis, block->host, page), -EINVAL);
    host.ioctl_fails = UFFDIO_ZEROPAGE;
    check_number(postcopy_place_page_zero(&mis, block->host), -EINVAL);
    host.ioctl_fails = 0;       /* not the rest, which the fault thread reads */
    check_number(postcopy_place_page_zero(&mis, block->host), 0);
    host.ioctl_fails = UFFDIO_WAKE;
    check_number(postcopy_place_page_zero(&mis, block->host), 0);      /* a duplicate, whom nobody waits for */
    check_number(mis.counters.duplicates, 1);
    g_free(page);
    abandon();
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    host.ioctl_fails = UFFDIO_REGISTER;
    check_number(postcopy_ram_enable_notify(&mis), -1);
    abandon();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-10/descriptors", descriptors);
    postcopy_case("/R-PC-10/descriptor-0-of-the-host", descriptor_0);
    postcopy_case("/R-PC-10/memory", memory);
    postcopy_case("/R-PC-10/files", files);
    postcopy_case("/R-PC-10/no-huge-pages", no_huge_pages);
    postcopy_case("/R-PC-50/sockets", sockets);
    postcopy_case("/R-WIRE-4/huge-source", huge_source);
    postcopy_case("/R-WIRE-4/huge-lists", huge_lists);
    postcopy_case("/R-WIRE-5/huge-parts", huge_parts);
    postcopy_case("/R-PC-21/interrupted", interrupted);
    postcopy_case("/R-PC-22/deaf", deaf);
    postcopy_case("/R-PC-31/refused-calls", refused_calls);
    return g_test_run();
}
