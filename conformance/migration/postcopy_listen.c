/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.3: what a destination asks the host for, and its descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "postcopy_stage.h"

/* Of nothing, also where the migration's part of a block ends. */
static void discards_nothing(void)
{
    RAMBlock *growing;

    destination_begin(KIND_ANONYMOUS);
    growing = stage_migratable(stage_resizeable("growing", 2 * host_page, 4 * host_page, NULL), "growing");
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_discard_range(&mis, growing->host, 0), 0);
    check_number(postcopy_ram_discard_range(&mis, growing->host + 2 * host_page, 0), 0);
    check_number(postcopy_ram_discard_range(&mis, growing->host + 3 * host_page, 0), (uint64_t)-1);
    check_number(postcopy_ram_discard_range(&mis, growing->host + 2 * host_page, host_page), (uint64_t)-1);
    check_number(mis.counters.discarded, 0);
    destination_end();
}

/* What memcore has a use for, where it is offered. */
static void features(void)
{
    destination_listen(KIND_ANONYMOUS);
    check_number(lying.asked, lying.features & (UFFD_FEATURE_MISSING_HUGETLBFS | UFFD_FEATURE_THREAD_ID));
    destination_complete();
}

/* The pages that are received into, and copied from, go with the migration. */
static void pages_are_given_back(void)
{
    const void *received_into, *zeroes;

    destination_begin(KIND_ANONYMOUS);
    lying.range_without = UINT64_C(1) << _UFFDIO_ZEROPAGE;
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check_number(destination_place(1, 1), 0);
    received_into = lying.from;
    check_number(postcopy_place_page_zero(&mis, destination_page(2)), 0);
    zeroes = lying.from;
    check(received_into && zeroes && zeroes != received_into);
    destination_complete();
    check_unmapped(received_into);
    check_unmapped(zeroes);
}

/* Whether it could be done is asked for no feature: a host may have none. */
static void supported_without_features(void)
{
    destination_begin(KIND_ANONYMOUS);
    lying.asked = UINT64_MAX;
    check(postcopy_ram_supported_by_host());
    check_number(lying.asked, 0);
    check_number(lying.opened, 1);
    check_number(lying.closed, 1);
    postcopy_set_host(NULL);
}

static void supported_with_descriptor_0(void)
{
    const int input = dup(STDIN_FILENO);

    destination_begin(KIND_ANONYMOUS);
    lying.opens_0 = true;
    check(postcopy_ram_supported_by_host());
    check_number(lying.closed, 1);
    check_number(fcntl(STDIN_FILENO, F_GETFD), -1);
    dup2(input, STDIN_FILENO);
    close(input);
    postcopy_set_host(NULL);
}

/* 0 is a descriptor, too: the userfaultfd, and the eventfd that ends the thread. */
static void descriptors_that_are_0(void)
{
    const int input = dup(STDIN_FILENO);

    for (unsigned what = 0; what < 2; what++) {
        const unsigned tasks = count_tasks(), descriptors = count_descriptors();
        GuestRead reading;

        destination_begin(KIND_ANONYMOUS);
        check_number(postcopy_ram_incoming_init(&mis, 0), 0);
        check_number(postcopy_ram_prepare_discard(&mis), 0);
        lying.opens_0 = what == 0;
        lying.frees_0 = what == 1;
        check_number(postcopy_ram_enable_notify(&mis), 0);
        check(fcntl(STDIN_FILENO, F_GETFD) >= 0);
        guest_read(&reading, destination_page(2));
        WAIT_FOR(READ_COUNTER(mis.counters.faults) == 1);
        check_number(destination_place(2, 0x22), 0);
        check_number(guest_read_end(&reading), 0x22);
        check_number(postcopy_ram_fault(&mis, destination_page(3)), 0);
        check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);    /* pages are missing */
        destination_complete();
        check_number(fcntl(STDIN_FILENO, F_GETFD), -1);
        dup2(input, STDIN_FILENO);
        check_number(count_descriptors(), descriptors);
        check_number(count_tasks(), tasks);
        stage_release(ram->mr);
        memcore_drain();
    }
    close(input);
}

/* What postcopy-host.h says of each call, of the kernel itself. */
static void calls_of_the_host(void)
{
    const PostcopyHost *host = &postcopy_userfaultfd;
    uint8_t *place = mmap(NULL, 3 * host_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *from = g_malloc0(host_page);
    const int quit = eventfd(0, EFD_CLOEXEC);
    PostcopyHostAbilities abilities;
    const uint64_t one = 1;
    GuestRead reading;
    uint64_t ioctls;
    void *address;
    int fd;

    check(host->open(NULL, UINT64_C(1) << 63, &abilities) < 0);         /* no such feature */
    fd = host->open(NULL, 0, &abilities);
    check(fd >= 0);
    check_number(host->enroll(NULL, fd, place + 1, host_page, &ioctls), -EINVAL);
    check_number(host->enroll(NULL, fd, place, 2 * host_page, &ioctls), 0);
    check(ioctls & UINT64_C(1) << _UFFDIO_COPY);
    guest_read(&reading, place + host_page + 5);
    check_number(host->wait(NULL, fd, quit, &address), 1);
    check_pointer(address, place + host_page);
    check_number(host->wake(NULL, fd, place + host_page, host_page), 0);        /* it finds nothing, and waits again */
    check_number(host->wake(NULL, fd, place + 1, host_page), -EINVAL);
    from[5] = 0x42;
    check_number(host->copy(NULL, fd, place + host_page, from, host_page), host_page);
    check_number(guest_read_end(&reading), 0x42);
    check_number(host->copy(NULL, fd, place + host_page, from, host_page), -EEXIST);
    check_number(host->copy(NULL, fd, place, NULL, host_page), -EFAULT);
    check_number(host->zero(NULL, fd, place, host_page), host_page);
    check_number(host->zero(NULL, fd, place, host_page), -EEXIST);
    check_number(host->zero(NULL, fd, place + 2 * host_page, host_page), -ENOENT);
    g_assert_cmpint(write(quit, &one, sizeof(one)), ==, sizeof(one));
    check_number(host->wait(NULL, fd, quit, &address), 0);
    check_number(host->dismiss(NULL, fd, place + 1, host_page), -EINVAL);
    check_number(host->dismiss(NULL, fd, place, 2 * host_page), 0);
    host->close(NULL, fd);
    close(quit);
    munmap(place, 3 * host_page);
    g_free(from);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-10/calls-of-the-host", calls_of_the_host);
    postcopy_case("/R-PC-10/no-features", supported_without_features);
    postcopy_case("/R-PC-10/descriptor-0", supported_with_descriptor_0);
    postcopy_case("/R-PC-15/nothing", discards_nothing);
    postcopy_case("/R-PC-23/given-back", pages_are_given_back);
    postcopy_case("/R-PC-20/features", features);
    postcopy_case("/R-PC-20/descriptors-that-are-0", descriptors_that_are_0);
    return g_test_run();
}
