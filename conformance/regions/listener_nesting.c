/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MemoryListener, third part of chapter 6: what callbacks may do, and what the
 * spaces look like from inside them (R-LST-13, I-22).
 */
#include "world.h"

/* ---- R-LST-13: mutators in callbacks ---- */

typedef struct {
    MemoryRegion *region;
    unsigned times;
    const char *event;
} Toggle;

static void toggle_on_event(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    Toggle *t = recorder->opaque;

    (void)section;
    if (g_str_equal(event, t->event) && t->times) {
        t->times--;
        memory_region_set_enabled(t->region, t->times % 2);
    }
}

static void commit_callback_nests_a_cycle(void)
{
    World w = world_watched(0x2000);
    Toggle toggle = { .region = w.b, .times = 1, .event = "commit" };
    Recorder *y;

    stage_del(w.root, w.a);
    w.recorder->name = "x";
    y = recorder_watch(w.as, "y", 1, w.log);
    recorder_watch(w.as, "z", 2, w.log);
    y->hook = toggle_on_event;
    y->opaque = &toggle;
    g_string_truncate(w.log, 0);
    stage_add(w.root, 0x1000, w.a);
    check_log(w.log,
              "begin : x y z\n"
              "region_add a[0x1000,0x2000) : x y z\n"
              "region_nop b[0x2000,0x3000) : x y z\n"
              "commit : x y\n"
              "begin : x y z\n"
              "region_del b[0x2000,0x3000) : z y x\n"
              "region_nop a[0x1000,0x2000) : x y z\n"
              "commit : x y z\n"
              "commit : z\n");
    check_view(w.as, "a[0x1000,0x2000)");
}

static void commit_callbacks_nest_twice(void)
{
    World w = world_watched(0x2000);
    Toggle toggle = { .region = w.b, .times = 2, .event = "commit" };

    w.recorder->hook = toggle_on_event;
    w.recorder->opaque = &toggle;
    memory_region_set_enabled(w.b, false);
    check_log(w.log,
              "begin\n"
              "region_del b[0x2000,0x3000)\n"
              "region_nop a[0x1000,0x2000)\n"
              "commit\n"
              "begin\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_add b[0x2000,0x3000)\n"
              "commit\n"
              "begin\n"
              "region_del b[0x2000,0x3000)\n"
              "region_nop a[0x1000,0x2000)\n"
              "commit\n");
    check_view(w.as, "a[0x1000,0x2000)");
}

static EventNotifier *nested_notifier;

static void add_eventfd_on_commit(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    (void)section;
    if (g_str_equal(event, "commit")) {
        memory_region_add_eventfd(recorder->opaque, 0, 4, false, 0, nested_notifier);
        recorder->hook = NULL;
    }
}

static void eventfd_from_a_commit_callback(void)
{
    World w = world_watched(0x2000);

    nested_notifier = stage_notifier("e");
    stage_del(w.root, w.b);
    g_string_truncate(w.log, 0);
    w.recorder->hook = add_eventfd_on_commit;
    w.recorder->opaque = w.a;
    stage_add(w.root, 0x2000, w.b);
    check_log(w.log,
              "begin\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_add b[0x2000,0x3000)\n"
              "commit\n"
              "eventfd_add 0x1000+0x4 data 0x0 e\n");
}

static void mutate_in(const char *event)
{
    World w = world_watched(0x2000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    Toggle toggle = { .region = ram, .times = 1, .event = event };

    stage_add(w.root, 0x8000, ram);
    memory_region_add_eventfd(w.b, 0, 4, false, 0, stage_notifier("e"));
    memory_region_add_coalescing(w.b, 0, 4);
    w.recorder->hook = toggle_on_event;
    w.recorder->opaque = &toggle;
    memory_region_transaction_begin();
    memory_region_set_address(w.b, 0x5000);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    memory_region_transaction_commit();
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
}

static void mutate_in_begin(void) { mutate_in("begin"); }
static void mutate_in_region_add(void) { mutate_in("region_add"); }
static void mutate_in_region_del(void) { mutate_in("region_del"); }
static void mutate_in_region_nop(void) { mutate_in("region_nop"); }
static void mutate_in_log_start(void) { mutate_in("log_start"); }
static void mutate_in_log_stop(void) { mutate_in("log_stop"); }
static void mutate_in_eventfd_add(void) { mutate_in("eventfd_add"); }
static void mutate_in_eventfd_del(void) { mutate_in("eventfd_del"); }
static void mutate_in_coalesced_io_add(void) { mutate_in("coalesced_io_add"); }
static void mutate_in_coalesced_io_del(void) { mutate_in("coalesced_io_del"); }

typedef struct {
    Recorder *other;
    AddressSpace *as;       /* NULL: unregister */
    const char *event;
} Registration;

static void registration_hook(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    Registration *r = recorder->opaque;

    (void)section;
    if (g_str_equal(event, r->event)) {
        recorder->hook = NULL;
        if (r->as) {
            memory_listener_register(&r->other->listener, r->as);
        } else {
            memory_listener_unregister(&r->other->listener);
        }
    }
}

static void change_registration_in(const char *event, bool join)
{
    World w = world_watched(0x2000);
    Registration r = { .other = recorder_new("guest", 0, w.log), .as = join ? w.as : NULL, .event = event };

    if (!join) {
        memory_listener_register(&r.other->listener, w.as);
    }
    w.recorder->hook = registration_hook;
    w.recorder->opaque = &r;
    memory_region_set_enabled(w.b, false);
}

static void register_in_region_del(void) { change_registration_in("region_del", true); }
static void register_in_commit(void) { change_registration_in("commit", true); }
static void unregister_in_region_nop(void) { change_registration_in("region_nop", false); }
static void unregister_in_commit(void) { change_registration_in("commit", false); }

/* ---- I-22: while space k is told, the spaces before it are new and those after it old ---- */

typedef struct {
    AddressSpace *first, *last;
    unsigned told;
} Neighbours;

static void look_around(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    Neighbours *n = recorder->opaque;

    (void)event;
    if (section) {
        n->told++;
        check_text_taken(text_of_flatview(address_space_to_flatview(n->first)), "a[0x100,0x200)");
        check_text_taken(text_of_flatview(address_space_to_flatview(n->last)), "a[0,0x100)");
    }
}

static void spaces_change_one_after_the_other(void)
{
    MemoryRegion *a = stage_io("a", 0x100);
    MemoryRegion *bus = stage_container("bus", 0x1000);
    AddressSpace *spaces[3];
    GString *log = stage_log();
    Neighbours n = { 0 };
    Recorder *r;

    stage_add(bus, 0, a);
    for (int i = 0; i < 3; i++) {
        /* A second child keeps the three roots from collapsing into one view (R-FV-9). */
        MemoryRegion *root = stage_container("root", 0x1000);

        stage_add(root, 0, stage_alias("window", bus, 0, 0x1000));
        stage_add(root, 0x2000, stage_container("outside", 1));
        spaces[i] = stage_space(root, "as");
    }
    r = recorder_watch(spaces[1], NULL, 0, log);
    n.first = spaces[0];
    n.last = spaces[2];
    r->hook = look_around;
    r->opaque = &n;
    memory_region_set_address(a, 0x100);
    check_log(log, "begin\nregion_del a[0,0x100)\nregion_add a[0x100,0x200)\ncommit\n");
    check_number(n.told, 2);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-LST-13/commit-nests-a-cycle", commit_callback_nests_a_cycle);
    conformance_case("/R-LST-13/commit-nests-twice", commit_callbacks_nest_twice);
    conformance_case("/R-LST-13/eventfd-from-commit", eventfd_from_a_commit_callback);
#define MISUSE_IN(event, name) \
    conformance_misuse("/R-LST-13/mutator-in-" name, mutate_in_##event, "memory_region_set_enabled", "ram*(R-LST-13)")
    MISUSE_IN(begin, "begin");
    MISUSE_IN(region_add, "region-add");
    MISUSE_IN(region_del, "region-del");
    MISUSE_IN(region_nop, "region-nop");
    MISUSE_IN(log_start, "log-start");
    MISUSE_IN(log_stop, "log-stop");
    MISUSE_IN(eventfd_add, "eventfd-add");
    MISUSE_IN(eventfd_del, "eventfd-del");
    MISUSE_IN(coalesced_io_add, "coalesced-add");
    MISUSE_IN(coalesced_io_del, "coalesced-del");
    conformance_misuse("/R-LST-13/register-in-region-del", register_in_region_del,
                       "memory_listener_register", "guest*(R-LST-13)");
    conformance_misuse("/R-LST-13/register-in-commit", register_in_commit,
                       "memory_listener_register", "guest*(R-LST-13)");
    conformance_misuse("/R-LST-13/unregister-in-region-nop", unregister_in_region_nop,
                       "memory_listener_unregister", "guest*(R-LST-13)");
    conformance_misuse("/R-LST-13/unregister-in-commit", unregister_in_commit,
                       "memory_listener_unregister", "guest*(R-LST-13)");
    conformance_case("/I-22/regions-space-after-space", spaces_change_one_after_the_other);
    return g_test_run();
}
