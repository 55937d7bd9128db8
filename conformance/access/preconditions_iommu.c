/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Misuse of IOMMU regions and their notifiers, beyond preconditions.c: section 15; and what outlives what. */
#include "common/access.h"

#include <string.h>

#include "qemu/main-loop.h"

/* ---- types ---- */

static int negative_index(IOMMUMemoryRegion *iommu, MemTxAttrs attrs)
{
    (void)iommu;
    (void)attrs;
    return -1;
}

static void mute_class_init(ObjectClass *class, void *data)
{
    (void)data;
    IOMMU_MEMORY_REGION_CLASS(class)->translate = NULL;
}

static void negative_class_init(ObjectClass *class, void *data)
{
    (void)data;
    IOMMU_MEMORY_REGION_CLASS(class)->attrs_to_index = negative_index;
}

static const TypeInfo types[] = {
    { .name = "conformance-mute", .parent = "conformance-table", .class_init = mute_class_init },
    { .name = "conformance-negative", .parent = "conformance-table-full", .class_init = negative_class_init },
};

static void register_types(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        type_register_static(&types[i]);
    }
}
type_init(register_types)

static TableIommu *iommu_of(const char *type, const char *name)
{
    TableIommu *t = stage_storage(sizeof(*t));

    memory_region_init_iommu(t, sizeof(*t), type, NULL, name, 0x1000);
    stage_adopt(table_region(t), NULL);
    return t;
}

static void no_type(void)
{
    iommu_of(NULL, "strange");
}

static void unnamed_of_another_type(void)
{
    iommu_of(TYPE_MEMORY_REGION, NULL);
}

static void index_below_zero(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0, table_region(iommu_of("conformance-negative", "strange")));
    address_space_ldl_le(bus.as, 0, PLAIN, NULL);
}

/* ---- answers ---- */

static AddressSpace nowhere;

static void translation_to_a_space_that_is_none(void)
{
    Bus bus = bus_new("as");
    TableIommu *t = table_new("iommu", 0x1000, TABLE_PLAIN);

    stage_add(bus.root, 0, table_region(t));
    table_map(t, 0, 0x1000, &nowhere, 0, 0xfff, IOMMU_RW);
    address_space_ldl_le(bus.as, 0, PLAIN, NULL);
}

/* ---- notifiers ---- */

static IOMMUNotifier notifier;
static unsigned heard;
static hwaddr heard_iova;

static void hear(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    (void)n;
    heard++;
    heard_iova = entry->iova;
}

static TableIommu *table_with_notifier(void)
{
    TableIommu *t = table_new("iommu", 0x4000, TABLE_PLAIN);

    iommu_notifier_init(&notifier, hear, IOMMU_NOTIFIER_MAP, 0, UINT64_MAX, 0);
    memory_region_register_iommu_notifier(table_region(t), &notifier, &error_abort);
    return t;
}

static IOMMUTLBEvent map_event(hwaddr iova)
{
    return (IOMMUTLBEvent) {
        .type = IOMMU_NOTIFIER_MAP,
        .entry = { .iova = iova, .addr_mask = 0xfff, .perm = IOMMU_RW },
    };
}

static void registered_with_another(void)
{
    table_with_notifier();
    memory_region_register_iommu_notifier(table_region(table_new("other", 0x1000, TABLE_PLAIN)), &notifier, &error_abort);
}

/* Its fields are new, and say nothing of the list it stands on. */
static void initialised_again(void)
{
    TableIommu *t = table_with_notifier();

    iommu_notifier_init(&notifier, hear, IOMMU_NOTIFIER_MAP, 0, UINT64_MAX, 0);
    memory_region_register_iommu_notifier(table_region(t), &notifier, &error_abort);
}

static void leave(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    (void)entry;
    memory_region_unregister_iommu_notifier(table_region((TableIommu *)n->iommu), n);
}

static void leave_while_told_alone(void)
{
    IOMMUTLBEvent event = map_event(0);

    table_with_notifier();
    notifier.notify = leave;
    memory_region_notify_iommu_one(&notifier, &event);
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
    memory_region_iommu_replay(&iommu_of("conformance-mute", "strange")->iommu, &notifier);
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
    static const struct {
        const char *path;
        void (*test)(void);
        const char *function;
        const char *object;
        const char *rule;
    } cases[] = {
        { "/R-IOM-1/no-type", no_type, "memory_region_init_iommu: ", "\"(null)\"", "(R-IOM-1)" },
        { "/R-IOM-1/unnamed-of-another-type", unnamed_of_another_type, "memory_region_init_iommu: ", "'(unnamed)'",
          "(R-IOM-1)" },
        { "/R-TRN-5/index-below-zero", index_below_zero, "attrs_to_index: ", "strange", "index -1 (R-TRN-5)" },
        { "/R-TRN-5/to-a-space-that-is-none", translation_to_a_space_that_is_none, "translate: ", "iommu",
          "not an initialised address space (R-TRN-5)" },
        { "/R-IOM-4/registered-with-another", registered_with_another, "memory_region_register_iommu_notifier: ",
          "other", "registered already (R-IOM-4)" },
        { "/R-IOM-4/initialised-again", initialised_again, "memory_region_register_iommu_notifier: ", "iommu",
          "registered already (R-IOM-4)" },
        { "/R-IOM-8/leave-while-told-alone", leave_while_told_alone, "memory_region_unregister_iommu_notifier: ",
          "iommu", "(R-IOM-8)" },
        { "/R-IOM-8/not-an-iommu", tell_ram, "memory_region_notify_iommu: ", "no iommu", "(R-IOM-8)" },
        { "/R-IOM-14/without-translate", replay_without_translate, "memory_region_iommu_replay: ", "strange",
          "(R-IOM-1)" },
        { "/R-IOM-4/unlocked", register_unlocked, "memory_region_register_iommu_notifier: ", "without the big lock",
          "(R-IOM-4)" },
        { "/R-IOM-7/unlocked", unregister_unlocked, "memory_region_unregister_iommu_notifier: ",
          "without the big lock", "(R-IOM-7)" },
        { "/R-IOM-8/unlocked", notify_unlocked, "memory_region_notify_iommu: ", "without the big lock", "(R-IOM-8)" },
        { "/R-IOM-9/unlocked", notify_one_unlocked, "memory_region_notify_iommu_one: ", "without the big lock",
          "(R-IOM-9)" },
        { "/R-IOM-14/unlocked", replay_unlocked, "memory_region_iommu_replay: ", "without the big lock",
          "(R-IOM-14)" },
    };

    conformance_start(&argc, &argv);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        conformance_misuse_both(cases[i].path, cases[i].test, cases[i].function, cases[i].object, cases[i].rule);
    }
    conformance_case("/R-IOM-9/one-that-is-not-registered", one_that_is_not_registered);
    conformance_case("/R-IOM-7/after-it-was-told-alone", leaving_after_it_was_told_alone);
    conformance_case("/R-IOM-4/notifiers-outlive-their-iommu", notifiers_outlive_their_iommu);
    return g_test_run();
}
