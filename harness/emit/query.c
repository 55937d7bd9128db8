/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions with their answers, section copies, readers of views, as C. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit/parts.h"

/* The question and its answer; the references of an answer are given back. */
static void put_find(struct emitter *e, unsigned region, const struct trace_step *s, bool check,
                     const struct observation *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out;

    fprintf(e->body, "    found = memory_region_find(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", region, s->v.absolute,
            s->w.absolute);
    if (check) {
        out = open_memstream(&text, &size);
        emit_section(out, &expected->section);
        fputc('\n', out);
        fclose(out);
        fputs("    say_section(&found);\n    say(\"\\n\");\n", e->body);
        emit_expect(e->body, "memory_region_find", text);
    }
    if (s->op == TRACE_OP_COPY && expected->section.region != OBSERVED_NONE) {
        fprintf(e->body, "    c%u = memory_region_section_new_copy(&found);\n", s->a);
    }
    fputs("    memory_region_unref(found.mr);\n", e->body);
}

static void put_query(struct emitter *e, const struct trace_step *s, const struct region_facts *f)
{
    char *text = NULL;
    unsigned r = s->a;

    fprintf(e->body,
            "    say(\"size 0x%%\" PRIx64 \" ram %%d rom %%d romd %%d device %%d nonvolatile %%d mapped %%d\"\n"
            "        \" mask %%d protected %%d alignment 0x%%\" PRIx64 \"\\n\",\n"
            "        memory_region_size(&r%u), memory_region_is_ram(&r%u), memory_region_is_rom(&r%u),\n"
            "        memory_region_is_romd(&r%u), memory_region_is_ram_device(&r%u),\n"
            "        memory_region_is_nonvolatile(&r%u), memory_region_is_mapped(&r%u),\n"
            "        memory_region_get_dirty_log_mask(&r%u), memory_region_is_protected(&r%u),\n"
            "        (uint64_t)memory_region_get_alignment(&r%u));\n", r, r, r, r, r, r, r, r, r, r);
    if (asprintf(&text,
                 "size 0x%" PRIx64 " ram %d rom %d romd %d device %d nonvolatile %d mapped %d mask %d"
                 " protected %d alignment 0x%" PRIx64 "\n",
                 f->size, f->is_ram, f->is_rom, f->is_romd, f->is_ram_device, f->is_nonvolatile, f->is_mapped,
                 f->dirty_log_mask, f->is_protected, f->alignment) < 0) {
        abort();
    }
    emit_expect(e->body, "what the getters say", text);
    if (f->has_ram_ptr || f->fd >= 0) {     /* R-RAM-26: without a block not everybody can be asked */
        fprintf(e->body, "    say(memory_region_get_fd(&r%u) >= 0 ? \"a file\\n\" : \"no file\\n\");\n", r);
        emit_expect(e->body, "memory_region_get_fd", strdup(f->fd >= 0 ? "a file\n" : "no file\n"));
    }
}

static void put_mtree(struct emitter *e, const struct trace_step *s, const struct observation *expected)
{
    int flags = (s->n & 3) == 3 ? s->n & ~2 : s->n;     /* the dispatch part is not specified (R-MT-13) */

    fprintf(e->body, "    memcore_set_print(say_text, NULL);\n    mtree_info(%s, %s, %s, %s);\n"
            "    memcore_set_print(NULL, NULL);\n", flags & 1 ? "true" : "false", flags & 2 ? "true" : "false",
            flags & 4 ? "true" : "false", flags & 8 ? "true" : "false");
    emit_expect(e->body, "mtree_info", strdup(expected->text ? expected->text : ""));
}

void emit_query_call(struct emitter *e, const struct trace_step *s, bool check, const struct observation *expected)
{
    FILE *out = e->body;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_FIND:
        put_find(e, s->a, s, check, expected);
        break;
    case TRACE_OP_COPY:
        put_find(e, s->b, s, check, expected);
        break;
    case TRACE_OP_FREE_COPY:
        fprintf(out, "    memory_region_section_free_copy(c%u);\n", s->a);
        break;
    case TRACE_OP_PRESENT:
        fprintf(out, "    say(\"%%d\\n\", memory_region_present(&r%u, 0x%" PRIx64 "));\n", s->a, s->v.absolute);
        emit_expect(e->body, "memory_region_present", strdup(expected->truth ? "1\n" : "0\n"));
        break;
    case TRACE_OP_QUERY:
        put_query(e, s, &expected->facts);
        break;
    case TRACE_OP_READER:
        fprintf(out, "    rcu_read_lock();\n    reader = address_space_to_flatview(&as%u);\n", s->a);
        fputs("    forget();\n    flatview_for_each_range(reader, say_range, NULL);\n    reader_saw = strdup(seen);\n"
              "    forget();\n", out);
        break;
    case TRACE_OP_READER_END:
        fputs("    forget();\n    flatview_for_each_range(reader, say_range, NULL);\n"
              "    expect(\"a reader's view never changes\", reader_saw);\n    free(reader_saw);\n"
              "    rcu_read_unlock();\n", out);
        break;
    case TRACE_OP_MTREE:
        put_mtree(e, s, expected);
        break;
    case TRACE_OP_GRACE:
        emit_space_call(e, s);
        break;
    default:
        abort();
    }
}
