/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memtrace/emit_c_block.h"

#include <inttypes.h>
#include <string.h>

#include "exec/cpu-common.h"
#include "model/block.h"

const char emit_block_prelude[] =
#include "emit_c_block.inc"
    ;

const char emit_block_resized[] = "on_resized";

bool emit_block_used(const struct trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (trace_op_table[t->steps[i].op].group >= TRACE_GROUP_BLOCK) {
            return true;
        }
    }
    return false;
}

/* --- calls ------------------------------------------------------------------------- */

static char kind_letter(unsigned kind)
{
    return kind == FILE_PATH_NEW ? 'n' : kind == FILE_DIRECTORY ? 'd' : kind == FILE_PIPE ? '|'
         : block_file_has_path(kind) ? 'p' : 'f';
}

static void put_file(FILE *out, const struct trace_step *s, const char *owner)
{
    const struct file_flags flags = block_file_flags(s->c);

    fprintf(out, "init_ram_file(&r%u, %s, \"r%u\", 0x%" PRIx64 ", 0%s%s%s%s, '%c', 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64
            ", %s);\n", s->a, owner, s->a, s->v.absolute, flags.shared ? " | RAM_SHARED" : "",
            flags.noreserve ? " | RAM_NORESERVE" : "", flags.protected ? " | RAM_PROTECTED" : "",
            flags.unknown ? " | RAM_RESIZEABLE" : "", kind_letter((unsigned)s->n),
            block_file_length((unsigned)s->n, s->w.absolute, s->v.absolute), s->w.absolute, flags.alignment,
            flags.readonly ? "true" : "false");
}

static void put_idstr(FILE *out, const struct trace_step *s)
{
    if (s->n == ID_NONE) {
        fprintf(out, "qemu_ram_unset_idstr(own_block(&r%u));\n", s->a);
    } else {
        fprintf(out, "qemu_ram_set_idstr(own_block(&r%u), \"%s\", NULL);\n", s->a, block_id_given((enum id_name)s->n));
    }
}

static void put_msync(FILE *out, const struct trace_step *s)
{
    static const char *const functions[] = { "memory_region_msync", "memory_region_writeback", "qemu_ram_msync",
                                             "qemu_ram_block_writeback" };
    const bool block = s->n == MSYNC_BLOCK || s->n == MSYNC_WHOLE_BLOCK;

    fprintf(out, block ? "%s(own_block(&r%u)" : "%s(&r%u", functions[s->n], s->a);
    if (s->n == MSYNC_WHOLE_BLOCK) {
        fprintf(out, ");\n");
    } else {
        fprintf(out, ", 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->v.absolute, s->w.absolute);
    }
}

static void put_block_call(FILE *out, const struct trace_step *s, const char *owner)
{
    static const char *const flags[] = { "set_migratable", "unset_migratable", "set_uf_zeroable" };

    switch ((enum trace_op)s->op) {
    case TRACE_OP_RAM_FILE:
        put_file(out, s, owner);
        break;
    case TRACE_OP_RESIZE:
        fprintf(out, "resize(&r%u, 0x%" PRIx64 ", %s);\n", s->a, s->v.absolute, s->n == RESIZE_BLOCK ? "true" : "false");
        break;
    case TRACE_OP_IDSTR:
        put_idstr(out, s);
        break;
    case TRACE_OP_BLOCK_FLAG:
        fprintf(out, "qemu_ram_%s(own_block(&r%u));\n", flags[s->n], s->a);
        break;
    case TRACE_OP_BLOCK:
        fprintf(out, "answer_block(own_block(&r%u), NULL);\n    answer_file(qemu_ram_get_fd(own_block(&r%u)));\n", s->a,
                s->a);
        break;
    case TRACE_OP_BLOCKS:
        fprintf(out, "answer_blocks();\n");
        break;
    case TRACE_OP_LOOKUP:
        fprintf(out, "lookup(&r%u, 0x%" PRIx64 ", %s);\n", s->a, s->v.absolute, s->n ? "true" : "false");
        break;
    case TRACE_OP_POKE:
        fprintf(out, "poke(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %d);\n", s->a, s->v.absolute, s->w.absolute, s->n);
        break;
    case TRACE_OP_MSYNC:
        put_msync(out, s);
        break;
    case TRACE_OP_DISCARD_RANGE:
        fprintf(out, "answers(\"returned %%d\\n\", ram_block_discard_range(own_block(&r%u), 0x%" PRIx64 ", 0x%" PRIx64
                "));\n", s->a, s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_REMAP:
        fprintf(out, "qemu_ram_remap(qemu_ram_get_offset(own_block(&r%u)) + 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a,
                s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_RAM_NOTIFY:
        fprintf(out, "add_notifier(&b%u, %s, %s);\n", s->a,
                s->n == NOTIFIER_EXTENDED || s->n == NOTIFIER_EXTENDED_ONCE ? "true" : "false",
                s->n == NOTIFIER_SEED_ONCE || s->n == NOTIFIER_EXTENDED_ONCE ? "true" : "false");
        break;
    case TRACE_OP_RAM_UNNOTIFY:
        fprintf(out, "forget_notifier(&b%u);\n", s->a);
        break;
    case TRACE_OP_RAM_TELL:
        fprintf(out, "ram_block_notify_%s(shared_memory(), 0x%" PRIx64 ");\n", s->n ? "remove" : "add", s->v.absolute);
        break;
    default:
        fprintf(out, "/* the host is not made to fail here */\n");
        break;
    }
}

static void put_discard_call(FILE *out, const struct trace_step *s)
{
    static const char *const policies[] = { "discard_disable", "uncoordinated_discard_disable", "discard_require",
                                            "coordinated_discard_require" };
    static const char *const hooks[] = { "WILLING", "BUSY", "NO_MEMORY" };
    const uint64_t at = s->v.absolute, size = s->w.absolute;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_MANAGE:
        fprintf(out, "manage(&managers[%u], &hooks[%u], &r%u, 0x%" PRIx64 ");\n", s->a, s->a, s->a,
                block_granule((unsigned)s->n));
        break;
    case TRACE_OP_UNMANAGE:
        fprintf(out, "answers(\"%%s\\n\", bitmap_discard_manager_destroy(managers[%u], NULL) ? \"gone\" : \"refused\");\n",
                s->a);
        break;
    case TRACE_OP_PLUG:
    case TRACE_OP_UNPLUG:
        fprintf(out, "answers(\"returned %%d\\n\", bitmap_discard_manager_%s(managers[%u], 0x%" PRIx64 ", 0x%" PRIx64
                "));\n", s->op == TRACE_OP_PLUG ? "plug" : "unplug", s->a, at, size);
        break;
    case TRACE_OP_UNPLUG_ALL:
        fprintf(out, "answers(\"returned %%d\\n\", bitmap_discard_manager_unplug_all(managers[%u]));\n", s->a);
        break;
    case TRACE_OP_LOAD_BITS:
        fprintf(out, "load_bits(managers[%u], 0x%" PRIx64 ");\n", s->a, size);
        break;
    case TRACE_OP_MANAGER_HOOKS:
        fprintf(out, "hooks[%u] = %s;\n", s->a, hooks[s->n]);
        break;
    case TRACE_OP_PARTS:
        fprintf(out, "parts(managers[%u], &r%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %d);\n", s->a, s->a, at, size, s->n);
        break;
    case TRACE_OP_DISCARD_LISTEN:
        fprintf(out, "discard_listen(&ear%u, managers[%u], &r%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %s);\n", s->a, s->b, s->b, at,
                size, s->n == DISCARD_DOUBLE ? "true" : "false");
        break;
    case TRACE_OP_DISCARD_UNLISTEN:
        fprintf(out, "ram_discard_manager_unregister_listener(RAM_DISCARD_MANAGER(ear%u.manager), &ear%u.listener);\n", s->a,
                s->a);
        break;
    case TRACE_OP_OBJECT:
        fprintf(out, "ear%u.objects_at = %d;\n", s->a, s->n);
        break;
    default:
        fprintf(out, "policy(ram_block_%s(%s));\n", policies[s->n], s->c ? "true" : "false");
        break;
    }
}

void emit_block_call(FILE *out, const struct trace_step *s, const char *owner)
{
    fprintf(out, "    answer[0] = '\\0';\n    ");
    if (trace_op_table[s->op].group == TRACE_GROUP_DISCARD) {
        put_discard_call(out, s);
    } else {
        put_block_call(out, s, owner);
    }
}

/* --- answers ---------------------------------------------------------------------------- */

void emit_block_answer(FILE *out, const struct model *m, const struct trace_step *s, const struct observation *expected)
{
    struct model_region region;
    size_t from, count;

    fprintf(out, "    say(\"%%s\", answer);\n    answer[0] = '\\0';\n");
    if (s->op == TRACE_OP_RESIZE && expected->text && !strncmp(expected->text, "resized", 7) &&
        model_region(m, s->a, &region) && region.pages) {
        observed_window(region.pages, (size_t)(region.block_length / TARGET_PAGE_SIZE), &from, &count);
        fprintf(out, "    say_pages(&r%u, %zu, %zu);\n", s->a, from, count);
    }
}

bool emit_block_many_die(const struct trace_step *s, const struct event_log *log)
{
    const struct event *first = NULL;

    for (size_t i = 0; i < log->count && s->op != TRACE_OP_RAM_UNNOTIFY; i++) {
        const struct event *e = &log->events[i];

        if (e->kind != EVENT_BLOCK_REMOVED) {
            continue;
        }
        if (first && (first->region != e->region || first->length != e->length)) {
            return true;
        }
        first = e;
    }
    return false;
}

static void put_name(FILE *out, int region)
{
    if (region == OBSERVED_NONE) {
        fprintf(out, " none");
    } else {
        fprintf(out, " r%d", region);
    }
}

static void put_discard_event(FILE *out, const struct event *e)
{
    fprintf(out, "d%d %s 0x%" PRIx64 " size 0x%" PRIx64 " r%d+0x%" PRIx64 " while%s populated returned %d\n", e->number,
            e->kind == EVENT_POPULATE ? "populate" : "discard", e->section.address, (uint64_t)e->section.size,
            e->section.region, e->section.offset, e->result ? "" : " not", (int)(int64_t)e->data);
}

bool emit_block_event(FILE *out, const struct event *e)
{
    switch (e->kind) {
    case EVENT_BLOCK_ADDED:
    case EVENT_BLOCK_REMOVED:
    case EVENT_BLOCK_RESIZED:
        fprintf(out, "b%d %s", e->number, e->kind == EVENT_BLOCK_ADDED ? "added"
                                        : e->kind == EVENT_BLOCK_REMOVED ? "removed" : "resized");
        put_name(out, e->region);
        fprintf(out, " 0x%" PRIx64 " 0x%" PRIx64 "\n", e->address, e->length);
        return true;
    case EVENT_BLOCK_CALLBACK:
        fprintf(out, "resized");
        put_name(out, e->region);
        fprintf(out, " to 0x%" PRIx64 "\n", e->length);
        return true;
    case EVENT_POPULATE:
    case EVENT_DISCARD:
        put_discard_event(out, e);
        return true;
    default:
        return false;
    }
}
