/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What accesses answer, and what RAM holds. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run/check.h"
#include "run/player_parts.h"

/* The rule that a difference in the result of this operation most likely breaks. */
static const char *rule_of(enum trace_op op)
{
    switch (op) {
    case TRACE_OP_READ:
    case TRACE_OP_WRITE:
        return "R-ACC-2";
    case TRACE_OP_MOVE:
        return "R-ACC-19";
    case TRACE_OP_WRITE_ROM:
        return "R-ACC-14";
    case TRACE_OP_SET:
        return "R-ACC-17";
    case TRACE_OP_LOAD:
    case TRACE_OP_STORE:
        return "R-SCL-1";
    case TRACE_OP_VALID:
        return "R-VAL-1";
    case TRACE_OP_TRANSLATE:
        return "R-TRN-1";
    case TRACE_OP_IOTLB:
        return "R-TRN-12";
    case TRACE_OP_DISPATCH_READ:
    case TRACE_OP_DISPATCH_WRITE:
        return "R-DSP-7";
    case TRACE_OP_MAP:
        return "R-MAP-2";
    case TRACE_OP_MAP_MEANWHILE:
        return "R-MAP-4";
    case TRACE_OP_UNMAP:
    case TRACE_OP_UNMAP_INTO:
    case TRACE_OP_MEANWHILE:
        return "R-MAP-9";
    case TRACE_OP_CACHE:
        return "R-CCH-2";
    case TRACE_OP_NOTIFIER:
        return "R-IOM-4";
    case TRACE_OP_IOMMU_QUERY:
        return "R-IOM-1";
    default:
        return trace_op_table[op].group == TRACE_GROUP_CACHE ? "R-CCH-6" : "R-IOM-9";
    }
}

static bool differ(const char *rule, const char *what, uint64_t core, uint64_t model, struct run_failure *failure)
{
    if (core != model) {
        check_fail(failure, rule, what, "%s %#" PRIx64, what, core);
        check_model_says(failure, "%s %#" PRIx64, what, model);
        return true;
    }
    return false;
}

static bool check_bytes(const char *rule, const uint8_t *core, const uint8_t *model, size_t count, uint64_t from,
                        const char *where, struct run_failure *failure)
{
    size_t i = 0;

    if (!count || !memcmp(core, model, count)) {
        return true;
    }
    while (core[i] == model[i]) {
        i++;
    }
    check_fail(failure, rule, "bytes", "%s: byte %#" PRIx64 " is %02x", where, from + i, core[i]);
    check_model_says(failure, "%02x", model[i]);
    return false;
}

bool check_access(const struct trace_step *step, const struct observation *expected, const struct observation *seen,
                  struct run_failure *failure)
{
    const char *rule = rule_of((enum trace_op)step->op);

    if (seen->violation) {
        check_fail(failure, "INV-23", "a law", "%s", seen->violation);
        check_model_says(failure, "no such thing");
        return false;
    }
    if (differ(rule, "result", seen->result, expected->result, failure) ||
        differ(rule, "value", seen->value, expected->value, failure) ||
        differ(rule, "answer", seen->truth, expected->truth, failure) ||
        differ(rule, "region", (uint64_t)seen->place_region, (uint64_t)expected->place_region, failure) ||
        differ("R-MAP-3", "bounced", seen->bounced, expected->bounced, failure) ||
        differ(rule, "target space", (uint64_t)seen->target_space, (uint64_t)expected->target_space, failure)) {
        return false;
    }
    if (!expected->loop && (differ(rule, "offset", seen->place_offset, expected->place_offset, failure) ||
                            differ(rule, "length", seen->place_length, expected->place_length, failure))) {
        return false;
    }
    for (size_t i = 0; i < sizeof(seen->numbers) / sizeof(seen->numbers[0]); i++) {
        static const char *const names[] = { "number 0", "number 1", "number 2", "number 3" };

        if (differ(rule, names[i], seen->numbers[i], expected->numbers[i], failure)) {
            return false;
        }
    }
    return !differ(rule, "bytes in the buffer", seen->byte_count, expected->byte_count, failure) &&
           check_bytes(rule, seen->bytes, expected->bytes, seen->byte_count, 0, "the buffer", failure);
}

/* --- RAM --------------------------------------------------------------------------------- */

enum { AROUND = 64, WINDOW = 0x1000, SMALL = 0x10000 };

static bool check_window(struct player *p, const struct model *m, unsigned region, uint64_t offset, size_t length,
                         struct run_failure *failure)
{
    uint8_t model[WINDOW];
    const uint8_t *core;
    char where[32];

    if (!model_ram(m, region, offset, length, model)) {
        return true;
    }
    core = player_ram(p, region) + offset;
    if (!memcmp(core, model, length)) {
        return true;
    }
    snprintf(where, sizeof(where), "RAM of r%u", region);
    return check_bytes("R-ACC-9", core, model, length, offset, where, failure);
}

bool check_touched(struct player *p, const struct model *m, const struct observation *expected,
                   struct run_failure *failure)
{
    for (size_t i = 0; i < expected->touched_count; i++) {
        const struct ram_range *range = &expected->touched[i];
        struct model_region region;
        uint64_t at = range->offset < AROUND ? 0 : range->offset - AROUND;
        uint64_t end = range->offset + range->length;

        if (!model_region(m, (unsigned)range->region, &region)) {
            continue;           /* it died of the step */
        }
        for (uint64_t after = AROUND; after && end == range->offset + range->length; after /= 2) {
            /* The block may end right behind. */
            if (model_ram(m, (unsigned)range->region, end, (size_t)after, (uint8_t[AROUND]){ 0 })) {
                end += after;
            }
        }
        for (; at < end; at += WINDOW) {
            size_t length = end - at < WINDOW ? (size_t)(end - at) : WINDOW;

            if (!check_window(p, m, (unsigned)range->region, at, length, failure)) {
                return false;
            }
        }
    }
    return true;
}

bool check_ram(struct player *p, const struct model *m, struct run_failure *failure)
{
    const uint16_t *slots;
    size_t count = model_regions(m, &slots);

    for (size_t i = 0; i < count; i++) {
        struct model_region region;

        if (!model_region(m, slots[i], &region) || !region.has_block || region.size > SMALL) {
            continue;
        }
        if ((region.kind == KIND_RAM_PTR || region.kind == KIND_RAM_DEVICE) && !p->reserved_used) {
            continue;       /* nobody could write there */
        }
        for (uint64_t at = 0; at < (uint64_t)region.size; at += WINDOW) {
            uint64_t left = (uint64_t)region.size - at;

            if (!check_window(p, m, slots[i], at, left < WINDOW ? (size_t)left : WINDOW, failure)) {
                return false;
            }
        }
    }
    return true;
}

/* --- hash -------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

uint64_t check_access_hash(uint64_t hash, const struct observation *seen)
{
    hash = mix(hash, (uint64_t)seen->result << 32 | seen->bounced);
    hash = mix(hash, seen->value);
    hash = mix(hash, (uint64_t)(unsigned)seen->place_region << 32 | (unsigned)seen->target_space);
    hash = mix(hash, seen->place_offset);
    hash = mix(hash, seen->place_length);
    for (size_t i = 0; i < sizeof(seen->numbers) / sizeof(seen->numbers[0]); i++) {
        hash = mix(hash, seen->numbers[i]);
    }
    for (size_t i = 0; i < seen->byte_count; i++) {
        hash = mix(hash, seen->bytes[i]);
    }
    return hash;
}
