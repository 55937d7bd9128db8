/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <string.h>

#include "base/misuse.h"
#include "base/object_family.h"

enum { WORD_BITS = 64 };

struct ObjectFamily {
    const Object *parent;
    char *base;
    uint64_t *used;             /* bit k: number k is in use; NULL until more than `few` is needed */
    uint64_t few;               /* the first word, as long as it is enough */
    uint32_t word_count;
    uint32_t full_words;        /* so many words from the first on have no free bit */
    uint32_t members;           /* the plain one included */
    bool plain_used;
};

/* Every family of every parent.  Only looked up: neither hash order nor addresses reach anybody. */
static GHashTable *families;

static unsigned family_hash(const void *pointer)
{
    const struct ObjectFamily *family = pointer;

    return g_str_hash(family->base) * 31 + g_direct_hash(family->parent);
}

static int family_equal(const void *left_pointer, const void *right_pointer)
{
    const struct ObjectFamily *left = left_pointer;
    const struct ObjectFamily *right = right_pointer;

    return left->parent == right->parent && strcmp(left->base, right->base) == 0;
}

static uint64_t *family_words(struct ObjectFamily *family)
{
    return family->used ? family->used : &family->few;
}

static struct ObjectFamily *family_get(const Object *parent, char *base)
{
    struct ObjectFamily wanted = { .parent = parent, .base = base };
    struct ObjectFamily *family;

    if (!families) {
        families = g_hash_table_new(family_hash, family_equal);
    }
    family = g_hash_table_lookup(families, &wanted);
    if (!family) {
        family = g_new0(struct ObjectFamily, 1);
        family->parent = parent;
        family->base = g_strdup(base);
        family->word_count = 1;
        g_hash_table_add(families, family);
    }
    return family;
}

static void family_put(struct ObjectFamily *family)
{
    if (family->members == 0) {
        g_hash_table_remove(families, family);
        g_free(family->used);
        g_free(family->base);
        g_free(family);
    }
}

static void family_grow(struct ObjectFamily *family, uint32_t index)
{
    uint32_t wanted = family->word_count;

    while (wanted <= index / WORD_BITS) {
        wanted *= 2;
    }
    if (wanted == family->word_count) {
        return;
    }
    uint64_t *words = g_new0(uint64_t, wanted);

    memcpy(words, family_words(family), family->word_count * sizeof(*words));
    g_free(family->used);
    family->used = words;
    family->word_count = wanted;
}

static bool family_has(struct ObjectFamily *family, uint32_t index)
{
    if (index == OBJECT_FAMILY_PLAIN) {
        return family->plain_used;
    }
    return index / WORD_BITS < family->word_count &&
           (family_words(family)[index / WORD_BITS] >> (index % WORD_BITS) & 1);
}

static void family_add(struct ObjectFamily *family, uint32_t index)
{
    family->members++;
    if (index == OBJECT_FAMILY_PLAIN) {
        family->plain_used = true;
        return;
    }
    family_grow(family, index);
    family_words(family)[index / WORD_BITS] |= UINT64_C(1) << (index % WORD_BITS);
}

static void family_remove(struct ObjectFamily *family, uint32_t index)
{
    memcore_assert(family_has(family, index));
    family->members--;
    if (index == OBJECT_FAMILY_PLAIN) {
        family->plain_used = false;
        return;
    }
    family_words(family)[index / WORD_BITS] &= ~(UINT64_C(1) << (index % WORD_BITS));
    family->full_words = MIN(family->full_words, index / WORD_BITS);
}

static uint32_t family_smallest_unused(struct ObjectFamily *family)
{
    const uint64_t *words = family_words(family);

    while (family->full_words < family->word_count && words[family->full_words] == UINT64_MAX) {
        family->full_words++;
    }
    if (family->full_words == family->word_count) {
        return family->word_count * WORD_BITS;
    }
    return family->full_words * WORD_BITS + (uint32_t)__builtin_ctzll(~words[family->full_words]);
}

/* If `name` reads "base[k]", k written as a program would print it: both parts.  The base may be empty. */
static void split_number(const char *name, size_t length, size_t *base_length, uint32_t *index)
{
    size_t digits = 0;
    uint32_t value = 0;
    const char *number;

    if (length < 3 || name[length - 1] != ']') {
        return;
    }
    while (digits < length - 1 && g_ascii_isdigit(name[length - 2 - digits])) {
        digits++;
    }
    if (digits == 0 || digits > 5 || length < digits + 2 || name[length - digits - 2] != '[') {
        return;
    }
    number = name + length - digits - 1;
    if (digits > 1 && number[0] == '0') {
        return;
    }
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (uint32_t)(number[i] - '0');
    }
    if (value >= OBJECT_FAMILY_MEMBERS_MAX) {
        return;             /* [*] never gives such a number, so it need not be counted */
    }
    *index = value;
    *base_length = length - digits - 2;
}

ObjectNameResult memcore_object_name_take(Object *parent, const char *name, Object *child)
{
    size_t length = strlen(name);
    bool pick = length >= 3 && strcmp(name + length - 3, "[*]") == 0;
    uint32_t index = OBJECT_FAMILY_PLAIN;
    size_t base_length = pick ? length - 3 : length;
    struct ObjectFamily *family;
    char *base;

    if (!pick) {
        split_number(name, length, &base_length, &index);
    }
    base = g_strndup(name, base_length);
    family = family_get(parent, base);
    g_free(base);
    if (pick) {
        index = family_smallest_unused(family);
        if (index >= OBJECT_FAMILY_MEMBERS_MAX) {
            family_put(family);
            return OBJECT_NAME_FAMILY_FULL;
        }
    } else if (family_has(family, index)) {
        return OBJECT_NAME_IN_USE;
    }
    family_add(family, index);
    child->family = family;
    child->family_index = index;
    child->key = pick ? g_strdup_printf("%s[%u]", family->base, index) : g_strdup(name);
    return OBJECT_NAME_TAKEN_OVER;
}

void memcore_object_name_release(Object *child)
{
    family_remove(child->family, child->family_index);
    family_put(child->family);
    child->family = NULL;
    g_free(child->key);
    child->key = NULL;
}
