/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Misuse of IOMMU regions and their notifiers: section 15; and what outlives what. */
#include "common/access.h"

#include <string.h>

#include "qemu/main-loop.h"

/* ---- types and methods ---- */

static void init_of_type(const char *type, const char *name)
{
    memory_region_init_iommu(stage_storage(sizeof(TableIommu)), sizeof(TableIommu), type, NULL, name, 0x1000);
}

static void no_type(void)
{
    init_of_type(NULL, "strange");
}

static void another_type(void)
{
    init_of_type(TYPE_DEVICE, "strange");
}

static void unnamed_of_another_type(void)
{
    init_of_type(TYPE_MEMORY_REGION, NULL);
}

static void load_through(TableIommu *table)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0, table_region(table));
    address_space_ldl_le(bus.as, 0, PLAIN, NULL);
}

static void load_without_translate(void)
{
    load_through(table_new("strange", 0x1000, TABLE_MUTE));
}

static void load_with_index(int index)
{
    TableIommu *t = table_new("strange", 0x1000, TABLE_FULL);

    t->index = index;
    load_through(t);
}

static void index_too_large(void)
{
    load_with_index(2);
}

static void index_below_zero(void)
{
    load_with_index(-1);
}

static void translation_to(AddressSpace *target, hwaddr mask)
{
    TableIommu *t = table_new("iommu", 0x1000, TABLE_FULL);

    table_map(t, 0, 0x1000, target, 0, mask, IOMMU_RW);
    load_through(t);
}

static void translation_to_no_space(void)
{
    translation_to(NULL, 0xfff);
}

static void translation_to_a_space_that_is_none(void)
{
    static AddressSpace nowhere;

    translation_to(&nowhere, 0xfff);
}

static void translation_with_an_odd_mask(void)
{
    translation_to(bus_new("target").as, 0xff0);
}

/* ---- ranges, flags and indexes of notifiers ---- */

static IOMMUNotifier notifier;
static unsigned heard;
static hwaddr heard_iova;

static void hear(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    (void)n;
    heard++;
    heard_iova = entry->iova;
}

static TableIommu *table_with(int flags, hwaddr start, hwaddr end, int index)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_FULL);

    iommu_notifier_init(&notifier, hear, (IOMMUNotifierFlag)flags, start, end, index);
    memory_region_register_iommu_notifier(table_region(t), &notifier, &error_abort);
    return t;
}

static TableIommu *table_with_notifier(void)
{
    return table_with(IOMMU_NOTIFIER_MAP, 0, UINT64_MAX, 0);
}

static void notifier_of_nothing(void)
{
    table_with(IOMMU_NOTIFIER_NONE, 0, 1, 0);
}

static void notifier_of_a_negative_range(void)
{
    table_with(IOMMU_NOTIFIER_MAP, 2, 1, 0);
}

static void notifier_of_an_unknown_index(void)
{
    table_with(IOMMU_NOTIFIER_MAP, 0, 1, 2);
}

static void notifier_of_a_negative_index(void)
{
    table_with(IOMMU_NOTIFIER_MAP, 0, 1, -1);
}

static void notifier_on_ram(void)
{
    iommu_notifier_init(&notifier, hear, IOMMU_NOTIFIER_MAP, 0, 1, 0);
    memory_region_register_iommu_notifier(stage_ram("ram", 0x1000), &notifier, &error_abort);
}

/* ---- notifiers come and go ---- */

static void registered_twice(void)
{
    memory_region_register_iommu_notifier(table_region(table_with_notifier()), &notifier, &error_abort);
}

static void registered_with_another(void)
{
    table_with_notifier();
    memory_region_register_iommu_notifier(table_region(table_new("other", 0x1000, TABLE_PLAIN)), &notifier,
                                          &error_abort);
}

/* Its fields are new, and say nothing of the list it stands on. */
static void initialised_again(void)
{
    TableIommu *t = table_with_notifier();

    iommu_notifier_init(&notifier, hear, IOMMU_NOTIFIER_MAP, 0, UINT64_MAX, 0);
    memory_region_register_iommu_notifier(table_region(t), &notifier, &error_abort);
}

static void unregister_what_is_not(void)
{
    iommu_notifier_init(&notifier, hear, IOMMU_NOTIFIER_MAP, 0, 1, 0);
    memory_region_unregister_iommu_notifier(table_region(table_new("iommu", 0x1000, TABLE_PLAIN)), &notifier);
}

static void unregister_elsewhere(void)
{
    table_with_notifier();
    memory_region_unregister_iommu_notifier(table_region(table_new("other", 0x1000, TABLE_PLAIN)), &notifier);
}

static void leave(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    (void)entry;
    memory_region_unregister_iommu_notifier(table_region((TableIommu *)n->iommu), n);
}

static IOMMUTLBEvent map_event(hwaddr iova)
{
    return (IOMMUTLBEvent) {
        .type = IOMMU_NOTIFIER_MAP,
        .entry = { .iova = iova, .addr_mask = 0xfff, .perm = IOMMU_RW },
    };
}

static void leave_while_told(void)
{
    TableIommu *t = table_with_notifier();

    notifier.notify = leave;
    memory_region_notify_iommu(&t->iommu, 0, map_event(0));
}

static void leave_while_told_alone(void)
{
    IOMMUTLBEvent event = map_event(0);

    table_with_notifier();
    notifier.notify = leave;
    memory_region_notify_iommu_one(&notifier, &event);
}

/* ---- events and replay ---- */

static void tell(TableIommu *t, int type, hwaddr iova, hwaddr mask, IOMMUAccessFlags perm)
{
    memory_region_notify_iommu(&t->iommu, 0, (IOMMUTLBEvent) {
        .type = (IOMMUNotifierFlag)type,
        .entry = { .iova = iova, .addr_mask = mask, .perm = perm },
    });
}

static void unmap_event_with_permissions(void)
{
    tell(table_with(IOMMU_NOTIFIER_UNMAP, 0, 0xfff, 0), IOMMU_NOTIFIER_UNMAP, 0, 0xfff, IOMMU_RW);
}

static void event_that_sticks_out(void)
{
    tell(table_with(IOMMU_NOTIFIER_UNMAP, 0x1000, 0x1fff, 0), IOMMU_NOTIFIER_UNMAP, 0, 0x1fff, IOMMU_NONE);
}

static void map_event_that_sticks_out(void)
{
    tell(table_with(IOMMU_NOTIFIER_MAP, 0x1000, 0x1fff, 0), IOMMU_NOTIFIER_MAP, 0x1000, 0x1fff, IOMMU_RW);
}

static void event_past_the_end(void)
{
    tell(table_with(IOMMU_NOTIFIER_DEVIOTLB_UNMAP, 0, UINT64_MAX, 0), IOMMU_NOTIFIER_DEVIOTLB_UNMAP, 0x1000, UINT64_MAX,
         IOMMU_NONE);
}

static void event_of_two_types(void)
{
    const int both = IOMMU_NOTIFIER_MAP | IOMMU_NOTIFIER_UNMAP;

    tell(table_with(both, 0, 0xfff, 0), both, 0, 0xfff, IOMMU_NONE);
}

static void event_of_no_type(void)
{
    tell(table_with(IOMMU_NOTIFIER_MAP, 0, 0xfff, 0), IOMMU_NOTIFIER_NONE, 0, 0xfff, IOMMU_NONE);
}

static void tell_ram(void)
{
    IOMMUMemoryRegion *storage = stage_storage(sizeof(*storage));

    memory_region_init_io(&storage->parent_obj, NULL, &stage_ops, NULL, "no iommu", 0x1000);
    stage_adopt(&storage->parent_obj, NULL);
    memory_region_notify_iommu(storage, 0, map_event(0));
}

static void replay_without_translate(void)
{
    iommu_notifier_init(&notifier, hear, IOMMU_NOTIFIER_MAP, 0, UINT64_MAX, 0);
    memory_region_iommu_replay(&table_new("strange", 0x1000, TABLE_MUTE)->iommu, &notifier);
}

static void replay_with_blocks_of_nothing(void)
{
    TableIommu *t = table_with_notifier();

    t->min_page_size = 0;
    memory_region_iommu_replay(&t->iommu, &notifier);
}

static void replay_to_nobody(void)
{
    TableIommu *t = table_with_notifier();

    table_map(t, 0, 0x1000, bus_new("target").as, 0, 0xfff, IOMMU_RW);
    notifier.notify = NULL;
    memory_region_iommu_replay(&t->iommu, &notifier);
}

/* ---- the big lock ---- */

#define UNLOCKED(name, ...) \
    static void name(void) \
    { \
        TableIommu *t = table_with_notifier(); \
        IOMMUNotifier other; \
        IOMMUTLBEvent event = map_event(0); \
        iommu_notifier_init(&other, hear, IOMMU_NOTIFIER_MAP, 0, UINT64_MAX, 0); \
        qemu_mutex_unlock_iothread(); \
        (void)t, (void)event; \
        __VA_ARGS__; \
    }

UNLOCKED(register_unlocked, memory_region_register_iommu_notifier(table_region(t), &other, &error_abort))
UNLOCKED(unregister_unlocked, memory_region_unregister_iommu_notifier(table_region(t), &notifier))
UNLOCKED(notify_unlocked, memory_region_notify_iommu(&t->iommu, 0, event))
UNLOCKED(notify_one_unlocked, memory_region_notify_iommu_one(&notifier, &event))
UNLOCKED(replay_unlocked, memory_region_iommu_replay(&t->iommu, &notifier))

/* ---- what is fine ---- */

/* notify_iommu_one speaks to a notifier, wherever it is registered or not. */
static void one_that_is_not_registered(void)
{
    IOMMUTLBEvent event = map_event(0x2000);

    heard = 0;
    iommu_notifier_init(&notifier, hear, IOMMU_NOTIFIER_MAP, 0x2000, 0x2fff, 0);
    memory_region_notify_iommu_one(&notifier, &event);
    check_number(heard, 1);
    check_number(heard_iova, 0x2000);
    event = map_event(0x3000);
    memory_region_notify_iommu_one(&notifier, &event);
    check_number(heard, 1);
}

/* The call is over, so it may leave now. */
static void leaving_after_it_was_told_alone(void)
{
    TableIommu *t = table_with_notifier();
    IOMMUTLBEvent event = map_event(0x1000);

    heard = 0;
    memory_region_notify_iommu_one(&notifier, &event);
    check_number(heard, 1);
    memory_region_unregister_iommu_notifier(table_region(t), &notifier);
    memory_region_notify_iommu(&t->iommu, 0, event);
    check_number(heard, 1);
}

/* A device that goes with its notifiers still there leaves them free for another. */
static void notifiers_outlive_their_iommu(void)
{
    TableIommu *t = table_with_notifier(), *second = table_new("second", 0x4000, TABLE_PLAIN);
    IOMMUNotifier other;

    iommu_notifier_init(&other, hear, IOMMU_NOTIFIER_MAP, 0, UINT64_MAX, 0);
    memory_region_register_iommu_notifier(table_region(t), &other, &error_abort);
    stage_release(table_region(t));
    heard = 0;
    check_number(memory_region_register_iommu_notifier(table_region(second), &notifier, &error_abort), 0);
    check_number(memory_region_register_iommu_notifier(table_region(second), &other, &error_abort), 0);
    memory_region_notify_iommu(&second->iommu, 0, map_event(0));
    check_number(heard, 2);
    memory_region_unregister_iommu_notifier(table_region(second), &other);
    memory_region_unregister_iommu_notifier(table_region(second), &notifier);
}

int main(int argc, char **argv)
{
    static const Misuse cases[] = {
        { "/R-IOM-4/flags-none", notifier_of_nothing, "memory_region_register_iommu_notifier",
          "'iommu'*wants no events (flags 0) (R-IOM-4)" },
        { "/R-IOM-4/negative-range", notifier_of_a_negative_range, "memory_region_register_iommu_notifier",
          "'iommu'*begins at 0x2, behind its end 0x1 (R-IOM-4)" },
        { "/R-IOM-4/unknown-index", notifier_of_an_unknown_index, "memory_region_register_iommu_notifier",
          "'iommu' has 2 indexes*wants index 2 (R-IOM-4)" },
        { "/R-IOM-4/negative-index", notifier_of_a_negative_index, "memory_region_register_iommu_notifier",
          "'iommu' has 2 indexes*wants index -1 (R-IOM-4)" },
        { "/R-IOM-4/on-ram", notifier_on_ram, "memory_region_register_iommu_notifier",
          "'ram' is not an IOMMU (R-IOM-4)" },
        { "/R-IOM-4/twice", registered_twice, "memory_region_register_iommu_notifier",
          "'iommu'*is registered already (R-IOM-4)" },
        { "/R-IOM-7/not-registered", unregister_what_is_not, "memory_region_unregister_iommu_notifier",
          "'iommu'*is not registered (R-IOM-7)" },
        { "/R-IOM-7/elsewhere", unregister_elsewhere, "memory_region_unregister_iommu_notifier",
          "'other'*is not registered (R-IOM-7)" },
        { "/R-IOM-8/from-a-callback", leave_while_told, "memory_region_unregister_iommu_notifier",
          "'iommu'*cannot leave while*(R-IOM-8)" },
        { "/R-IOM-9/unmap-with-permissions", unmap_event_with_permissions, "memory_region_notify_iommu",
          "'iommu': UNMAP of 0x0 has perm 3, not IOMMU_NONE (R-IOM-9)" },
        { "/R-IOM-9/sticks-out", event_that_sticks_out, "memory_region_notify_iommu",
          "'iommu': event at 0x0 to 0x1fff is only partly in the range 0x1000 to 0x1fff*(R-IOM-9)" },
        { "/R-IOM-9/map-sticks-out", map_event_that_sticks_out, "memory_region_notify_iommu",
          "'iommu': event at 0x1000 to 0x2fff is only partly*0x1000 to 0x1fff*(R-IOM-9)" },
        { "/R-IOM-9/past-the-end", event_past_the_end, "memory_region_notify_iommu",
          "'iommu': event at 0x1000*passes 2^64 (R-IOM-9)" },
        { "/R-IOM-9/two-types", event_of_two_types, "memory_region_notify_iommu",
          "'iommu': event type 0x3 is not exactly one flag (R-IOM-9)" },
        { "/R-IOM-9/no-type", event_of_no_type, "memory_region_notify_iommu",
          "'iommu': event type 0x0 is not exactly one flag (R-IOM-9)" },
        { "/R-IOM-14/blocks-of-nothing", replay_with_blocks_of_nothing, "memory_region_iommu_replay",
          "'iommu': its smallest page has 0 bytes (R-IOM-14)" },
        { "/R-IOM-14/to-nobody", replay_to_nobody, "memory_region_iommu_replay",
          "'iommu'*no notify function (R-IOM-14)" },
        { "/R-IOM-1/without-translate", load_without_translate, "translate", "strange*(R-IOM-1)" },
        { "/R-TRN-5/index-too-large", index_too_large, "attrs_to_index", "strange*index 2 (R-TRN-5)" },
        { "/R-TRN-5/index-below-zero", index_below_zero, "attrs_to_index", "strange*index -1 (R-TRN-5)" },
        { "/R-IOM-1/another-type", another_type, "memory_region_init_iommu",
          "'strange': type \"device\" does not descend*(R-IOM-1)" },
        { "/R-TRN-5/to-no-space", translation_to_no_space, "translate", "iommu*NULL*(R-TRN-5)" },
        { "/R-TRN-5/odd-mask", translation_with_an_odd_mask, "translate", "iommu*0xff0*(R-TRN-5)" },
        { "/R-IOM-1/no-type", no_type, "memory_region_init_iommu", "\"(null)\"*(R-IOM-1)" },
        { "/R-IOM-1/unnamed-of-another-type", unnamed_of_another_type, "memory_region_init_iommu",
          "'(unnamed)'*(R-IOM-1)" },
        { "/R-TRN-5/to-a-space-that-is-none", translation_to_a_space_that_is_none, "translate",
          "iommu*not an initialised address space (R-TRN-5)" },
        { "/R-IOM-4/registered-with-another", registered_with_another, "memory_region_register_iommu_notifier",
          "other*registered already (R-IOM-4)" },
        { "/R-IOM-4/initialised-again", initialised_again, "memory_region_register_iommu_notifier",
          "iommu*registered already (R-IOM-4)" },
        { "/R-IOM-8/leave-while-told-alone", leave_while_told_alone, "memory_region_unregister_iommu_notifier",
          "iommu*(R-IOM-8)" },
        { "/R-IOM-8/not-an-iommu", tell_ram, "memory_region_notify_iommu", "no iommu*(R-IOM-8)" },
        { "/R-IOM-14/without-translate", replay_without_translate, "memory_region_iommu_replay",
          "strange*(R-IOM-1)" },
        { "/R-IOM-4/unlocked", register_unlocked, "memory_region_register_iommu_notifier",
          "without the big lock*(R-IOM-4)" },
        { "/R-IOM-7/unlocked", unregister_unlocked, "memory_region_unregister_iommu_notifier",
          "without the big lock*(R-IOM-7)" },
        { "/R-IOM-8/unlocked", notify_unlocked, "memory_region_notify_iommu", "without the big lock*(R-IOM-8)" },
        { "/R-IOM-9/unlocked", notify_one_unlocked, "memory_region_notify_iommu_one",
          "without the big lock*(R-IOM-9)" },
        { "/R-IOM-14/unlocked", replay_unlocked, "memory_region_iommu_replay", "without the big lock*(R-IOM-14)" },
    };

    conformance_start(&argc, &argv);
    conformance_misuses(cases);
    conformance_case("/R-IOM-9/one-that-is-not-registered", one_that_is_not_registered);
    conformance_case("/R-IOM-7/after-it-was-told-alone", leaving_after_it_was_told_alone);
    conformance_case("/R-IOM-4/notifiers-outlive-their-iommu", notifiers_outlive_their_iommu);
    return g_test_run();
}
