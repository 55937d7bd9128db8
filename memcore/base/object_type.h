/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registry of types, as object.c sees it. */
#ifndef MEMCORE_BASE_OBJECT_TYPE_H
#define MEMCORE_BASE_OBJECT_TYPE_H

#include "qom/object.h"

struct TypeImpl {
    const TypeInfo *info;
    Type parent;                /* valid once `class` is */
    ObjectClass *class;         /* made at the first use of the type */
    size_t instance_size;
    size_t class_size;
    bool class_under_way;
};

/* The type with its class made; NULL: no such name. */
Type memcore_type_by_name(const char *name);

#endif
