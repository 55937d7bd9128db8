/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Birth and death of regions, and who keeps them alive (R-OBJ). */
#include <glib.h>
#include <search.h>
#include <string.h>

#include "base/state.h"
#include "ram/ram_block.h"
#include "region/internal.h"

/*
 * Initialised and not yet finalized.  A search tree: an init must look its
 * storage up without reading it, since it may hold anything.
 */
static void *live_regions;

static int compare_addresses(const void *left, const void *right)
{
    return ((uintptr_t)left > (uintptr_t)right) - ((uintptr_t)left < (uintptr_t)right);
}

static bool in_use(const MemoryRegion *mr)
{
    return mr->container || mr->view_uses > 0 || mr->space_uses > 0 || mr->parent_obj.parent ||
           !list_is_empty(&mr->aliases) || !list_is_empty(&mr->subregions);
}

/* "a/[b]" -> "a\x2f\x5bb\x5d[*]": what separates names in paths must not occur in one (R-OBJ-2). */
static char *child_name(const char *name)
{
    GString *escaped = g_string_new(NULL);

    for (; *name; name++) {
        if (strchr("/[\\]", *name)) {
            g_string_append_printf(escaped, "\\x%02x", (unsigned char)*name);
        } else {
            g_string_append_c(escaped, *name);
        }
    }
    g_string_append(escaped, "[*]");
    return g_string_free(escaped, FALSE);
}

void region_create(const char *function, MemoryRegion *mr, size_t storage, const char *type_name,
                   Object *owner, const char *name, uint64_t size)
{
    memcore_ensure_init();
    if (!mr) {
        memcore_misuse_at(function, "R-OBJ-1", "region '%s': no storage for it (NULL)",
                          name_label(name));
    }
    if (tfind(mr, &live_regions, compare_addresses)) {
        if (in_use(mr)) {
            memcore_misuse_at(function, "R-OBJ-1",
                              "region '%s': its storage still is the live region '%s', which must be "
                              "finalized first", name_label(name), region_label(mr));
        }
    } else if (!tsearch(mr, &live_regions, compare_addresses)) {
        g_error("out of memory");
    }
    if (name) {
        memcore_require_big_lock_of(function, "R-OBJ-2");       /* the owner gets a child */
    }
    if (owner && owner->dying) {
        memcore_misuse_at(function, "R-OBJ-2", "region '%s': its owner, of type %s, is being finalized",
                          name_label(name), object_get_typename(owner));
    }

    region_prepare_unassigned();
    object_initialize(mr, storage, type_name);
    mr->size = region_decode_size(size);
    mr->owner = owner;
    mr->name = g_strdup(name);
    if (name) {
        char *key = child_name(name);

        object_property_add_child(owner ? owner : memcore_unattached(), key, OBJECT(mr));
        object_unref(OBJECT(mr));       /* the parent has the only reference */
        g_free(key);
    }
}

static void region_instance_init(Object *object)
{
    MemoryRegion *mr = (MemoryRegion *)object;

    mr->enabled = true;
    mr->romd_mode = true;
    mr->ops = &region_unassigned_ops;
    CDS_INIT_LIST_HEAD(&mr->subregions);
    CDS_INIT_LIST_HEAD(&mr->subregions_link);
    CDS_INIT_LIST_HEAD(&mr->priority_groups);
    CDS_INIT_LIST_HEAD(&mr->priority_group_link);
    CDS_INIT_LIST_HEAD(&mr->aliases);
    CDS_INIT_LIST_HEAD(&mr->aliases_link);
    CDS_INIT_LIST_HEAD(&mr->coalesced);
}

/* Section 11: nobody may be left holding a pointer. */
static void require_unused(const MemoryRegion *mr)
{
    static const char function[] = "memory_region_finalize";
    const char *name = region_label(mr);

    if (mr->container) {
        memcore_misuse_at(function, "R-OBJ-9", "region '%s' is still in container '%s'", name,
                          region_label(mr->container));
    }
    if (!list_is_empty(&mr->aliases)) {
        memcore_misuse_at(function, "R-OBJ-10", "region '%s' is still the target of alias '%s'", name,
                          region_label(cds_list_entry(mr->aliases.next, MemoryRegion, aliases_link)));
    }
    if (mr->space_uses > 0) {
        memcore_misuse_at(function, "R-TX-9",
                          "region '%s' is still the root of an address space (a destroyed one counts until "
                          "a grace period has passed)", name);
    }
    if (mr->view_uses > 0) {
        memcore_misuse_at(function, "R-TX-6",
                          "region '%s' is still shown by a view (a replaced one counts until a grace period "
                          "has passed)", name);
    }
}

/* The steps of R-OBJ-9, in its order. */
static void region_instance_finalize(Object *object)
{
    MemoryRegion *mr = (MemoryRegion *)object;
    CoalescedMemoryRange *range;

    require_unused(mr);
    region_verify(mr);
    mr->enabled = false;

    memory_region_transaction_begin();
    while (!list_is_empty(&mr->subregions)) {
        region_take_out(cds_list_entry(mr->subregions.next, MemoryRegion, subregions_link));
    }
    memory_region_transaction_commit();

    if (mr->alias) {
        cds_list_del(&mr->aliases_link);
    }
    ram_block_free(mr->ram_block);
    while ((range = region_coalesced_take_first(mr)) != NULL) {
        g_free(range);
    }
    g_free((char *)mr->name);
    mr->name = NULL;
    region_ioeventfd_total -= mr->ioeventfd_nb;
    g_free(mr->ioeventfds);
    tdelete(mr, &live_regions, compare_addresses);
}

static int take_out_of_sibling(Object *child, void *opaque)
{
    MemoryRegion *mr = (MemoryRegion *)child;

    (void)opaque;
    if (object_dynamic_cast(child, TYPE_MEMORY_REGION) && mr->container &&
        region_same_owner(mr, mr->container)) {
        region_take_out(mr);
    }
    return 0;
}

/*
 * An owner with no reference left has regions in its own containers at most
 * (R-OBJ-7), and no view shows any of them: taking them out changes no view.
 * Aliases need nothing: children die newest first, and an alias is newer than
 * its target.
 */
static void owner_dying(Object *owner)
{
    object_child_foreach(owner, take_out_of_sibling, NULL);
}

static const TypeInfo region_type = {
    .name = TYPE_MEMORY_REGION,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(MemoryRegion),
    .instance_init = region_instance_init,
    .instance_finalize = region_instance_finalize,
    .class_size = sizeof(MemoryRegionClass),
};

static void register_types(void)
{
    type_register_static(&region_type);
    memcore_set_owner_dying_hook(owner_dying);
}
type_init(register_types)

void memory_region_ref(MemoryRegion *mr)
{
    if (mr) {
        object_ref(mr->owner);
    }
}

void memory_region_unref(MemoryRegion *mr)
{
    if (mr) {
        object_unref(mr->owner);
    }
}

void region_use_in_view(MemoryRegion *mr)
{
    mr->view_uses++;
    object_ref(mr->owner);
}

void region_unuse_in_view(MemoryRegion *mr)
{
    memcore_assert(mr->view_uses > 0);
    mr->view_uses--;
    object_unref(mr->owner);
}

void region_use_as_root(MemoryRegion *mr)
{
    mr->space_uses++;
    object_ref(mr->owner);
}

void region_unuse_as_root(MemoryRegion *mr)
{
    memcore_assert(mr->space_uses > 0);
    mr->space_uses--;
    object_unref(mr->owner);
}
