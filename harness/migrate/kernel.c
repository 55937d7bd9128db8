/* SPDX-License-Identifier: GPL-2.0-or-later */
/* userfaultfd's part, played without it: no thread waits, so who would wait is asked about. */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/mman.h>

#include "migrate/postcopy_parts.h"
#include "migration/postcopy-host.h"

struct postcopy_kernel kernel;

/* Whether a call is to fail, this once. */
static bool taken(bool *flag)
{
    const bool was = *flag;

    *flag = false;
    return was;
}

static int kernel_open(void *opaque, uint64_t features, PostcopyHostAbilities *abilities)
{
    (void)opaque;
    REQUIRE(!(features & ~(uint64_t)(UFFD_FEATURE_MISSING_HUGETLBFS | UFFD_FEATURE_THREAD_ID)),
            "the kernel is asked for what would come as other messages (R-PC-20)");
    if (taken(&kernel.no_open)) {
        return -EMFILE;
    }
    kernel.open++;
    *abilities = (PostcopyHostAbilities){ .features = ~0ull, .ioctls = ~0ull };
    return 1000 + (int)kernel.open;
}

static void kernel_close(void *opaque, int fd)
{
    (void)opaque;
    REQUIRE(kernel.open > 0 && fd > 1000, "a descriptor is closed that is not open");
    kernel.open--;
}

/* What is there is the real kernel's to say: a discard that did nothing is noticed. */
static void look(int block)
{
    const size_t length = guest.pages[block] * guest.page_size;
    unsigned char resident[POSTCOPY_MODEL_PAGES_MAX] = { 0 };

    REQUIRE(mincore(guest.block[block]->host, length, resident) == 0, "memory cannot be looked at");
    for (unsigned page = 0; page < guest.pages[block]; page++) {
        kernel.there[block][page] = resident[page] & 1;
    }
}

static int kernel_enroll(void *opaque, int fd, void *start, uint64_t length, uint64_t *ioctls)
{
    unsigned page;
    int block;

    (void)opaque;
    (void)fd;
    *ioctls = ~0ull;
    REQUIRE(length > 0, "nothing is registered, which the kernel refuses (R-PC-20)");
    if (!postcopy_place_of(start, &block, &page)) {
        return 0;       /* the page that is tried */
    }
    if (taken(&kernel.no_enroll)) {
        return -EBUSY;
    }
    REQUIRE(page == 0 && length == guest.pages[block] * guest.page_size, "not all of a block is registered");
    REQUIRE(!kernel.enrolled[block], "a block is registered twice");
    if (kernel.no_zeroes[block]) {
        *ioctls &= ~(1ull << _UFFDIO_ZEROPAGE);
    }
    look(block);
    kernel.enrolled[block] = true;
    return 0;
}

static int kernel_dismiss(void *opaque, int fd, void *start, uint64_t length)
{
    unsigned page;
    int block;

    (void)opaque;
    (void)fd;
    (void)length;
    if (postcopy_place_of(start, &block, &page)) {
        REQUIRE(kernel.enrolled[block], "a block is unregistered that is not registered");
        kernel.enrolled[block] = false;
    }
    return 0;
}

static int64_t fill(uint8_t *to, const uint8_t *from, uint64_t length)
{
    const bool goes_on = to == kernel.rest;
    const uint64_t half = guest.page_size / 2, whole = goes_on ? half : guest.page_size;
    void (*meanwhile)(void) = kernel.meanwhile;
    unsigned page;
    int block;

    REQUIRE(postcopy_place_of(to, &block, &page) && kernel.enrolled[block],
            "a page is placed where nobody would wait");
    REQUIRE(length == whole && ((uintptr_t)to + length) % guest.page_size == 0, "a page is placed in part");
    REQUIRE(!goes_on || from == kernel.rest_from, "the rest of a page is placed from elsewhere (R-PC-30)");
    if (meanwhile) {
        kernel.meanwhile = NULL;
        meanwhile();
    }
    if (taken(&kernel.again)) {
        return -EAGAIN;
    }
    if (taken(&kernel.no_memory)) {
        return -ENOMEM;
    }
    REQUIRE(!kernel.there[block][page], "a page is placed that is there (R-PC-31)");
    if (taken(&kernel.half)) {
        length = half;
        kernel.rest = to + half;
        kernel.rest_from = from ? from + half : NULL;
    } else {
        kernel.there[block][page] = true;
    }
    if (goes_on) {
        kernel.rest = NULL;
    }
    if (from) {
        memcpy(to, from, length);
    } else {
        memset(to, 0, length);
    }
    return (int64_t)length;
}

static int64_t kernel_copy(void *opaque, int fd, void *to, const void *from, uint64_t length)
{
    unsigned page;
    int block;

    (void)opaque;
    (void)fd;
    REQUIRE(!postcopy_place_of(from, &block, &page), "a page is placed from guest RAM");
    return fill(to, from, length);
}

static int64_t kernel_zero(void *opaque, int fd, void *to, uint64_t length)
{
    unsigned page;
    int block;

    (void)opaque;
    (void)fd;
    REQUIRE(!postcopy_place_of(to, &block, &page) || !kernel.no_zeroes[block],
            "a page of zeroes is asked for, which the kernel does not make here");
    return fill(to, NULL, length);
}

static int kernel_wake(void *opaque, int fd, void *start, uint64_t length)
{
    unsigned page;
    int block;

    (void)opaque;
    (void)fd;
    REQUIRE(postcopy_place_of(start, &block, &page) && length == guest.page_size, "what is woken is no page");
    kernel.woken++;
    return 0;
}

void postcopy_kernel_start(void)
{
    static const PostcopyHost table = {
        .open = kernel_open,
        .close = kernel_close,
        .enroll = kernel_enroll,
        .dismiss = kernel_dismiss,
        .copy = kernel_copy,
        .zero = kernel_zero,
        .wake = kernel_wake,
    };

    kernel = (struct postcopy_kernel){ 0 };
    postcopy_set_host(&table);
}
