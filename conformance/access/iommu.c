/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMU regions: methods, notifiers, replay (R-IOM).  Translation of accesses is in lookup_translate.c. */
#include "common/access.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { UNMAP = IOMMU_NOTIFIER_UNMAP, MAP = IOMMU_NOTIFIER_MAP, DEVIOTLB = IOMMU_NOTIFIER_DEVIOTLB_UNMAP };

/* A notifier that writes down what it is told: "NAME IOVA+MASK -> ADDRESS PERM". */
typedef struct {
    IOMMUNotifier n;
    const char *name;
    GString *log;
    TableIommu *table;
    bool scribble;          /* on what it was given */
    unsigned calls;
} Ear;

static void hear(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    static const char *const perms[] = { "-", "r", "w", "rw" };
    Ear *ear = (Ear *)n;

    ear->calls++;
    g_string_append_printf(ear->log, "%s 0x%" PRIx64 "+0x%" PRIx64 " -> 0x%" PRIx64 " %s\n", ear->name,
                           (uint64_t)entry->iova, (uint64_t)entry->addr_mask,
                               (uint64_t)entry->translated_addr,
                           perms[entry->perm & 3]);
    if (ear->scribble) {
        memset(entry, 0xee, sizeof(*entry));
    }
}

static Ear *ear_new(const char *name, GString *log, int flags, hwaddr start, hwaddr end, int index)
{
    Ear *ear = stage_storage(sizeof(*ear));

    memset(ear, 0, sizeof(*ear));
    iommu_notifier_init(&ear->n, hear, (IOMMUNotifierFlag)flags, start, end, index);
    ear->name = name;
    ear->log = log;
    return ear;
}

static Ear *ear_on(TableIommu *t, const char *name, GString *log, int flags, hwaddr start, hwaddr end)
{
    Ear *ear = ear_new(name, log, flags, start, end, 0);

    ear->table = t;
    check_number(memory_region_register_iommu_notifier(table_region(t), &ear->n, &error_abort), 0);
    return ear;
}

static void ear_off(TableIommu *t, Ear *ear)
{
    memory_region_unregister_iommu_notifier(table_region(t), &ear->n);
}

static IOMMUTLBEvent event(int type, hwaddr iova, hwaddr mask, hwaddr to, IOMMUAccessFlags perm)
{
    return (IOMMUTLBEvent) {
        .type = (IOMMUNotifierFlag)type,
        .entry = { .iova = iova, .translated_addr = to, .addr_mask = mask, .perm = perm },
    };
}

static void tell(TableIommu *t, int type, hwaddr iova, hwaddr mask, hwaddr to, IOMMUAccessFlags perm)
{
    memory_region_notify_iommu(&t->iommu, 0, event(type, iova, mask, to, perm));
}

/* ---- R-IOM-1 to R-IOM-3, R-IOM-16: methods ---- */

static void defaults(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_PLAIN);
    Error *error = NULL;
    int data = 5;
    GString *log = stage_log();
    Ear *ear;

    check_number(memory_region_iommu_get_min_page_size(&t->iommu), TARGET_PAGE_SIZE);
    check_number(memory_region_iommu_attrs_to_index(&t->iommu, (MemTxAttrs) { .secure = 1 }), 0);
    check_number(memory_region_iommu_num_indexes(&t->iommu), 1);
    check_number(memory_region_iommu_get_attr(&t->iommu, IOMMU_ATTR_SPAPR_TCE_FD, &data), -EINVAL);
    check_number(data, 5);
    check_number(memory_region_iommu_set_page_size_mask(&t->iommu, 0x1000, &error), 0);
    check_pointer(error, NULL);
    check_number(memory_region_iommu_get_min_page_size(&t->iommu), TARGET_PAGE_SIZE);
    ear = ear_on(t, "n", log, MAP | UNMAP | DEVIOTLB, 0, 0x3fff);
    ear_off(t, ear);
}

static void methods_are_asked(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_FULL);
    Error *error = NULL;
    int data = 5;

    t->min_page_size = 0x400;
    check_number(memory_region_iommu_get_min_page_size(&t->iommu), 0x400);
    check_number(memory_region_iommu_attrs_to_index(&t->iommu, (MemTxAttrs) { .secure = 1 }), 1);
    check_number(memory_region_iommu_attrs_to_index(&t->iommu, PLAIN), 0);
    check_number(memory_region_iommu_num_indexes(&t->iommu), 2);
    check_number(memory_region_iommu_get_attr(&t->iommu, IOMMU_ATTR_SPAPR_TCE_FD, &data), -ENOENT);
    check_number(data, 17);
    check_number(memory_region_iommu_set_page_size_mask(&t->iommu, 0x1400, &error), -EDOM);
    check(error != NULL);
    error_free(error);
    check_log(t->log, "attr 0\npage_mask 0x1400\n");
}

static void what_translate_is_asked(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x2000, TABLE_PLAIN);
    GString *log = stage_log();

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, stage_ram("ram", 0x2000));
    table_map(t, 0, 0x2000, target.as, 0, 0xfff, IOMMU_RW);
    t->log_translate = true;
    check_read(bus.as, 0x10, 1, OK, "00");
    check_write(bus.as, 0x10, 1, 0, OK);
    memory_region_iommu_replay(&t->iommu, &ear_new("n", log, MAP, 0, 0x1fff, 0)->n);
    check_log(t->log, "translate 0x10 r 0\ntranslate 0x10 w 0\ntranslate 0x0 - 0\ntranslate 0x1000 - 0\n");
    /* Without the big lock. */
    qemu_mutex_unlock_iothread();
    check_load(address_space_ldl_le, bus.as, 0x1000, 0, OK);
    check(!qemu_mutex_iothread_locked());
    qemu_mutex_lock_iothread();
    check_log(t->log, "translate 0x1000 r 0\n");
}

static void aliases_of_iommus(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_PLAIN);
    MemoryRegion *inner = stage_alias("inner", table_region(t), 0x1000, 0x1000);
    MemoryRegion *outer = stage_alias("outer", inner, 0, 0x1000), *ram = stage_ram("ram", 0x1000);

    check_pointer(memory_region_get_iommu(table_region(t)), &t->iommu);
    check_pointer(memory_region_get_iommu(outer), &t->iommu);
    check(memory_region_is_iommu(outer));
    check(!memory_region_is_iommu(ram));
    check(!memory_region_is_iommu(stage_alias("other", ram, 0, 0x1000)));
}

/* ---- R-IOM-4 to R-IOM-7: registration ---- */

static void registration(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_FULL);
    GString *log = stage_log();
    Ear *a = ear_new("a", log, MAP, 0, 0xfff, 0), *b = ear_new("b", log, DEVIOTLB, 0, UINT64_MAX, 1);
    Ear *c = ear_new("c", log, MAP, 5, 5, 0);
    Error *error = NULL;

    check_number(memory_region_register_iommu_notifier(table_region(t), &a->n, &error_abort), 0);
    check_log(t->log, "flags 0->2\n");
    check_number(memory_region_register_iommu_notifier(table_region(t), &c->n, &error_abort), 0);
    check_log(t->log, "");
    t->flag_changed_result = -EINVAL;
    check_number(memory_region_register_iommu_notifier(table_region(t), &b->n, &error), -EINVAL);
    check(error != NULL);
    error_free(error);
    check_log(t->log, "flags 2->6\n");
    /* b is absent, and the flags are as before. */
    memory_region_notify_iommu(&t->iommu, 1, event(DEVIOTLB, 0, 0xfff, 0, IOMMU_NONE));
    check_log(log, "");
    t->flag_changed_result = 0;
    check_number(memory_region_register_iommu_notifier(table_region(t), &b->n, &error_abort), 0);
    check_log(t->log, "flags 2->6\n");
    memory_region_notify_iommu(&t->iommu, 1, event(DEVIOTLB, 0, 0xfff, 0, IOMMU_NONE));
    check_log(log, "b 0x0+0xfff -> 0x0 -\n");
    ear_off(t, a);
    check_log(t->log, "");
    ear_off(t, c);
    check_log(t->log, "flags 6->4\n");
    ear_off(t, b);
    check_log(t->log, "flags 4->0\n");
}

static void registration_through_an_alias(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_PLAIN);
    MemoryRegion *window = stage_alias("window", table_region(t), 0x2000, 0x1000);
    GString *log = stage_log();
    Ear *a = ear_new("a", log, MAP, 0x1000, 0x1fff, 0);

    check_number(memory_region_register_iommu_notifier(window, &a->n, &error_abort), 0);
    tell(t, MAP, 0x1000, 0xfff, 0x7000, IOMMU_RW);
    tell(t, MAP, 0x3000, 0xfff, 0x8000, IOMMU_RW);
    check_log(log, "a 0x1000+0xfff -> 0x7000 rw\n");
    memory_region_unregister_iommu_notifier(window, &a->n);
}

static void same_flags_cannot_fail(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_FULL);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, MAP | UNMAP, 0, 0xfff), *b;

    t->flag_changed_result = -EINVAL;
    g_string_truncate(t->log, 0);
    b = ear_on(t, "b", log, UNMAP, 0, 0xfff);
    check_log(t->log, "");
    ear_off(t, b);
    check_log(t->log, "");
    t->flag_changed_result = 0;
    ear_off(t, a);
}

static void tell_in_the_middle(void *opaque)
{
    tell(opaque, MAP, 0, 0xfff, 0x5000, IOMMU_RW);
}

static void on_the_list_already(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_FULL);
    GString *log = stage_log();
    Ear *a;

    t->flag_changed_hook = tell_in_the_middle;
    t->opaque = t;
    a = ear_on(t, "a", log, MAP, 0, 0xfff);
    check_log(log, "a 0x0+0xfff -> 0x5000 rw\n");
    ear_off(t, a);
    check_log(log, "");
}

/* A stale set of flags afterwards, or better the true one; the error is lost. */
static void failing_unregistration(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_FULL);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, MAP, 0, 0xfff), *b = ear_on(t, "b", log, UNMAP, 0, 0xfff), *c;

    g_string_truncate(t->log, 0);
    t->flag_changed_result = -EINVAL;
    ear_off(t, b);
    check_log(t->log, "flags 3->2\n");
    tell(t, UNMAP, 0, 0xfff, 0, IOMMU_NONE);
    check_log(log, "");
    t->flag_changed_result = 0;
    c = ear_on(t, "c", log, DEVIOTLB, 0, 0xfff);
    check(g_str_equal(t->log->str, "flags 2->6\n") || g_str_equal(t->log->str, "flags 3->6\n"));
    ear_off(t, c);
    ear_off(t, a);
}

/* ---- R-IOM-8 to R-IOM-13: events ---- */

static void newest_first_and_by_index(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_FULL);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, MAP, 0, 0xfff), *b = ear_on(t, "b", log, MAP, 0, 0xfff);
    Ear *other = ear_new("other", log, MAP, 0, 0xfff, 1);

    check_number(memory_region_register_iommu_notifier(table_region(t), &other->n, &error_abort), 0);
    tell(t, MAP, 0, 0xfff, 0x1000, IOMMU_RO);
    check_log(log, "b 0x0+0xfff -> 0x1000 r\na 0x0+0xfff -> 0x1000 r\n");
    memory_region_notify_iommu(&t->iommu, 1, event(MAP, 0, 0xfff, 0x2000, IOMMU_RO));
    check_log(log, "other 0x0+0xfff -> 0x2000 r\n");
    ear_off(t, other);
    ear_off(t, b);
    tell(t, MAP, 0, 0xfff, 0x1000, IOMMU_RO);
    check_log(log, "a 0x0+0xfff -> 0x1000 r\n");
    ear_off(t, a);
}

static void one_notifier(void)
{
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, UNMAP, 0x1000, 0x2fff), *b = ear_on(t, "b", log, MAP, 0x1000, 0x2fff);
    IOMMUTLBEvent e = event(UNMAP, 0x1000, 0x1fff, 0x77, IOMMU_NONE);

    memory_region_notify_iommu_one(&a->n, &e);
    check_log(log, "a 0x1000+0x1fff -> 0x77 -\n");
    memory_region_notify_iommu_one(&b->n, &e);
    check_log(log, "");
    tell(t, UNMAP, 0x3000, 0xfff, 0, IOMMU_NONE);
    tell(t, UNMAP, 0, 0xfff, 0, IOMMU_NONE);
    check_log(log, "");
    tell(t, UNMAP, 0x2fff, 0, 0, IOMMU_NONE);
    check_log(log, "a 0x2fff+0x0 -> 0x0 -\n");
    tell(t, UNMAP, 0x1000, 0, 0, IOMMU_NONE);
    check_log(log, "a 0x1000+0x0 -> 0x0 -\n");
    /* A MAP without permissions is delivered as it is. */
    tell(t, MAP, 0x2000, 0xfff, 0x9000, IOMMU_NONE);
    check_log(log, "b 0x2000+0xfff -> 0x9000 -\n");
    ear_off(t, a);
    ear_off(t, b);
}

static void each_gets_a_copy(void)
{
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, UNMAP, 0, 0xffff), *b = ear_on(t, "b", log, UNMAP, 0, 0xffff);
    IOMMUTLBEvent e = event(UNMAP, 0x1000, 0xfff, 0x2000, IOMMU_NONE);

    b->scribble = true;
    memory_region_notify_iommu(&t->iommu, 0, e);
    check_log(log, "b 0x1000+0xfff -> 0x2000 -\na 0x1000+0xfff -> 0x2000 -\n");
    memory_region_notify_iommu_one(&b->n, &e);
    check_number(e.entry.iova, 0x1000);
    check_number(e.entry.addr_mask, 0xfff);
    ear_off(t, a);
    ear_off(t, b);
}

static void cropped(void)
{
    TableIommu *t = table_new("iommu", UINT64_MAX, TABLE_PLAIN);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, DEVIOTLB, 0x1000, 0x2fff);

    tell(t, DEVIOTLB, 0, 0x1fff, 0, IOMMU_NONE);
    check_log(log, "a 0x1000+0xfff -> 0x0 -\n");
    tell(t, DEVIOTLB, 0x2000, 0xfff, 0, IOMMU_NONE);
    check_log(log, "a 0x2000+0xfff -> 0x0 -\n");
    tell(t, DEVIOTLB, 0x3000, 0xfff, 0, IOMMU_NONE);
    tell(t, DEVIOTLB, 0, 0xfff, 0, IOMMU_NONE);
    check_log(log, "");
    /* One byte of the range, at either end. */
    tell(t, DEVIOTLB, 0, 0x1000, 0, IOMMU_NONE);
    check_log(log, "a 0x1000+0x0 -> 0x0 -\n");
    tell(t, DEVIOTLB, 0x2fff, 0x1000, 0, IOMMU_NONE);
    check_log(log, "a 0x2fff+0x0 -> 0x0 -\n");
    tell(t, DEVIOTLB, 0, UINT64_MAX, 0, IOMMU_NONE);
    check_log(log, "a 0x1000+0x1fff -> 0x0 -\n");
    ear_off(t, a);
    /* Not a power of two. */
    a = ear_on(t, "a", log, DEVIOTLB, 0x1400, 0x2bff);
    tell(t, DEVIOTLB, 0, 0x3fff, 0, IOMMU_NONE);
    check_log(log, "a 0x1400+0x17ff -> 0x0 -\n");
    ear_off(t, a);
}

/* The wrong frame in 7.2, better the one that belongs to the new start. */
static void cropped_maps(void)
{
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, MAP | DEVIOTLB, 0x1000, 0x2fff);

    tell(t, MAP, 0, 0x1fff, 0x8000, IOMMU_RW);
    check(g_str_equal(log->str, "a 0x1000+0xfff -> 0x8000 rw\n") ||
          g_str_equal(log->str, "a 0x1000+0xfff -> 0x9000 rw\n"));
    g_string_truncate(log, 0);
    tell(t, MAP, 0x1000, 0xfff, 0x8000, IOMMU_RW);
    check_log(log, "a 0x1000+0xfff -> 0x8000 rw\n");
    ear_off(t, a);
}

/*
 * Whether an event that a notifier does not want may still be misuse is open;
 * one that it wants and that fits is delivered.  Violations are in preconditions.c.
 */
static void wanted_events_that_fit(void)
{
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, MAP, 0x1000, 0x1fff);

    tell(t, UNMAP, 0x1000, 0xfff, 0, IOMMU_NONE);
    check_log(log, "");
    tell(t, MAP, 0x1000, 0xfff, 0, IOMMU_WO);
    check_log(log, "a 0x1000+0xfff -> 0x0 w\n");
    ear_off(t, a);
}

/* The core adds no UNMAP of its own. */
static void changes_are_two_events(void)
{
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    GString *log = stage_log();
    Ear *a = ear_on(t, "a", log, MAP | UNMAP, 0, 0xffff);

    tell(t, MAP, 0, 0xfff, 0x1000, IOMMU_RW);
    tell(t, MAP, 0, 0xfff, 0x2000, IOMMU_RW);
    check_log(log, "a 0x0+0xfff -> 0x1000 rw\na 0x0+0xfff -> 0x2000 rw\n");
    tell(t, UNMAP, 0, 0xfff, 0, IOMMU_NONE);
    tell(t, MAP, 0, 0xfff, 0x3000, IOMMU_RW);
    check_log(log, "a 0x0+0xfff -> 0x0 -\na 0x0+0xfff -> 0x3000 rw\n");
    ear_off(t, a);
}

/* ---- R-IOM-14, R-IOM-15: replay ---- */

static void replay_asks_for_every_block(void)
{
    Bus target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x3800, TABLE_FULL);
    GString *log = stage_log();
    Ear *a = ear_new("a", log, MAP, 0, UINT64_MAX, 1);

    table_map(t, 0, 0x1000, target.as, 0x7000, 0xfff, IOMMU_RO);
    table_map(t, 0x2000, 0x2000, target.as, 0x9000, 0xfff, IOMMU_WO);
    t->entries[0].index = t->entries[1].index = 1;
    t->log_translate = true;
    memory_region_iommu_replay(&t->iommu, &a->n);
    check_log(t->log,
              "translate 0x0 - 1\ntranslate 0x1000 - 1\ntranslate 0x2000 - 1\ntranslate 0x3000 - 1\n");
    check_log(log, "a 0x0+0xfff -> 0x7000 r\na 0x2000+0xfff -> 0x9000 w\na 0x3000+0xfff -> 0xa000 w\n");
    t->min_page_size = 0x2000;
    memory_region_iommu_replay(&t->iommu, &a->n);
    check_log(t->log, "translate 0x0 - 1\ntranslate 0x2000 - 1\n");
}

/* As the method gave it, even where that is odd. */
static void replayed_entries_are_untouched(void)
{
    Bus target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x2000, TABLE_PLAIN);
    GString *log = stage_log();

    table_map(t, 0x1000, 0x1000, target.as, 0x7000, 0xfff, IOMMU_RW);
    t->sloppy = true;
    memory_region_iommu_replay(&t->iommu, &ear_new("a", log, MAP, 0, 0x1fff, 0)->n);
    check_log(log, "a 0x123456+0xfff -> 0x7abc rw\n");
}

static void replay_of_everything(void)
{
    TableIommu *t = table_new("iommu", UINT64_MAX, TABLE_FULL);
    GString *log = stage_log();

    t->min_page_size = (uint64_t)1 << 60;
    table_map(t, UINT64_MAX - 0xfff, 0xfff, NULL, 0, 0, IOMMU_RW);
    t->log_translate = true;
    memory_region_iommu_replay(&t->iommu, &ear_new("a", log, MAP, 0, 0, 0)->n);
    check_number(t->translations, 16);
    check(g_str_has_suffix(t->log->str, "translate 0xf000000000000000 - 0\n"));
    check_log(log, "");
    t->min_page_size = (uint64_t)1 << 63;
    t->translations = 0;
    memory_region_iommu_replay(&t->iommu, &ear_new("a", log, MAP, 0, 0, 0)->n);
    check_number(t->translations, 2);
    /* The other end: of every byte. */
    t = table_new("small", 5, TABLE_FULL);
    t->min_page_size = 1;
    memory_region_iommu_replay(&t->iommu, &ear_new("a", log, MAP, 0, 0, 0)->n);
    check_number(t->translations, 5);
}

static void large_entries_are_repeated(void)
{
    Bus target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    GString *log = stage_log();
    Ear *a = ear_new("a", log, UNMAP, 0x5000, 0x5000, 0);
    char **lines;

    table_map(t, 0, 0x10000, target.as, 0x100000, 0x3fff, IOMMU_RW);
    memory_region_iommu_replay(&t->iommu, &a->n);
    check_number(a->calls, 16);
    lines = g_strsplit(log->str, "\n", -1);
    for (unsigned i = 0; i < 16; i++) {
        char *expected = g_strdup_printf("a 0x%x+0x3fff -> 0x%x rw", i / 4 * 0x4000,
                                         0x100000 + i / 4 * 0x4000);

        check_text(lines[i], expected);
        g_free(expected);
    }
    g_strfreev(lines);
}

static void replay_method(void)
{
    Bus target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x2000, TABLE_REPLAY);
    GString *log = stage_log();

    table_map(t, 0, 0x2000, target.as, 0, 0xfff, IOMMU_RW);
    memory_region_iommu_replay(&t->iommu, &ear_new("a", log, UNMAP, 0, 0, 0)->n);
    check_log(t->log, "replay 1\n");
    check_log(log, "");
    check_number(t->translations, 0);
}

/* ---- INV-9: two IOMMUs are one; INV-21, INV-22 ---- */

static void tiles_give_the_event_back(void)
{
    enum { TILES = 12, PAGE = 0x100 };
    uint64_t state = 21;

    for (int round = 0; round < 30; round++) {
        TableIommu *t = table_new("iommu", 0x100000, TABLE_PLAIN);
        GString *log = stage_log();
        Ear *tiles[TILES];
        hwaddr at = 0;

        for (int i = 0; i < TILES; i++) {
            hwaddr size = 1 + random_below(&state, 4 * PAGE);

            tiles[i] = ear_on(t, "tile", log, DEVIOTLB, at, i == TILES - 1 ? 0xfffff : at + size - 1);
            at += size;
        }
        for (int i = 0; i < 20; i++) {
            hwaddr mask = ((hwaddr)1 << random_below(&state, 13)) - 1;
            hwaddr iova = random_below(&state, 0x4000) & ~mask, next = iova;

            tell(t, DEVIOTLB, iova, mask, 0, IOMMU_NONE);
            /* Newest first, so from the top down. */
            char **lines = g_strsplit(log->str, "\n", -1);
            for (guint n = g_strv_length(lines); n > 0; n--) {
                uint64_t start, size;

                if (sscanf(lines[n - 1], "tile %" SCNx64 "+%" SCNx64, &start, &size) == 2) {
                    check_number(start, next);
                    next = start + size + 1;
                }
            }
            check_number(next, iova + mask + 1);
            g_strfreev(lines);
            g_string_truncate(log, 0);
        }
        for (int i = 0; i < TILES; i++) {
            check(tiles[i]->calls <= 20);
            ear_off(t, tiles[i]);
        }
    }
}

/* R-IOM-4, R-IOM-9: who was registered when the IOMMU ended is so nowhere now, and may be told and registered again. */
static void notifiers_outlive_the_iommu(void)
{
    TableIommu *first = table_new("first", 0x10000, TABLE_PLAIN), *second = table_new("second", 0x10000, TABLE_PLAIN);
    GString *log = stage_log();
    Ear *ear = ear_on(first, "n", log, MAP | UNMAP, 0, 0xffff);
    IOMMUTLBEvent unmap = event(UNMAP, 0x1000, 0xfff, 0, IOMMU_NONE);

    stage_release(table_region(first));
    memory_region_notify_iommu_one(&ear->n, &unmap);
    check_number(ear->calls, 1);
    check_number(memory_region_register_iommu_notifier(table_region(second), &ear->n, &error_abort), 0);
    tell(second, UNMAP, 0x2000, 0xfff, 0, IOMMU_NONE);
    check_number(ear->calls, 2);
    ear_off(second, ear);
}

static void failed_registrations_leave_no_trace(void)
{
    TableIommu *t = table_new("iommu", 0x10000, TABLE_FULL);
    GString *log = stage_log();
    uint64_t state = 22;
    Ear *ears[40];
    unsigned count = 0;
    int flags = 0;

    for (int i = 0; i < 40; i++) {
        int wanted = 1 + (int)random_below(&state, 7);
        Ear *ear = ear_new("e", log, wanted, 0, 0xffff, 0);
        Error *error = NULL;
        bool fails = random_below(&state, 2);

        t->flag_changed_result = fails ? -EINVAL : 0;
        g_string_truncate(t->log, 0);
        if (memory_region_register_iommu_notifier(table_region(t), &ear->n, &error) == 0) {
            check(!fails || (flags | wanted) == flags);
            flags |= wanted;
            ears[count++] = ear;
        } else {
            char *expected = g_strdup_printf("flags %d->%d\n", flags, flags | wanted);

            check_log(t->log, expected);
            g_free(expected);
            check(fails);
            error_free(error);
        }
    }
    g_string_truncate(log, 0);
    tell(t, MAP, 0, 0xfff, 0, IOMMU_RW);
    unsigned heard = 0, wants = 0;
    for (unsigned i = 0; i < count; i++) {
        heard += ears[i]->calls;
        wants += (ears[i]->n.notifier_flags & MAP) != 0;
    }
    check_number(heard, wants);
    t->flag_changed_result = 0;
    for (unsigned i = 0; i < count; i++) {
        ear_off(t, ears[i]);
    }
}

static void replay_counts(void)
{
    Bus target = bus_new("target");
    uint64_t state = 23;

    for (int round = 0; round < 40; round++) {
        uint64_t granule = (uint64_t)0x400 << random_below(&state, 3);
        uint64_t size = 1 + random_below(&state, 0x20000);
        TableIommu *t = table_new("iommu", size, TABLE_FULL);
        GString *log = stage_log();
        Ear *ear = ear_new("e", log, MAP, 0, 0, 0);
        unsigned expected = 0;

        t->min_page_size = granule;
        for (int i = 0; i < 10; i++) {
            table_map(t, random_below(&state, 0x80) * 0x400, 0x400 * (1 + random_below(&state, 8)),
                      target.as, 0,
                      0x3ff, (IOMMUAccessFlags)random_below(&state, 4));
        }
        for (uint64_t p = 0; p < size; p += granule) {
            for (unsigned i = 0; i < t->count; i++) {
                if (p - t->entries[i].iova < t->entries[i].size) {
                    expected += t->entries[i].perm != IOMMU_NONE;
                    break;
                }
            }
        }
        memory_region_iommu_replay(&t->iommu, &ear->n);
        check_number(t->translations, (size + granule - 1) / granule);
        check_number(ear->calls, expected);
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-IOM-1/defaults", defaults);
    conformance_case_4k("/R-IOM-2/what-translate-is-asked", what_translate_is_asked);
    conformance_case("/R-IOM-3/aliases", aliases_of_iommus);
    conformance_case("/R-IOM-4/registration", registration);
    conformance_case("/R-IOM-4/through-an-alias", registration_through_an_alias);
    conformance_case("/R-IOM-5/same-flags-cannot-fail", same_flags_cannot_fail);
    conformance_case("/R-IOM-6/on-the-list-already", on_the_list_already);
    conformance_case("/R-IOM-7/failing-unregistration", failing_unregistration);
    conformance_case("/R-IOM-4/outlives-the-iommu", notifiers_outlive_the_iommu);
    conformance_case("/R-IOM-8/newest-first-and-by-index", newest_first_and_by_index);
    conformance_case("/R-IOM-9/one-notifier", one_notifier);
    conformance_case("/R-IOM-9/each-gets-a-copy", each_gets_a_copy);
    conformance_case("/R-IOM-10/cropped", cropped);
    conformance_case("/R-IOM-11/cropped-maps", cropped_maps);
    conformance_case("/R-IOM-12/wanted-events-that-fit", wanted_events_that_fit);
    conformance_case("/R-IOM-13/two-events", changes_are_two_events);
    conformance_case("/R-IOM-14/every-block", replay_asks_for_every_block);
    conformance_case_4k("/R-IOM-14/untouched-entries", replayed_entries_are_untouched);
    conformance_case("/R-IOM-14/everything", replay_of_everything);
    conformance_case_4k("/R-IOM-15/large-entries-are-repeated", large_entries_are_repeated);
    conformance_case("/R-IOM-15/replay-method", replay_method);
    conformance_case("/R-IOM-16/methods-are-asked", methods_are_asked);
    conformance_case("/INV-21/tiles", tiles_give_the_event_back);
    conformance_case("/INV-21/failed-registrations", failed_registrations_leave_no_trace);
    conformance_case("/INV-22/replay-counts", replay_counts);
    return g_test_run();
}
