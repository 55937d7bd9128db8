/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of a tree or of a flat view.
 */
#include "import/mtree.h"

#include <string.h>

const char *const import_kind_names[IMPORT_KINDS] = { "i/o", "ram", "rom", "romd", "ramd" };

bool mtree_fail(struct mtree_cursor *c, const char *expected)
{
    c->error->line = c->line;
    c->error->column = (unsigned)(c->at - c->start) + 1;
    snprintf(c->error->message, sizeof(c->error->message), "%s", expected);
    return false;
}

bool mtree_accept(struct mtree_cursor *c, const char *literal)
{
    size_t length = strlen(literal);

    if ((size_t)(c->end - c->at) < length || memcmp(c->at, literal, length) != 0) {
        return false;
    }
    c->at += length;
    return true;
}

bool mtree_expect(struct mtree_cursor *c, const char *literal)
{
    char message[80];

    if (mtree_accept(c, literal)) {
        return true;
    }
    snprintf(message, sizeof(message), "expected `%s`", literal);
    return mtree_fail(c, message);
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* A16: exactly 16 digits.  Consumes nothing when it is not one. */
static bool accept_address(struct mtree_cursor *c, uint64_t *value)
{
    uint64_t result = 0;

    if (c->end - c->at < 16) {
        return false;
    }
    for (int i = 0; i < 16; i++) {
        int digit = hex_digit(c->at[i]);

        if (digit < 0) {
            return false;
        }
        result = result << 4 | (uint64_t)digit;
    }
    c->at += 16;
    *value = result;
    return true;
}

static bool parse_interval(struct mtree_cursor *c, uint64_t *first, uint64_t *last)
{
    return (accept_address(c, first) || mtree_fail(c, "expected an address of 16 hexadecimal digits")) &&
           mtree_expect(c, "-") &&
           (accept_address(c, last) || mtree_fail(c, "expected an address of 16 hexadecimal digits"));
}

static bool parse_priority(struct mtree_cursor *c, int32_t *priority)
{
    char *before = c->at;
    bool negative = mtree_accept(c, "-");
    int64_t value = 0;
    int digits = 0;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && digits < 11) {
        value = value * 10 + (*c->at++ - '0');
        digits++;
    }
    value = negative ? -value : value;
    if (!digits || value < INT32_MIN || value > INT32_MAX) {
        c->at = before;
        return mtree_fail(c, "expected a priority, a number of 32 bits");
    }
    *priority = (int32_t)value;
    return true;
}

/* "FIRST-LAST (prio N, [nv-]KIND): ", common to trees and flat views. */
static bool parse_common(struct mtree_cursor *c, uint64_t *first, uint64_t *last, int32_t *priority,
                         bool *nonvolatile, enum import_kind *kind)
{
    if (!parse_interval(c, first, last) || !mtree_expect(c, " (prio ") || !parse_priority(c, priority) ||
        !mtree_expect(c, ", ")) {
        return false;
    }
    *nonvolatile = mtree_accept(c, "nv-");
    for (int k = 0; k < IMPORT_KINDS; k++) {
        char *before = c->at;

        if (mtree_accept(c, import_kind_names[k]) && mtree_accept(c, "): ")) {
            *kind = (enum import_kind)k;
            return true;
        }
        c->at = before;
    }
    return mtree_fail(c, "expected a kind: `i/o): `, `ram): `, `rom): `, `romd): ` or `ramd): `");
}

static bool strip_suffix(struct mtree_cursor *c, const char *suffix)
{
    size_t length = strlen(suffix);

    if ((size_t)(c->end - c->at) < length || memcmp(c->end - length, suffix, length) != 0) {
        return false;
    }
    c->end -= length;
    *c->end = '\0';
    return true;
}

/* R-MT-3: ` owner:{...}`, ` parent:{...}`, both, or ` orphan` is cut off the name, and returned. */
static const char *strip_owners(struct mtree_cursor *c)
{
    static const char *const openings[] = { " parent:{", " owner:{" };
    const char *owners = "";
    char *end = c->end;

    for (int i = 0; i < 2; i++) {
        char *found = NULL, *next = c->at;

        if (c->end == c->at || c->end[-1] != '}') {
            continue;
        }
        while ((next = strstr(next, openings[i])) != NULL) {
            found = next++;
        }
        if (found) {
            c->end = found;
            owners = found + 1;
        }
    }
    *c->end = '\0';
    if (c->end == end && strip_suffix(c, " orphan")) {
        owners = c->end + 1;
    }
    return owners;
}

/* QEMU prints a NULL name as "(null)". */
static const char *name_or_null(const char *name)
{
    return strcmp(name, "(null)") == 0 ? NULL : name;
}

/* `alias NAME @TARGET FIRST-LAST`: cuts the interval off and leaves NAME @TARGET, or nothing happens. */
static bool accept_alias(struct mtree_cursor *c, struct mtree_node *out, uint64_t *first, uint64_t *last)
{
    struct mtree_cursor tail = *c;

    if (c->end - c->at < 6 + 34 || memcmp(c->at, "alias ", 6) != 0) {
        return false;
    }
    tail.at = c->end - 34;
    if (!mtree_accept(&tail, " ") || !accept_address(&tail, first) || !mtree_accept(&tail, "-") ||
        !accept_address(&tail, last)) {
        return false;
    }
    c->at += 6;
    c->end -= 34;
    *c->end = '\0';
    if (!strstr(c->at, " @")) {
        return false;
    }
    out->alias = c->at;
    return true;
}

bool mtree_parse_node(struct mtree_cursor *c, bool owners, struct mtree_node *out)
{
    uint64_t last, alias_last;
    char *body;

    if (!parse_common(c, &out->start, &last, &out->priority, &out->nonvolatile, &out->kind)) {
        return false;
    }
    if (last - out->start == UINT64_MAX - 1) {
        return mtree_fail(c, "the size of this region is 2^64 - 1 bytes, which no region can have (R-REG-2)");
    }
    /* last = start + size - 1 modulo 2^64; a size of 0 prints like 1 and is taken for it. */
    out->size = last - out->start == UINT64_MAX ? UINT64_MAX : last - out->start + 1;
    out->owner = owners ? strip_owners(c) : "";
    out->enabled = !strip_suffix(c, " [disabled]");
    body = c->at;
    if (accept_alias(c, out, &out->alias_offset, &alias_last)) {
        if (alias_last - out->alias_offset != last - out->start) {
            c->at = body;
            return mtree_fail(c, "expected intervals of one length: an alias shows as many bytes as it has");
        }
        return true;
    }
    out->name = name_or_null(c->at);
    return true;
}

bool mtree_parse_range(struct mtree_cursor *c, bool owners, struct import_range *out)
{
    struct mtree_cursor tail;

    if (!parse_common(c, &out->first, &out->last, &out->priority, &out->nonvolatile, &out->kind)) {
        return false;
    }
    if (out->last < out->first) {
        return mtree_fail(c, "a range of a flat view cannot end before it starts");
    }
    while (strip_suffix(c, " KVM")) {
    }
    if (owners) {
        strip_owners(c);
    }
    tail = *c;
    if (c->end - c->at >= 18) {
        tail.at = c->end - 18;
        if (mtree_accept(&tail, " @") && accept_address(&tail, &out->offset)) {
            c->end -= 18;
            *c->end = '\0';
        }
    }
    out->name = name_or_null(c->at);
    return true;
}
