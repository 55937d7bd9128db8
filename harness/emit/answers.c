/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What accesses answer, what RAM holds, what devices heard: as the programs say it, and as it must be. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit/access.h"
#include "model/access.h"

/* As say_bytes() of the prelude prints them. */
static void put_bytes(FILE *text, const uint8_t *bytes, uint64_t offset, uint64_t count)
{
    for (uint64_t i = 0; i < count; i += 16) {
        const uint64_t here = count - i < 16 ? count - i : 16;

        if (i && here == 16 && memcmp(bytes + i, bytes + i - 16, 16) == 0) {
            continue;
        }
        fprintf(text, "0x%" PRIx64 ": ", offset + i);
        for (uint64_t k = i; k < i + here; k++) {
            fprintf(text, "%02x", bytes[k]);
        }
        fputc('\n', text);
    }
}

/* --- answers ----------------------------------------------------------------------------- */

static void answer_place(FILE *out, FILE *text, const struct observation *expected)
{
    fputs("    say_place();\n", out);
    if (expected->place_region == OBSERVED_NONE) {
        fputs("none", text);
    } else {
        fprintf(text, "r%d", expected->place_region);
    }
    if (!expected->loop) {
        fputs("    say(\"+0x%\" PRIx64 \" length 0x%\" PRIx64, offset, length);\n", out);
        fprintf(text, "+0x%" PRIx64 " length 0x%" PRIx64, expected->place_offset, expected->place_length);
    }
    fputs("    say(\"\\n\");\n", out);
    fputc('\n', text);
}

static void answer_iotlb(FILE *out, FILE *text, const struct observation *expected)
{
    fputs("    say(\"iova 0x%\" PRIx64 \" mask 0x%\" PRIx64 \" to 0x%\" PRIx64 \" in %s perm %d\\n\", entry.iova,\n"
          "        entry.addr_mask, entry.translated_addr, name_of_space(entry.target_as), (int)entry.perm);\n", out);
    fprintf(text, "iova 0x%" PRIx64 " mask 0x%" PRIx64 " to 0x%" PRIx64 " in ", expected->numbers[0], expected->value,
            expected->numbers[1]);
    if (expected->target_space == OBSERVED_NONE) {
        fputs("none", text);
    } else {
        fprintf(text, "as%d", expected->target_space);
    }
    fprintf(text, " perm %d\n", (int)expected->numbers[2]);
}

static void answer_map(FILE *out, FILE *text, const struct trace_step *s, const struct observation *expected)
{
    if (expected->place_region == OBSERVED_NONE) {
        fprintf(out, "    say_mapping(&m%u, NULL, 0);\n", s->a);
    } else {
        fprintf(out, "    say_mapping(&m%u, &r%d, 0x%" PRIx64 ");\n", s->a, expected->place_region,
                expected->place_offset);
    }
    fprintf(text, "length 0x%" PRIx64 " ", expected->value);
    if (expected->place_region == OBSERVED_NONE) {
        fputs(expected->bounced ? "bounced\n" : "not mapped\n", text);
    } else {
        fprintf(text, "r%d+0x%" PRIx64 "\n", expected->place_region, expected->place_offset);
    }
    if (expected->byte_count) {
        fprintf(out, "    say_bytes(m%u.pointer, 0, 0x%zx);\n", s->a, expected->byte_count);
        put_bytes(text, expected->bytes, 0, expected->byte_count);
    }
}

static void answer_result(FILE *out, FILE *text, const struct observation *expected)
{
    fputs("    say(\"result 0x%x\\n\", result);\n", out);
    fprintf(text, "result 0x%x\n", expected->result);
}

static void answer_value(FILE *out, FILE *text, uint64_t value)
{
    fputs("    say(\"value 0x%\" PRIx64 \"\\n\", value);\n", out);
    fprintf(text, "value 0x%" PRIx64 "\n", value);
}

static void answer(FILE *out, FILE *text, const struct trace_step *s, const struct observation *expected)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_READ:
    case TRACE_OP_CACHE_READ:
        answer_result(out, text, expected);
        fprintf(out, "    say_buffer(0x%zx);\n", expected->byte_count);
        put_bytes(text, expected->bytes, 0, expected->byte_count);
        break;
    case TRACE_OP_WRITE:
    case TRACE_OP_WRITE_ROM:
    case TRACE_OP_SET:
    case TRACE_OP_MOVE:
    case TRACE_OP_DISPATCH_WRITE:
    case TRACE_OP_CACHE_WRITE:
    case TRACE_OP_CACHE_STORE:
        answer_result(out, text, expected);
        break;
    case TRACE_OP_LOAD:
        if (s->b != SCALAR_PHYS) {
            answer_result(out, text, expected);
        }
        answer_value(out, text, expected->value);
        break;
    case TRACE_OP_STORE:
        if (s->b != SCALAR_PHYS) {
            answer_result(out, text, expected);
        }
        break;
    case TRACE_OP_DISPATCH_READ:
    case TRACE_OP_CACHE_LOAD:
        answer_result(out, text, expected);
        answer_value(out, text, expected->value);
        break;
    case TRACE_OP_VALID:
        answer_value(out, text, expected->truth);
        break;
    case TRACE_OP_CACHE:
        answer_value(out, text, expected->value);
        break;
    case TRACE_OP_TRANSLATE:
        answer_place(out, text, expected);
        break;
    case TRACE_OP_IOTLB:
        answer_iotlb(out, text, expected);
        break;
    case TRACE_OP_MAP:
    case TRACE_OP_MAP_MEANWHILE:
        answer_map(out, text, s, expected);
        break;
    default:
        emit_iommu_answer(out, text, s, expected);
        break;
    }
}

/* --- RAM --------------------------------------------------------------------------------- */

enum { AROUND = 64, SMALL = 0x10000 };

static void answer_ram(FILE *out, FILE *text, const struct model *m, unsigned region, uint64_t offset, uint64_t length)
{
    uint8_t *bytes = malloc(length);

    if (!bytes) {
        abort();
    }
    if (model_ram(m, region, offset, length, bytes)) {
        fprintf(out, "    say_ram(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", region, offset, length);
        fprintf(text, "r%u\n", region);
        put_bytes(text, bytes, offset, length);
    }
    free(bytes);
}

/* What the step wrote, with the bytes around as far as there are any. */
static void answer_touched(FILE *out, FILE *text, const struct model *m, const struct observation *expected)
{
    for (size_t i = 0; i < expected->touched_count; i++) {
        const struct ram_range *range = &expected->touched[i];
        const uint64_t from = range->offset < AROUND ? 0 : range->offset - AROUND;
        uint64_t end = range->offset + range->length, after = AROUND;
        uint8_t ignored[AROUND];
        struct model_region region;

        if (model_region(m, (unsigned)range->region, &region)) {
            while (after && !model_ram(m, (unsigned)range->region, end, (size_t)after, ignored)) {
                after /= 2;     /* the block may end right behind, and what is written may be unused (`poke`) */
            }
            end += after;
            answer_ram(out, text, m, (unsigned)range->region, from, end - from);
        }
    }
}

static char *finished(FILE *text, char **buffer, const size_t *size)
{
    fclose(text);
    if (*size == 0) {
        free(*buffer);
        *buffer = NULL;
    }
    return *buffer;
}

char *emit_access_answer(FILE *out, const struct model *m, const struct trace_step *s,
                         const struct observation *expected)
{
    char *buffer = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&buffer, &size);

    if (!text) {
        abort();
    }
    answer(out, text, s, expected);
    answer_touched(out, text, m, expected);
    return finished(text, &buffer, &size);
}

char *emit_access_ram(FILE *out, const struct model *m)
{
    const uint16_t *slots;
    const size_t count = model_regions(m, &slots);
    char *buffer = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&buffer, &size);

    if (!text) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        struct model_region region;

        if (model_region(m, slots[i], &region) && region.has_block && region.size <= SMALL) {
            answer_ram(out, text, m, slots[i], 0, (uint64_t)region.size);
        }
    }
    return finished(text, &buffer, &size);
}

/* --- events ------------------------------------------------------------------------------ */

static void put_device_event(FILE *out, const struct event *e, const char *what)
{
    fprintf(out, "r%d %s 0x%" PRIx64 " size %u attrs 0x%x", e->region, what, e->offset, e->size, e->attrs);
}

bool emit_access_event(FILE *out, const struct event *e)
{
    switch (e->kind) {
    case EVENT_DEVICE_READ:
        put_device_event(out, e, "reads");
        break;
    case EVENT_DEVICE_WRITE:
        put_device_event(out, e, "writes");
        fprintf(out, " data 0x%" PRIx64, e->data);
        break;
    case EVENT_DEVICE_ACCEPTS:
        put_device_event(out, e, e->number ? "accepts a write?" : "accepts a read?");
        break;
    case EVENT_NESTED:
        fprintf(out, "r%d accesses memory: result 0x%x data 0x%" PRIx64, e->region, e->result, e->data);
        break;
    case EVENT_EVENTFD_SIGNAL:
        fprintf(out, "e%d signalled %d", e->notifier, e->number);
        break;
    case EVENT_MAP_CLIENT:
        fprintf(out, "q%d may map", e->number);
        break;
    case EVENT_IOMMU_FLAGS:
        fprintf(out, "r%d notifiers want 0x%x, 0x%x before: %d", e->region, (unsigned)e->new_mask,
                (unsigned)e->old_mask, e->number);
        break;
    case EVENT_IOMMU_NOTIFIED:
        fprintf(out, "n%d hears iova 0x%" PRIx64 " mask 0x%" PRIx64 " to 0x%" PRIx64 " in ", e->number, e->address,
                e->length, e->data);
        if (e->section.space == OBSERVED_NONE) {
            fputs("none", out);
        } else {
            fprintf(out, "as%d", e->section.space);
        }
        fprintf(out, " perm %d", e->new_mask);
        break;
    default:
        return false;
    }
    fputc('\n', out);
    return true;
}
