/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapters 1.8 and 2: resizing, and who hears of blocks. */
#include "common/ram.h"

#include <errno.h>
#include <string.h>

static GString *heard;

static void at_resized(const char *idstr, uint64_t length, void *host)
{
    (void)host;
    g_string_append_printf(heard, "resized %s to 0x%" G_GINT64_MODIFIER "x\n", idstr, length);
}

static MemoryRegion *resizeable(uint64_t used, uint64_t maximum)
{
    MemoryRegion *mr = stage_resizeable("r", used * host_page(), maximum * host_page(), at_resized);

    heard = stage_log();
    qemu_ram_set_idstr(block_of(mr), "id", NULL);
    return mr;
}

static void wraps(void)
{
    MemoryRegion *r = resizeable(2, 20);
    char *before = text_of_blocks();
    Error *error = NULL;

    check_number((uint64_t)qemu_ram_resize(block_of(r), UINT64_MAX - 1, &error), (uint64_t)-EINVAL);
    check_refused(error, before, "id", NULL);
    check(cpu_physical_memory_all_dirty(ram_addr(r, 0), 2 * host_page(), VGA));
    g_free(before);
}

/* The memory follows, although the region was given this size before. */
static void size_is_there_already(void)
{
    MemoryRegion *r = resizeable(2, 20);

    memory_region_set_size(r, 5 * host_page());
    check_log(heard, "");
    memory_region_ram_resize(r, 5 * host_page(), &error_fatal);
    check_number(block_of(r)->used_length, 5 * host_page());
    check_number(memory_region_size(r), 5 * host_page());
    check_log(heard, "resized id to 0x5000\n");
}

/* Within the last page only the region's size changes, for fixed blocks as well; not at all if it is the same. */
static void within_the_page(void)
{
    MemoryRegion *fixed = stage_ram("fixed", 40960), *r = resizeable(2, 20);

    clean(fixed);
    memory_region_ram_resize(fixed, 40955, &error_fatal);
    check_number(memory_region_size(fixed), 40955);
    check_number(block_of(fixed)->used_length, 40960);
    check_dirty_all(fixed, "");
    clean(r);
    memory_region_ram_resize(r, 2 * host_page(), &error_fatal);
    check_log(heard, "");
    memory_region_ram_resize(r, 2 * host_page() - 1, &error_fatal);
    check_log(heard, "resized id to 0x1fff\n");
    check_dirty_all(r, "");
}

static void refused(void)
{
    MemoryRegion *fixed = stage_ram("fixed", 4 * host_page()), *r = resizeable(2, 20);
    char *before = text_of_blocks();
    Error *error = NULL;

    clean(fixed);
    clean(r);
    check_number((uint64_t)qemu_ram_resize(block_of(fixed), host_page(), &error), (uint64_t)-EINVAL);
    check_refused(error, before, "0x4000", "0x1000");
    error = NULL;
    check_number((uint64_t)qemu_ram_resize(block_of(r), 21 * host_page(), &error), (uint64_t)-EINVAL);
    check_refused(error, before, "0x15000", "0x14000");
    check_number(memory_region_size(r), 2 * host_page());
    check_dirty_all(r, "");
    check_dirty_all(fixed, "");
    check_log(heard, "");
    g_free(before);
}

/* The maximum itself is not too large. */
static void up_to_the_maximum(void)
{
    MemoryRegion *r = resizeable(2, 20);

    check_number((uint64_t)qemu_ram_resize(block_of(r), 20 * host_page(), &error_abort), 0);
    check_number(memory_region_size(r), 20 * host_page());
    check_number(block_of(r)->used_length, 20 * host_page());
}

static void ext_resized(RAMBlockNotifierExtended *notifier, void *host, size_t old_length, size_t new_length)
{
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(host, false, &offset);

    (void)notifier;
    g_string_append_printf(heard, "notified 0x%zx to 0x%zx, used 0x%" G_GINT64_MODIFIER "x\n", old_length,
                           new_length, (uint64_t)block->used_length);
}

static void order(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX), *r = resizeable(2, 20);
    RAMBlockNotifierExtended notifier = { .ram_block_resized = ext_resized };

    stage_add(root, 0, r);
    memory_region_set_log(r, true, DIRTY_MEMORY_VGA);
    recorder_watch(stage_space(root, "as"), NULL, 0, heard);
    ram_block_notifier_add_extended(&notifier);
    g_string_truncate(heard, 0);
    memory_region_ram_resize(r, 6 * host_page() - 100, &error_fatal);
    check_log(heard,
              "notified 0x2000 to 0x6000, used 0x2000\n"
              "log_clear r[0,0x2000)\nlog_clear r[0,0x2000)\nlog_clear r[0,0x2000)\n"
              "begin\nregion_del r[0,0x2000)\nregion_add r[0,0x5f9c)\ncommit\n"
              "resized id to 0x5f9c\n");
    check_dirty_all(r, "0-5");
    clean(r);
    memory_region_ram_resize(r, 3 * host_page(), &error_fatal);
    check_dirty_all(r, "0-2");
    ram_block_notifier_remove_extended(&notifier);
}

static void content_stays(void)
{
    MemoryRegion *r = resizeable(4, 20);
    uint8_t *host = memset(memory_region_get_ram_ptr(r), 9, 4 * host_page());

    memory_region_ram_resize(r, host_page(), &error_fatal);
    memory_region_ram_resize(r, 8 * host_page(), &error_fatal);
    check_number(host[0], 9);
    check_number(host[4 * host_page() - 1], 9);
    check_number(host[4 * host_page()], 0);
}

static void to_nothing(void)
{
    MemoryRegion *r = resizeable(4, 20);
    uint8_t *host = memory_region_get_ram_ptr(r);
    ram_addr_t offset;

    memory_region_ram_resize(r, 0, &error_fatal);
    check_number(memory_region_size(r), 0);
    check_number(block_of(r)->used_length, 0);
    check_dirty_all(r, "");
    check_pointer(memory_region_from_host(host, &offset), r);
}

static void ptr_of_nothing(void)
{
    MemoryRegion *r = resizeable(4, 20);

    memory_region_ram_resize(r, 0, &error_fatal);
    memory_region_get_ram_ptr(r);
}

/* ---- R-NOTI ---- */

typedef struct {
    RAMBlockNotifier seed;
    RAMBlockNotifierExtended extended;
    const char *name;
    bool leaves;
} Ear;

static const char *who(void *host)
{
    ram_addr_t offset;
    MemoryRegion *mr = memory_region_from_host(host, &offset);

    return mr ? memory_region_name(mr) : "nobody";
}

static void seed_added(RAMBlockNotifier *n, void *host, size_t size)
{
    Ear *ear = caa_container_of(n, Ear, seed);

    g_string_append_printf(heard, "%s added %s 0x%zx\n", ear->name, who(host), size);
    if (ear->leaves) {
        ear->leaves = false;
        ram_block_notifier_remove(n);
    }
}

static void seed_removed(RAMBlockNotifier *n, void *host, size_t size)
{
    g_string_append_printf(heard, "%s removed %s 0x%zx\n", caa_container_of(n, Ear, seed)->name, who(host), size);
}

static void extended_added(RAMBlockNotifierExtended *n, void *host, size_t used, size_t max)
{
    g_string_append_printf(heard, "%s added %s 0x%zx/0x%zx\n", caa_container_of(n, Ear, extended)->name, who(host),
                           used, max);
}

static void extended_removed(RAMBlockNotifierExtended *n, void *host, size_t used, size_t max)
{
    g_string_append_printf(heard, "%s removed %s 0x%zx/0x%zx\n", caa_container_of(n, Ear, extended)->name, who(host),
                           used, max);
}

static void extended_resized(RAMBlockNotifierExtended *n, void *host, size_t old_length, size_t new_length)
{
    g_string_append_printf(heard, "%s resized %s 0x%zx 0x%zx\n", caa_container_of(n, Ear, extended)->name, who(host),
                           old_length, new_length);
}

static Ear ear(const char *name)
{
    return (Ear) {
        .seed = { .ram_block_added = seed_added, .ram_block_removed = seed_removed },
        .extended = { .ram_block_added = extended_added, .ram_block_removed = extended_removed,
                      .ram_block_resized = extended_resized },
        .name = name,
    };
}

static void replays(void)
{
    Ear x = ear("x"), y = ear("y");

    heard = stage_log();
    stage_ram("small", 0x1000);
    stage_ram("large", 0x4000);
    ram_block_notifier_add(&x.seed);
    check_log(heard, "x added large 0x4000\nx added small 0x1000\n");
    ram_block_notifier_add(&y.seed);
    check_log(heard, "y added large 0x4000\ny added small 0x1000\n");
    stage_release(stage_ram("new", 0x2000));
    check_log(heard, "y added new 0x2000\nx added new 0x2000\ny removed new 0x2000\nx removed new 0x2000\n");
    ram_block_notifier_remove(&x.seed);
    check_log(heard, "x removed large 0x4000\nx removed small 0x1000\n");
    y.seed.ram_block_removed = NULL;
    ram_block_notifier_remove(&y.seed);
    check_log(heard, "");
}

/* But for its callbacks a notifier may be anything, such as one that was of the other kind. */
static void notifier_of_anything(void)
{
    Ear *x = stage_storage(sizeof(*x));
    MemoryRegion *ram;

    heard = stage_log();
    memset(x, 1, sizeof(*x));
    x->seed.ram_block_added = seed_added;
    x->seed.ram_block_removed = seed_removed;
    x->name = "x";
    x->leaves = false;
    ram_block_notifier_add(&x->seed);
    ram = stage_ram("ram", 0x10000);
    check_log(heard, "x added ram 0x10000\n");
    stage_release(ram);
    check_log(heard, "x removed ram 0x10000\n");
    ram_block_notifier_remove(&x->seed);
}

static void leaves_while_told(void)
{
    Ear x = ear("x"), y = ear("y"), z = ear("z");

    heard = stage_log();
    ram_block_notifier_add(&x.seed);
    ram_block_notifier_add(&y.seed);
    ram_block_notifier_add(&z.seed);
    y.leaves = true;
    stage_ram("ram", 0x1000);
    check_log(heard, "z added ram 0x1000\ny added ram 0x1000\ny removed ram 0x1000\nx added ram 0x1000\n");
    ram_block_notifier_remove(&x.seed);
    ram_block_notifier_remove(&z.seed);
}

/* The worked example of R-NOTI-7, with both kinds in one sequence. */
static void both_kinds(void)
{
    Ear s = ear("s"), e = ear("e"), t = ear("t");
    MemoryRegion *r;

    heard = stage_log();
    ram_block_notifier_add(&s.seed);
    ram_block_notifier_add_extended(&e.extended);
    ram_block_notifier_add(&t.seed);
    r = stage_resizeable("r", 0x2000, 0x14000, NULL);
    check_log(heard, "t added r 0x14000\ne added r 0x2000/0x14000\ns added r 0x14000\n");
    memory_region_ram_resize(r, 0x6000, &error_fatal);
    check_log(heard, "e resized r 0x2000 0x6000\n");
    stage_release(r);
    check_log(heard, "t removed r 0x14000\ne removed r 0x6000/0x14000\ns removed r 0x14000\n");
    ram_block_notify_add(&s, 0x3000);
    check_log(heard, "t added nobody 0x3000\ne added nobody 0x3000/0x3000\ns added nobody 0x3000\n");
    ram_block_notify_remove(&s, 0x3000);
    check_log(heard, "t removed nobody 0x3000\ne removed nobody 0x3000/0x3000\ns removed nobody 0x3000\n");
    ram_block_notifier_remove(&s.seed);
    ram_block_notifier_remove_extended(&e.extended);
    ram_block_notifier_remove(&t.seed);
}

/* Every callback is optional. */
static void deaf(void)
{
    RAMBlockNotifier plain = { 0 };
    RAMBlockNotifierExtended extended = { 0 };
    MemoryRegion *r;

    stage_ram("before", host_page());
    ram_block_notifier_add(&plain);
    ram_block_notifier_add_extended(&extended);
    r = resizeable(2, 20);
    memory_region_ram_resize(r, 6 * host_page(), &error_fatal);
    check_number(block_of(r)->used_length, 6 * host_page());
    stage_release(r);
    ram_block_notifier_remove_extended(&extended);
    ram_block_notifier_remove(&plain);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-RES-1/wraps", wraps);
    conformance_case_4k("/R-RES-2/within-the-page", within_the_page);
    conformance_case_4k("/R-RES-3/refused", refused);
    conformance_case("/R-RES-4/size-is-there-already", size_is_there_already);
    conformance_case("/R-RES-3/up-to-the-maximum", up_to_the_maximum);
    conformance_case_4k("/R-RES-4/order", order);
    conformance_case("/R-RES-5/content", content_stays);
    conformance_case("/R-RES-6/nothing", to_nothing);
    conformance_misuse("/R-RES-6/pointer-to-nothing", ptr_of_nothing, "memory_region_get_ram_ptr",
                       "'r' starts at*(R-RAM-24)");
    conformance_case_4k("/R-NOTI-1/replay", replays);
    conformance_case_4k("/R-NOTI-2/replay-on-removal", replays);
    conformance_case("/R-NOTI-1/of-anything", notifier_of_anything);
    conformance_case_4k("/R-NOTI-3/leaves-while-told", leaves_while_told);
    conformance_case_4k("/R-NOTI-5/maximum", both_kinds);
    conformance_case_4k("/R-NOTI-6/one-sequence", both_kinds);
    conformance_case("/R-NOTI-3/deaf", deaf);
    conformance_case_4k("/R-NOTI-7/worked-example", both_kinds);
    return ram_run();
}
