/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types and their classes.  Neither is ever freed. */
#include <glib.h>
#include <string.h>

#include "base/misuse.h"
#include "base/object_type.h"

/* By name; only ever looked up, so that hash order reaches nobody. */
static GHashTable *types;

Type type_register_static(const TypeInfo *info)
{
    Type type;

    if (!types) {
        types = g_hash_table_new(g_str_hash, g_str_equal);
    }
    memcore_require(info->name, "qom/object.h", "a type without a name");
    memcore_require(!g_hash_table_contains(types, info->name), "qom/object.h",
                    "type \"%s\" is registered already", info->name);
    type = g_new0(struct TypeImpl, 1);
    type->info = info;
    g_hash_table_insert(types, (void *)info->name, type);
    return type;
}

/* Found at the first use of a type, by whatever function; the mistake was made when it was registered. */
#define require_info(condition, ...) \
    do { \
        if (!(condition)) { \
            memcore_misuse_at("type_register_static", "qom/object.h", __VA_ARGS__); \
        } \
    } while (0)

static size_t size_or_inherited(Type type, const char *what, size_t size, size_t inherited)
{
    require_info(size == 0 || size >= inherited,
                 "type \"%s\": its %s has %zu bytes, less than the %zu of parent \"%s\"", type->info->name,
                 what, size, inherited, type->info->parent);
    return size ? size : inherited;
}

static void make_class(Type type)
{
    const TypeInfo *info = type->info;

    require_info(!type->class_under_way, "type \"%s\" descends from itself", info->name);
    type->class_under_way = true;
    if (info->parent) {
        type->parent = memcore_type_by_name(info->parent);
        require_info(type->parent, "type \"%s\" has the parent \"%s\", which nobody registered",
                     info->name, info->parent);
        type->instance_size = size_or_inherited(type, "instance", info->instance_size,
                                                type->parent->instance_size);
        type->class_size = size_or_inherited(type, "class", info->class_size, type->parent->class_size);
    } else {
        type->instance_size = info->instance_size;
        type->class_size = info->class_size;
    }
    type->class = g_malloc0(type->class_size);
    if (type->parent) {
        memcpy(type->class, type->parent->class, type->parent->class_size);
    }
    type->class->type = type;
    if (info->class_init) {
        info->class_init(type->class, info->class_data);
    }
    type->class_under_way = false;
}

Type memcore_type_by_name(const char *name)
{
    Type type = types && name ? g_hash_table_lookup(types, name) : NULL;

    if (type && !type->class) {
        make_class(type);
    }
    return type;
}

const char *object_class_get_name(ObjectClass *class)
{
    return class->type->info->name;
}

ObjectClass *object_class_get_parent(ObjectClass *class)
{
    return class->type->parent ? class->type->parent->class : NULL;
}

bool object_class_is_abstract(ObjectClass *class)
{
    return class->type->info->abstract;
}

ObjectClass *object_class_by_name(const char *type_name)
{
    Type type = memcore_type_by_name(type_name);

    return type ? type->class : NULL;
}

ObjectClass *object_class_dynamic_cast(ObjectClass *class, const char *type_name)
{
    if (!class) {
        return NULL;
    }
    for (Type type = class->type; type; type = type->parent) {
        if (type->info->name == type_name || strcmp(type->info->name, type_name) == 0) {
            return class;
        }
    }
    return NULL;
}

ObjectClass *object_class_dynamic_cast_assert(ObjectClass *class, const char *type_name,
                                              const char *function)
{
    if (class && !object_class_dynamic_cast(class, type_name)) {
        memcore_misuse_at(function, "qom/object.h", "class \"%s\" is not a \"%s\"",
                          object_class_get_name(class), type_name);
    }
    return class;
}

size_t object_type_get_instance_size(const char *type_name)
{
    Type type = memcore_type_by_name(type_name);

    memcore_require(type, "qom/object.h", "there is no type \"%s\"", type_name);
    return type->instance_size;
}

static const TypeInfo object_info = {
    .name = TYPE_OBJECT,
    .instance_size = sizeof(Object),
    .class_size = sizeof(ObjectClass),
    .abstract = true,
};

static const TypeInfo container_info = {
    .name = TYPE_CONTAINER,
    .parent = TYPE_OBJECT,
};

static void register_base_types(void)
{
    type_register_static(&object_info);
    type_register_static(&container_info);
}

type_init(register_base_types)
