/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instances: birth, references, death, casts.  The tree is in object_tree.c. */
#include <glib.h>
#include <string.h>

#include "base/misuse.h"
#include "base/object_type.h"
#include "base/state.h"
#include "memcore/memcore.h"

/* instance_init functions, base type first. */
static void run_init(Object *object, Type type)
{
    if (type->parent) {
        run_init(object, type->parent);
    }
    if (type->info->instance_init) {
        type->info->instance_init(object);
    }
}

static Type type_to_instantiate(const char *function, const char *type_name)
{
    Type type = memcore_type_by_name(type_name);

    if (!type) {
        memcore_misuse_at(function, "qom/object.h", "there is no type \"%s\"",
                          type_name ? type_name : "(null)");
    }
    if (type->info->abstract) {
        memcore_misuse_at(function, "qom/object.h", "type \"%s\" is abstract", type_name);
    }
    return type;
}

static void initialize(Object *object, Type type)
{
    memset(object, 0, type->instance_size);
    object->class = type->class;
    object->ref = 1;
    CDS_INIT_LIST_HEAD(&object->children);
    run_init(object, type);
}

void object_initialize(void *storage, size_t size, const char *type_name)
{
    Type type = type_to_instantiate(__func__, type_name);

    memcore_ensure_init();
    memcore_require(size >= type->instance_size, "qom/object.h",
                    "%zu bytes of storage for an instance of \"%s\", which needs %zu", size, type_name,
                    type->instance_size);
    initialize(storage, type);
}

Object *object_new(const char *type_name)
{
    Type type = type_to_instantiate(__func__, type_name);
    Object *object;

    memcore_ensure_init();
    object = g_malloc(type->instance_size);
    initialize(object, type);
    object->free = g_free;
    return object;
}

/* In the name of object_unref. */
static void finalize(const char *function, Object *object)
{
    const char *type_name = object_get_typename(object);
    void (*free_storage)(void *) = object->free;

    if (object->parent) {
        memcore_misuse_at(function, "qom/object.h", "the last reference of \"%s\" (type %s) was dropped, but "
                          "that one belongs to its parent", object->key, type_name);
    }
    object->dying = true;
    if (memcore_state.owner_dying && !cds_list_empty(&object->children)) {
        memcore_state.owner_dying(object);
    }
    while (!cds_list_empty(&object->children)) {
        object_unparent(cds_list_entry(object->children.prev, Object, sibling));
    }
    for (Type type = object->class->type; type; type = type->parent) {
        if (type->info->instance_finalize) {
            type->info->instance_finalize(object);
        }
    }
    if (__atomic_load_n(&object->ref, __ATOMIC_RELAXED) != 0) {
        memcore_misuse_at(function, "qom/object.h", "an object of type %s is gone, but a finalizer took %u "
                          "references to it and kept them", type_name, object->ref);
    }
    memcore_assert(cds_list_empty(&object->children));  /* object_property_add_child refuses dying parents */
    if (free_storage) {
        free_storage(object);
    }
}

void *object_ref(void *pointer)
{
    Object *object = pointer;

    if (object) {
        uint32_t before = __atomic_fetch_add(&object->ref, 1, __ATOMIC_RELAXED);

        memcore_require(before > 0 || object->dying, "qom/object.h", "an object of type %s is already gone",
                        object_get_typename(object));
        memcore_require(before < UINT32_MAX, "qom/object.h", "too many references to an object of type %s",
                        object_get_typename(object));
    }
    return pointer;
}

void object_unref(void *pointer)
{
    Object *object = pointer;
    uint32_t before;

    if (!object) {
        return;
    }
    before = __atomic_fetch_sub(&object->ref, 1, __ATOMIC_ACQ_REL);
    memcore_require(before > 0, "qom/object.h", "an object of type %s has no reference left to drop",
                    object_get_typename(object));

    /* a finalizer may take and drop references of its own object */
    if (before == 1 && !object->dying) {
        finalize(__func__, object);
    }
}

const char *object_get_typename(const Object *object)
{
    return object->class->type->info->name;
}

ObjectClass *object_get_class(Object *object)
{
    return object->class;
}

Object *object_dynamic_cast(Object *object, const char *type_name)
{
    return object && object_class_dynamic_cast(object->class, type_name) ? object : NULL;
}

Object *object_dynamic_cast_assert(Object *object, const char *type_name, const char *function)
{
    if (object && !object_dynamic_cast(object, type_name)) {
        memcore_misuse_at(function, "qom/object.h", "object \"%s\" of type %s is not a \"%s\"",
                          object->key ? object->key : "(no name)", object_get_typename(object), type_name);
    }
    return object;
}

unsigned memcore_object_references(const Object *object)
{
    return object->ref;
}
