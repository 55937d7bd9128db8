/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "emit/dirty.h"

#include <inttypes.h>

#include "exec/cpu-common.h"

const char emit_dirty_prelude[] =
#include "dirty.inc"
    ;

enum { BMAP_NONE, BMAP_ONES, BMAP_ZEROS, BMAP_ONES_CHUNKS, BMAP_ZEROS_CHUNKS };

static size_t pages_of(const struct model *m, unsigned region)
{
    struct model_region now;

    return model_region(m, region, &now) ? now.pages : 0;
}

void emit_dirty_call(FILE *out, const struct model *m, const struct trace_step *s)
{
    const uint64_t start = s->v.absolute, length = s->w.absolute;

    fprintf(out, "    ");
    switch ((enum trace_op)s->op) {
    case TRACE_OP_DIRTY_SET:
        fprintf(out,
                "cpu_physical_memory_set_dirty_range(memory_region_get_ram_addr(&r%u) + 0x%" PRIx64
                ", 0x%" PRIx64 ", %d);\n",
                s->a, start, length, s->n);
        break;
    case TRACE_OP_DIRTY_FLAG:
        fprintf(out,
                "cpu_physical_memory_set_dirty_flag(memory_region_get_ram_addr(&r%u) + 0x%" PRIx64 ", %d);\n",
                s->a, start, s->n);
        break;
    case TRACE_OP_DIRTY_WRITTEN:
        fprintf(out, "memory_region_set_dirty(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a, start, length);
        break;
    case TRACE_OP_DIRTY_ASK:
        fprintf(out, "ask(memory_region_get_ram_addr(&r%u) + 0x%" PRIx64 ", 0x%" PRIx64 ", %d);\n", s->a,
                start, length, s->n);
        break;
    case TRACE_OP_DIRTY_TAKE:
        fprintf(out,
                "answers(\"taken %%d\\n\", "
                "cpu_physical_memory_test_and_clear_dirty(memory_region_get_ram_addr(&r%u) + 0x%" PRIx64
                ", 0x%" PRIx64 ", %d));\n",
                s->a, start, length, s->n);
        break;
    case TRACE_OP_DIRTY_CLEAR:
        fprintf(out,
                "cpu_physical_memory_clear_dirty_range(memory_region_get_ram_addr(&r%u) + 0x%" PRIx64
                ", 0x%" PRIx64 ");\n",
                s->a, start, length);
        break;
    case TRACE_OP_DIRTY_RESET:
        fprintf(out, "memory_region_reset_dirty(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %d);\n", s->a, start,
                length, s->n);
        break;
    case TRACE_OP_SNAPSHOT:
        fprintf(out, "snapshot(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %d, %zu);\n", s->a, start, length, s->n,
                pages_of(m, s->a));
        break;
    case TRACE_OP_LEBITMAP:
        fprintf(out,
                "take_log(memory_region_get_ram_addr(&r%u) + 0x%" PRIx64 ", %d, 0x%" PRIx64 "ul);\n",
                s->a, start, s->n, length);
        break;
    case TRACE_OP_BMAP:
        fprintf(out, "new_bmap(&r%u, %s, %s, %s);\n", s->a, s->n != BMAP_NONE ? "true" : "false",
                s->n == BMAP_ONES || s->n == BMAP_ONES_CHUNKS ? "0xff" : "0",
                s->n == BMAP_ONES_CHUNKS || s->n == BMAP_ZEROS_CHUNKS ? "true" : "false");
        break;
    case TRACE_OP_BMAP_SYNC:
        fprintf(out,
                "answers(\"new %%\" PRIu64 \"\\n\", cpu_physical_memory_sync_dirty_bitmap(block_of(&r%u), "
                "0x%" PRIx64 ", 0x%" PRIx64 "));\n",
                s->a, start, length);
        break;
    case TRACE_OP_BMAP_SEND:
        fprintf(out, "answers(\"sent %%d\\n\", send_page(&r%u, %" PRIu64 "));\n", s->a,
                (uint64_t)(start / TARGET_PAGE_SIZE));
        break;
    default:
        break;
    }
}

void emit_dirty_answer(FILE *out, const struct model *m, const struct trace_step *s)
{
    size_t from, count;

    observed_window(pages_of(m, s->a), (size_t)(s->v.absolute / TARGET_PAGE_SIZE), &from, &count);
    fprintf(out, "    say_pages(&r%u, %zu, %zu);\n", s->a, from, count);
}
