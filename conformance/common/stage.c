/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of one case, and their orderly end.
 *
 * The stage keeps its own account of what is where, because the API has no
 * getter for a region's container.  The account serves the end of the case
 * only; no check uses it.
 */
#include "conformance.h"

#include <string.h>

/* Nothing like 0 or a valid pointer, so that a field an init function forgets is noticed. */
enum { GARBAGE = 0xa5 };

typedef struct {
    Object *object;
    void (*finalized)(void *opaque);
    void *opaque;
    char *id;
    bool held;              /* the stage's reference */
    bool gone;
} Owner;

typedef struct {
    MemoryRegion *mr;
    MemoryRegion *container;
    Object *owner;
    bool alias;
    bool named;
    bool released;
} Prop;

typedef struct {
    AddressSpace *as;
    bool destroyed;
} Space;

typedef struct {
    Recorder recorder;
    bool registered;
} Post;

typedef struct {
    EventNotifier *notifier;
    char *name;
} NamedNotifier;

static GPtrArray *owners, *props, *spaces, *posts, *notifiers, *memory, *logs;
static Object *owner_of_new_regions;

static GPtrArray *made(GPtrArray **array)
{
    if (!*array) {
        *array = g_ptr_array_new();
    }
    return *array;
}

void *stage_storage(size_t size)
{
    void *storage = g_malloc(size);

    memset(storage, GARBAGE, size);
    g_ptr_array_add(made(&memory), storage);
    return storage;
}

/* ---- owners ---- */

/* The newest: an address may have belonged to an owner that is gone. */
static Owner *owner_record(Object *object)
{
    for (guint i = made(&owners)->len; i > 0; i--) {
        Owner *o = g_ptr_array_index(owners, i - 1);

        if (o->object == object) {
            return o;
        }
    }
    g_error("stage: not one of its owners");
}

static void owner_finalize(Object *object)
{
    Owner *o = owner_record(object);

    for (guint i = 0; i < made(&props)->len; i++) {
        Prop *p = g_ptr_array_index(props, i);

        if (p->owner == object && p->named) {
            p->released = true;
            p->container = NULL;
        }
    }
    if (o->finalized) {
        o->finalized(o->opaque);
    }
    o->gone = true;
}

static const TypeInfo owner_info = {
    .name = "conformance-owner",
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(DeviceState),
    .instance_finalize = owner_finalize,
};

static void register_owner_type(void)
{
    type_register_static(&owner_info);
}
type_init(register_owner_type)

Object *stage_owner_watched(const char *id, void (*finalized)(void *opaque), void *opaque)
{
    Owner *o = g_new0(Owner, 1);

    *o = (Owner) { object_new(owner_info.name), finalized, opaque, g_strdup(id), .held = true };
    device_set_id(DEVICE(o->object), id);
    g_ptr_array_add(made(&owners), o);
    return o->object;
}

Object *stage_owner(const char *id)
{
    return stage_owner_watched(id, NULL, NULL);
}

/* The one private field that conformance/ reads: the object model has no getter for a count. */
unsigned stage_owner_references(Object *owner)
{
    return memcore_object_references(owner);
}

bool stage_owner_gone(Object *owner)
{
    return owner_record(owner)->gone;
}

void stage_owner_drop(Object *owner)
{
    Owner *o = owner_record(owner);

    g_assert_true(o->held);
    o->held = false;
    object_unref(owner);
}

void stage_set_owner(Object *owner)
{
    owner_of_new_regions = owner;
}

/* ---- regions ---- */

static uint64_t stage_read(void *opaque, hwaddr addr, unsigned size)
{
    (void)opaque;
    (void)addr;
    (void)size;
    return 0;
}

static void stage_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)opaque;
    (void)addr;
    (void)data;
    (void)size;
}

const MemoryRegionOps stage_ops = {
    .read = stage_read,
    .write = stage_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static Prop *prop_of(MemoryRegion *mr)
{
    for (guint i = 0; i < made(&props)->len; i++) {
        Prop *p = g_ptr_array_index(props, i);

        if (p->mr == mr) {
            return p;
        }
    }
    g_error("stage: not one of its regions");
}

static MemoryRegion *region_storage(void)
{
    return stage_storage(sizeof(MemoryRegion));
}

static MemoryRegion *adopt(MemoryRegion *mr, Object *owner, bool alias)
{
    Prop *p = g_new0(Prop, 1);

    *p = (Prop) { .mr = mr, .owner = owner, .alias = alias, .named = memory_region_name(mr) != NULL };
    g_ptr_array_add(made(&props), p);
    return mr;
}

MemoryRegion *stage_adopt(MemoryRegion *mr, Object *owner)
{
    return adopt(mr, owner, false);
}

MemoryRegion *stage_container(const char *name, uint64_t size)
{
    MemoryRegion *mr = region_storage();

    memory_region_init(mr, owner_of_new_regions, name, size);
    return adopt(mr, owner_of_new_regions, false);
}

MemoryRegion *stage_io_ops(const char *name, uint64_t size, const MemoryRegionOps *ops, void *opaque)
{
    MemoryRegion *mr = region_storage();

    memory_region_init_io(mr, owner_of_new_regions, ops, opaque, name, size);
    return adopt(mr, owner_of_new_regions, false);
}

MemoryRegion *stage_io(const char *name, uint64_t size)
{
    return stage_io_ops(name, size, &stage_ops, NULL);
}

MemoryRegion *stage_ram(const char *name, uint64_t size)
{
    MemoryRegion *mr = region_storage();

    memory_region_init_ram_nomigrate(mr, owner_of_new_regions, name, size, &error_fatal);
    return adopt(mr, owner_of_new_regions, false);
}

MemoryRegion *stage_ram_migratable(const char *name, uint64_t size)
{
    MemoryRegion *mr = region_storage();

    memory_region_init_ram(mr, owner_of_new_regions, name, size, &error_fatal);
    return adopt(mr, owner_of_new_regions, false);
}

MemoryRegion *stage_resizeable(const char *name, uint64_t size, uint64_t maximum,
                               void (*resized)(const char *idstr, uint64_t length, void *host))
{
    MemoryRegion *mr = region_storage();

    memory_region_init_resizeable_ram(mr, owner_of_new_regions, name, size, maximum, resized, &error_fatal);
    return adopt(mr, owner_of_new_regions, false);
}

RAMBlock *stage_migratable(MemoryRegion *mr, const char *idstr)
{
    qemu_ram_set_idstr(mr->ram_block, idstr, NULL);
    qemu_ram_set_migratable(mr->ram_block);
    return mr->ram_block;
}

MemoryRegion *stage_rom(const char *name, uint64_t size)
{
    MemoryRegion *mr = region_storage();

    memory_region_init_rom_nomigrate(mr, owner_of_new_regions, name, size, &error_fatal);
    return adopt(mr, owner_of_new_regions, false);
}

MemoryRegion *stage_rom_device(const char *name, uint64_t size)
{
    MemoryRegion *mr = region_storage();

    memory_region_init_rom_device_nomigrate(mr, owner_of_new_regions, &stage_ops, NULL, name, size,
                                            &error_fatal);
    return adopt(mr, owner_of_new_regions, false);
}

MemoryRegion *stage_ram_ptr(const char *name, uint64_t size, void *host)
{
    MemoryRegion *mr = region_storage();

    memory_region_init_ram_ptr(mr, owner_of_new_regions, name, size, host);
    return adopt(mr, owner_of_new_regions, false);
}

MemoryRegion *stage_alias(const char *name, MemoryRegion *target, hwaddr offset, uint64_t size)
{
    MemoryRegion *mr = region_storage();

    memory_region_init_alias(mr, owner_of_new_regions, name, target, offset, size);
    return adopt(mr, owner_of_new_regions, true);
}

void stage_note_container(MemoryRegion *child, MemoryRegion *container)
{
    prop_of(child)->container = container;
}

void stage_add(MemoryRegion *container, hwaddr offset, MemoryRegion *child)
{
    memory_region_add_subregion(container, offset, child);
    stage_note_container(child, container);
}

void stage_add_overlap(MemoryRegion *container, hwaddr offset, MemoryRegion *child, int priority)
{
    memory_region_add_subregion_overlap(container, offset, child, priority);
    stage_note_container(child, container);
}

void stage_del(MemoryRegion *container, MemoryRegion *child)
{
    /* The account first: the owner, and the region with it, may die in the call (R-TREE-6). */
    stage_note_container(child, NULL);
    memory_region_del_subregion(container, child);
}

void stage_forget(MemoryRegion *mr)
{
    prop_of(mr)->released = true;
}

void stage_release(MemoryRegion *mr)
{
    Prop *p = prop_of(mr);

    g_assert_false(p->released);
    /* R-OBJ-9: finalizing takes the children out. */
    for (guint i = 0; i < props->len; i++) {
        Prop *child = g_ptr_array_index(props, i);

        if (child->container == mr) {
            child->container = NULL;
        }
    }
    p->released = true;
    if (p->named) {
        object_unparent(OBJECT(mr));
    } else {
        object_unref(OBJECT(mr));
    }
}

void stage_force_commit(void)
{
    MemoryRegion spark;

    memory_region_init(&spark, NULL, "spark", 1);
    memory_region_set_size(&spark, 2);
    object_unparent(OBJECT(&spark));
}

/* ---- address spaces, recorders, the rest ---- */

AddressSpace *stage_space(MemoryRegion *root, const char *name)
{
    Space *s = g_new0(Space, 1);

    s->as = stage_storage(sizeof(AddressSpace));
    address_space_init(s->as, root, name);
    g_ptr_array_add(made(&spaces), s);
    return s->as;
}

void stage_space_destroy(AddressSpace *as)
{
    for (guint i = 0; i < made(&spaces)->len; i++) {
        Space *s = g_ptr_array_index(spaces, i);

        if (s->as == as) {
            g_assert_false(s->destroyed);
            s->destroyed = true;
            address_space_destroy(as);
            return;
        }
    }
    g_error("stage: not one of its address spaces");
}

Recorder *recorder_new(const char *name, unsigned priority, GString *log)
{
    Post *post = g_new0(Post, 1);

    recorder_fill(&post->recorder, name, priority, log);
    g_ptr_array_add(made(&posts), post);
    return &post->recorder;
}

void recorder_register(Recorder *recorder, AddressSpace *as)
{
    Post *post = (Post *)recorder;

    memory_listener_register(&recorder->listener, as);
    post->registered = true;
}

void recorder_unregister(Recorder *recorder)
{
    Post *post = (Post *)recorder;

    memory_listener_unregister(&recorder->listener);
    post->registered = false;
}

GString *stage_log(void)
{
    GString *log = g_string_new(NULL);

    g_ptr_array_add(made(&logs), log);
    return log;
}

EventNotifier *stage_notifier(const char *name)
{
    NamedNotifier *n = g_new0(NamedNotifier, 1);

    n->notifier = g_new0(EventNotifier, 1);
    n->name = g_strdup(name);
    event_notifier_init(n->notifier, false);
    g_ptr_array_add(made(&notifiers), n);
    return n->notifier;
}

const char *stage_notifier_name(EventNotifier *e)
{
    for (guint i = 0; i < made(&notifiers)->len; i++) {
        NamedNotifier *n = g_ptr_array_index(notifiers, i);

        if (n->notifier == e) {
            return n->name;
        }
    }
    return e ? "unknown" : "NULL";
}

static void append_print(void *opaque, const char *text)
{
    g_string_append(opaque, text);
}

char *stage_mtree(bool flatview, bool dispatch_tree, bool owner, bool disabled)
{
    GString *text = g_string_new(NULL);

    memcore_set_print(append_print, text);
    mtree_info(flatview, dispatch_tree, owner, disabled);
    memcore_set_print(NULL, NULL);
    return g_string_free(text, FALSE);
}

/* ---- the end of a case ---- */

static void take_down_tree(void)
{
    memory_region_transaction_begin();
    for (guint i = made(&props)->len; i > 0; i--) {
        Prop *p = g_ptr_array_index(props, i - 1);

        if (p->container && !p->released) {
            stage_del(p->container, p->mr);
        }
    }
    memory_region_transaction_commit();
}

/* Aliases before what they name (R-OBJ-10); regions with an owner end with it (R-OBJ-8). */
static void release_regions(void)
{
    for (guint i = props->len; i > 0; i--) {
        Prop *p = g_ptr_array_index(props, i - 1);

        if (p->alias && !p->released) {
            stage_release(p->mr);
        }
    }
    for (guint i = made(&owners)->len; i > 0; i--) {
        Owner *o = g_ptr_array_index(owners, i - 1);

        if (o->held) {
            stage_owner_drop(o->object);
        }
    }
    for (guint i = props->len; i > 0; i--) {
        Prop *p = g_ptr_array_index(props, i - 1);

        if (!p->released && (!p->owner || !p->named)) {
            stage_release(p->mr);
        }
    }
}

MemcoreStatistics stage_statistics(void)
{
    MemcoreStatistics statistics;

    memcore_statistics(&statistics);
    return statistics;
}

static void check_everything_gone(void)
{
    const MemcoreStatistics left = stage_statistics();

    check_number(left.flat_views, 0);
    check_number(left.ram_blocks, 0);
    check_number(left.address_spaces, 0);
    check_number(left.listeners, 0);
    check_number(left.deferred, 0);
    check_number(global_dirty_tracking, 0);
    for (guint i = 0; i < owners->len; i++) {
        Owner *o = g_ptr_array_index(owners, i);

        if (!o->gone) {
            g_printerr("%s: owner %s still has %u references\n", g_test_get_path(), o->id,
                       stage_owner_references(o->object));
            g_test_fail();
        }
    }
    /* R-OBJ-9: a finalized region has neither name nor parent. */
    for (guint i = 0; i < props->len; i++) {
        Prop *p = g_ptr_array_index(props, i);

        if (memory_region_name(p->mr) || memory_region_owner(p->mr)) {
            const char *name = memory_region_name(p->mr);

            g_printerr("%s: region %s was not finalized\n", g_test_get_path(), name ? name : "(null)");
            g_test_fail();
        }
    }
}

static void free_all(GPtrArray *array)
{
    g_ptr_array_foreach(array, (GFunc)(void (*)(void))g_free, NULL);
    g_ptr_array_set_size(array, 0);
}

void stage_strike(void)
{
    for (guint i = made(&posts)->len; i > 0; i--) {
        Post *post = g_ptr_array_index(posts, i - 1);

        post->recorder.hook = NULL;
        post->recorder.quiet = true;
        if (post->registered) {
            recorder_unregister(&post->recorder);
        }
    }
    memcore_set_vm_running(true);
    if (global_dirty_tracking) {
        g_printerr("%s: left dirty tracking on\n", g_test_get_path());
        g_test_fail();
        memory_global_dirty_log_stop(global_dirty_tracking);
    }
    for (guint i = 0; i < made(&spaces)->len; i++) {
        Space *s = g_ptr_array_index(spaces, i);

        if (!s->destroyed) {
            stage_space_destroy(s->as);
        }
    }
    memcore_drain();
    take_down_tree();
    release_regions();
    memcore_drain();
    check_everything_gone();

    memcore_set_code_tracking(false);
    memcore_set_coalesced_flush(NULL, NULL);
    owner_of_new_regions = NULL;
    for (guint i = 0; i < made(&notifiers)->len; i++) {
        NamedNotifier *n = g_ptr_array_index(notifiers, i);

        event_notifier_cleanup(n->notifier);
        g_free(n->notifier);
        g_free(n->name);
    }
    for (guint i = 0; i < owners->len; i++) {
        g_free(((Owner *)g_ptr_array_index(owners, i))->id);
    }
    for (guint i = 0; i < made(&logs)->len; i++) {
        g_string_free(g_ptr_array_index(logs, i), TRUE);
    }
    g_ptr_array_set_size(logs, 0);
    free_all(notifiers);
    free_all(owners);
    free_all(props);
    free_all(spaces);
    free_all(posts);
    free_all(made(&memory));
}
