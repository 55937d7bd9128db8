/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which names the children of an object use.
 *
 * Children named "ram[0]", "ram[1]", "ram[7]" under one parent are a family:
 * base "ram" and a set of numbers.  A name without a number is the family's
 * plain member.  Finding the smallest unused number costs O(1) as long as
 * members are only added, and looks at no more than 512 words ever.
 */
#ifndef MEMCORE_BASE_OBJECT_FAMILY_H
#define MEMCORE_BASE_OBJECT_FAMILY_H

#include "qom/object.h"

/* Numbers 0 to 32766: the 32768th child of one name is one too many (section 11 of the region rules). */
#define OBJECT_FAMILY_MEMBERS_MAX 32767u
#define OBJECT_FAMILY_PLAIN UINT32_MAX

typedef enum {
    OBJECT_NAME_TAKEN_OVER,     /* success: the name now belongs to the child */
    OBJECT_NAME_IN_USE,
    OBJECT_NAME_FAMILY_FULL,
} ObjectNameResult;

/* Finds child->family, family_index and key for `name`, which may end in "[*]". */
ObjectNameResult memcore_object_name_take(Object *parent, const char *name, Object *child);

/* Gives them back. */
void memcore_object_name_release(Object *child);

#endif
