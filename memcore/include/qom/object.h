/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects with a type, a reference count and a place in a tree: the part of
 * QEMU's object model on which memory regions rest.
 *
 * An object lives from object_initialize (in the caller's storage) or
 * object_new (on the heap) until its count falls to 0.  Then, in this order:
 *   1. its children are unparented, the newest first (their own count decides
 *      whether they die with it)
 *   2. instance_finalize runs, from the most derived type up to the base
 *   3. the storage is freed if object_new allocated it
 *
 * Locking: reference counts are atomic; everything else, and so the last
 * object_unref, needs the big lock.
 */
#ifndef QOM_OBJECT_H
#define QOM_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qemu/rcu.h"
#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

typedef struct TypeImpl *Type;

struct ObjectClass {
    /* private: */
    Type type;
};

struct Object {
    /* private: */
    ObjectClass *class;
    void (*free)(void *storage);            /* NULL: the storage belongs to somebody else */
    Object *parent;
    char *key;                              /* the name under the parent */
    struct ObjectFamily *family;            /* siblings of the same name, and the number among them */
    uint32_t family_index;
    uint32_t ref;
    struct cds_list_head sibling;           /* in the parent's children */
    struct cds_list_head children;          /* oldest first */
    bool dying;
};

/*
 * A type.  Every pointer in it, and the struct itself, must stay valid for
 * ever.  Size 0 for instance or class means the parent's size.
 */
struct TypeInfo {
    const char *name;
    const char *parent;                     /* NULL only for TYPE_OBJECT */
    size_t instance_size;
    void (*instance_init)(Object *object);          /* base type first; the storage is zeroed before */
    void (*instance_finalize)(Object *object);      /* most derived type first */
    bool abstract;                          /* has no instances of its own */
    size_t class_size;
    void (*class_init)(ObjectClass *class, void *data); /* once, on a copy of the parent's class */
    void *class_data;
};

#define TYPE_OBJECT "object"
#define TYPE_CONTAINER "container"          /* an object that only holds others */

/* Registering one name twice is misuse; the parent may be registered later, but before the first instance. */
Type type_register_static(const TypeInfo *info);

/* `function`, which registers types, runs before main. */
#define type_init(function) \
    __attribute__((constructor)) static void type_init_##function(void) \
    { \
        function(); \
    }

/* Count 1 in both cases.  Misuse: unknown or abstract type; `size` smaller than an instance. */
Object *object_new(const char *type_name);
void object_initialize(void *storage, size_t size, const char *type_name);

/*
 * Both accept NULL; ref returns its argument.  Misuse: dropping a reference
 * that does not exist or belongs to the parent; leaving references behind
 * that were taken while the object was being finalized.
 */
void *object_ref(void *object);
void object_unref(void *object);

/*
 * Makes `child` a child of `parent`, which takes a reference.  A name that
 * ends in "[*]" becomes name[k], k being the smallest number from 0 on that no
 * child uses now (R-OBJ-2).  Misuse: a name in use, a child that has a parent, 32767
 * children of one name[*] already there.
 */
void object_property_add_child(Object *parent, const char *name, Object *child);

/* Takes the object out of the tree and drops the parent's reference; without a parent nothing happens. */
void object_unparent(Object *object);

/* The child of this name, or NULL; not referenced. */
Object *object_resolve_path_component(Object *parent, const char *name);

/* Calls `function` for the children, oldest first, until it returns non-zero; it may unparent its child. */
int object_child_foreach(Object *object, int (*function)(Object *child, void *opaque), void *opaque);

/* "/machine/...": NULL unless the object hangs in the tree; to be freed with free(). */
char *object_get_canonical_path(const Object *object);
/* The last part of it: the name under the parent, NULL without one; belongs to the object. */
const char *object_get_canonical_path_component(const Object *object);

/* The top of the tree. */
Object *object_get_root(void);

/* Name and class live as long as the program. */
const char *object_get_typename(const Object *object);
ObjectClass *object_get_class(Object *object);

/* The object if it is of that type or of one derived from it, else NULL; NULL stays NULL. */
Object *object_dynamic_cast(Object *object, const char *type_name);
/* The same; but anything except NULL and success is misuse by `function`. */
Object *object_dynamic_cast_assert(Object *object, const char *type_name, const char *function);

const char *object_class_get_name(ObjectClass *class);
ObjectClass *object_class_get_parent(ObjectClass *class);   /* NULL above TYPE_OBJECT */
bool object_class_is_abstract(ObjectClass *class);
ObjectClass *object_class_by_name(const char *type_name);   /* NULL: no such type */
ObjectClass *object_class_dynamic_cast(ObjectClass *class, const char *type_name);
ObjectClass *object_class_dynamic_cast_assert(ObjectClass *class, const char *type_name,
                                              const char *function);
/* Bytes of an instance; misuse if there is no such type. */
size_t object_type_get_instance_size(const char *type_name);

/* Casts without a check. */
#define OBJECT(pointer) ((Object *)(pointer))
#define OBJECT_CLASS(pointer) ((ObjectClass *)(pointer))

/* Casts with a check. */
#define OBJECT_CHECK(c_type, pointer, type_name) \
    ((c_type *)object_dynamic_cast_assert(OBJECT(pointer), (type_name), __func__))
#define OBJECT_CLASS_CHECK(c_type, pointer, type_name) \
    ((c_type *)object_class_dynamic_cast_assert(OBJECT_CLASS(pointer), (type_name), __func__))
#define OBJECT_GET_CLASS(c_type, pointer, type_name) \
    OBJECT_CLASS_CHECK(c_type, object_get_class(OBJECT(pointer)), type_name)

/* NAME(pointer): checked cast to an instance. */
#define DECLARE_INSTANCE_CHECKER(c_type, NAME, type_name) \
    __attribute__((unused)) static inline c_type *NAME(const void *pointer) \
    { \
        return OBJECT_CHECK(c_type, pointer, type_name); \
    }

/* NAME_GET_CLASS(instance) and NAME_CLASS(class): checked casts to a class. */
#define DECLARE_CLASS_CHECKERS(c_class, NAME, type_name) \
    __attribute__((unused)) static inline c_class *NAME##_GET_CLASS(const void *pointer) \
    { \
        return OBJECT_GET_CLASS(c_class, pointer, type_name); \
    } \
    __attribute__((unused)) static inline c_class *NAME##_CLASS(const void *pointer) \
    { \
        return OBJECT_CLASS_CHECK(c_class, pointer, type_name); \
    }

#define DECLARE_OBJ_CHECKERS(c_type, c_class, NAME, type_name) \
    DECLARE_INSTANCE_CHECKER(c_type, NAME, type_name) \
    DECLARE_CLASS_CHECKERS(c_class, NAME, type_name)

#pragma GCC visibility pop

#endif
