/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parents, children, names, paths. */
#include <glib.h>
#include <string.h>

#include "base/misuse.h"
#include "base/object_family.h"
#include "base/state.h"
#include "hw/qdev-core.h"

static struct {
    bool ready;
    Object root;
    Object machine;
    Object unattached;
} tree;

static const char *name_or_type(const Object *object)
{
    return object->key ? object->key : object_get_typename(object);
}

static bool is_ancestor(const Object *ancestor, const Object *object)
{
    while (object && object != ancestor) {
        object = object->parent;
    }
    return object != NULL;
}

void object_property_add_child(Object *parent, const char *name, Object *child)
{
    memcore_require_big_lock("qom/object.h");
    memcore_require(!child->parent, "qom/object.h",
                    "\"%s\" cannot become child \"%s\" of \"%s\": it is a child of \"%s\"",
                    name_or_type(child), name, name_or_type(parent), name_or_type(child->parent));
    memcore_require(!is_ancestor(child, parent), "qom/object.h",
                    "\"%s\" cannot become a child of \"%s\", which it contains", name_or_type(child),
                    name_or_type(parent));
    memcore_require(!parent->dying, "qom/object.h", "\"%s\" cannot get child \"%s\": it is being finalized",
                    name_or_type(parent), name);

    switch (memcore_object_name_take(parent, name, child)) {
    case OBJECT_NAME_TAKEN_OVER:
        break;
    case OBJECT_NAME_IN_USE:
        memcore_misuse("qom/object.h", "\"%s\" has a child \"%s\" already", name_or_type(parent), name);
    case OBJECT_NAME_FAMILY_FULL:
        memcore_misuse("R-OBJ-2", "\"%s\" has %u children \"%s\" already, the most there can be",
                       name_or_type(parent), OBJECT_FAMILY_MEMBERS_MAX, name);
    }
    object_ref(child);
    child->parent = parent;
    cds_list_add_tail(&child->sibling, &parent->children);
}

void object_unparent(Object *object)
{
    if (!object->parent) {
        return;
    }
    memcore_require_big_lock("qom/object.h");
    cds_list_del(&object->sibling);
    memcore_object_name_release(object);
    object->parent = NULL;
    object_unref(object);
}

Object *object_resolve_path_component(Object *parent, const char *name)
{
    Object *child;

    cds_list_for_each_entry(child, &parent->children, sibling) {
        if (strcmp(child->key, name) == 0) {
            return child;
        }
    }
    return NULL;
}

int object_child_foreach(Object *object, int (*function)(Object *child, void *opaque), void *opaque)
{
    Object *child, *next;
    int result = 0;

    cds_list_for_each_entry_safe(child, next, &object->children, sibling) {
        result = function(child, opaque);
        if (result != 0) {
            break;
        }
    }
    return result;
}

static void plant_tree(void)
{
    if (tree.ready) {
        return;
    }
    tree.ready = true;
    object_initialize(&tree.root, sizeof(tree.root), TYPE_CONTAINER);
    object_initialize(&tree.machine, sizeof(tree.machine), TYPE_CONTAINER);
    object_initialize(&tree.unattached, sizeof(tree.unattached), TYPE_CONTAINER);
    object_property_add_child(&tree.root, "machine", &tree.machine);
    object_property_add_child(&tree.machine, "unattached", &tree.unattached);
}

Object *object_get_root(void)
{
    plant_tree();
    return &tree.root;
}

Object *qdev_get_machine(void)
{
    plant_tree();
    return &tree.machine;
}

Object *memcore_unattached(void)
{
    plant_tree();
    return &tree.unattached;
}

const char *object_get_canonical_path_component(const Object *object)
{
    return object->key;
}

char *object_get_canonical_path(const Object *object)
{
    const Object *top = object;
    size_t length = 0;
    char *path, *end;

    for (; top->parent; top = top->parent) {
        length += 1 + strlen(top->key);
    }
    if (top != object_get_root()) {
        return NULL;
    }
    if (top == object) {
        return g_strdup("/");
    }
    path = g_malloc(length + 1);
    end = path + length;
    *end = '\0';
    for (; object->parent; object = object->parent) {
        size_t part = strlen(object->key);

        end -= part;
        memcpy(end, object->key, part);
        *--end = '/';
    }
    memcore_assert(end == path);
    return path;
}
