/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "emit/block.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit/text.h"
#include "exec/cpu-common.h"
#include "model/block.h"

const char emit_ram_prelude[] =
#include "ram.inc"
    ;

static const char prelude[] =
#include "block.inc"
    ;

static const char faults_prelude[] =
#include "fault.inc"
    ;

void emit_block_begin(struct emit_block *b, const struct trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        b->used |= trace_op_table[t->steps[i].op].group >= TRACE_GROUP_BLOCK;
        b->discards |= trace_op_table[t->steps[i].op].group == TRACE_GROUP_DISCARD;
        b->faults |= trace_op_table[t->steps[i].op].group == TRACE_GROUP_FAULT;
        /* An initialiser fails whose name is taken (R-RAM-14). */
        b->faults |= t->steps[i].op == TRACE_OP_IDSTR && t->steps[i].n >= ID_R1;
    }
}

void emit_block_prelude(FILE *out, const struct emit_block *b)
{
    fputs(b->used ? prelude : "", out);
    fputs(b->discards ? emit_discard_prelude : "", out);
    fputs(b->faults ? faults_prelude : "", out);
}

void emit_block_declare(FILE *out, const struct emit_block *b, unsigned region)
{
    if (b->managed[region]) {
        fprintf(out, "static struct manager g%u;\n", region);
    }
}

void emit_block_start(FILE *out, const struct emit_block *b)
{
    fputs(b->used ? "    first_version = ram_list.version;\n" : "", out);
    fputs(b->faults ? "    memcore_set_fault(ask_fault, NULL);\n" : "", out);
}

void emit_block_end(FILE *out, const struct emit_block *b)
{
    fputs(b->used ? "    say_left_open();\n" : "", out);
}

/* --- files ------------------------------------------------------------------------- */

static void put_ram_flags(FILE *out, const struct file_flags *flags)
{
    const struct {
        bool there;
        const char *name;
    } all[] = {
        { flags->shared, "RAM_SHARED" },
        { flags->noreserve, "RAM_NORESERVE" },
        { flags->protected, "RAM_PROTECTED" },
        { flags->unknown, "RAM_RESIZEABLE" },
    };
    const char *between = "";

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].there) {
            fprintf(out, "%s%s", between, all[i].name);
            between = " | ";
        }
    }
    fputs(*between ? "" : "0", out);
}

void emit_block_file(FILE *out, const struct trace_step *s, const char *owner)
{
    const struct file_flags flags = block_file_flags(s->c);
    const enum ram_file kind = (enum ram_file)s->n;
    const bool path = block_file_has_path(kind), found = path && kind != FILE_PATH_NEW && kind != FILE_DIRECTORY;

    fputs("note_open_files();\n    {\n        const int fd = ", out);
    if (kind == FILE_PIPE) {
        fputs("new_pipe()", out);
    } else if (path && !found) {
        fputs("-1", out);
    } else {
        fprintf(out, "new_file(0x%" PRIx64 ")", block_file_length(kind, s->w.absolute, s->v.absolute));
    }
    fprintf(out, ";\n\n        ram_from_%s(&r%u, %s, \"r%u\", 0x%" PRIx64 ", ", path ? "file" : "fd", s->a, owner, s->a,
            s->v.absolute);
    if (path) {
        fprintf(out, "0x%" PRIx64 ", ", flags.alignment);
    }
    put_ram_flags(out, &flags);
    if (path) {
        fprintf(out, ", %s, %s, fd", found ? "path_of(fd)" : kind == FILE_PATH_NEW ? "new_path()" : "P_tmpdir",
                flags.readonly ? "true" : "false");
    } else {
        fprintf(out, ", fd, 0x%" PRIx64, s->w.absolute);
    }
    fputs(");\n    }\n", out);
}

/* --- calls ------------------------------------------------------------------------- */

static void put_idstr(FILE *out, const struct trace_step *s)
{
    if (s->n == ID_NONE) {
        fprintf(out, "    qemu_ram_unset_idstr(block_of(&r%u));\n", s->a);
    } else {
        fprintf(out, "    qemu_ram_set_idstr(block_of(&r%u), \"%s\", NULL);\n", s->a,
                block_id_given((enum id_name)s->n));
    }
}

static void put_msync(FILE *out, const struct trace_step *s)
{
    switch (s->n) {
    case MSYNC_REGION:
    case MSYNC_WRITEBACK:
        fprintf(out, "    memory_region_%s(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n",
                s->n == MSYNC_REGION ? "msync" : "writeback", s->a, s->v.absolute, s->w.absolute);
        break;
    case MSYNC_BLOCK:
        fprintf(out, "    qemu_ram_msync(block_of(&r%u), 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a, s->v.absolute,
                s->w.absolute);
        break;
    default:
        fprintf(out, "    qemu_ram_block_writeback(block_of(&r%u));\n", s->a);
        break;
    }
}

static void put_block_call(FILE *out, const struct trace_step *s)
{
    static const char *const flags[] = { "set_migratable", "unset_migratable", "set_uf_zeroable" };

    switch ((enum trace_op)s->op) {
    case TRACE_OP_RESIZE:
        fprintf(out, "    resize_%s(&r%u, 0x%" PRIx64 ");\n", s->n == RESIZE_BLOCK ? "block" : "region", s->a,
                s->v.absolute);
        break;
    case TRACE_OP_IDSTR:
        put_idstr(out, s);
        break;
    case TRACE_OP_BLOCK_FLAG:
        fprintf(out, "    qemu_ram_%s(block_of(&r%u));\n", flags[s->n], s->a);
        break;
    case TRACE_OP_BLOCK:
        fprintf(out, "    answer_block(block_of(&r%u), NULL);\n    answer_file(qemu_ram_get_fd(block_of(&r%u)));\n",
                s->a, s->a);
        break;
    case TRACE_OP_BLOCKS:
        fputs("    answer_blocks();\n", out);
        break;
    case TRACE_OP_LOOKUP:
        fprintf(out, "    answer_lookup(&r%u, 0x%" PRIx64 ", %s);\n", s->a, s->v.absolute, s->n ? "true" : "false");
        break;
    case TRACE_OP_POKE:
        fprintf(out, "    poke(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ", %d);\n", s->a, s->v.absolute, s->w.absolute, s->n);
        break;
    case TRACE_OP_MSYNC:
        put_msync(out, s);
        break;
    case TRACE_OP_DISCARD_RANGE:
        fprintf(out, "    answer_result(ram_block_discard_range(block_of(&r%u), 0x%" PRIx64 ", 0x%" PRIx64 "));\n",
                s->a, s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_REMAP:
        fprintf(out, "    qemu_ram_remap(qemu_ram_get_offset(block_of(&r%u)) + 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a,
                s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_RAM_NOTIFY:
        fprintf(out, "    hears(&b%u, %u, %s, %s);\n", s->a, s->a,
                s->n == NOTIFIER_EXTENDED || s->n == NOTIFIER_EXTENDED_ONCE ? "true" : "false",
                s->n == NOTIFIER_SEED_ONCE || s->n == NOTIFIER_EXTENDED_ONCE ? "true" : "false");
        break;
    case TRACE_OP_RAM_UNNOTIFY:
        fprintf(out, "    hears_no_more(&b%u);\n", s->a);
        break;
    case TRACE_OP_RAM_TELL:
        fprintf(out, "    ram_block_notify_%s(shared_memory(), 0x%" PRIx64 ");\n", s->n ? "remove" : "add",
                s->v.absolute);
        break;
    default:
        abort();        /* a new operation: write it here */
    }
}

void emit_block_answer(FILE *out, const struct model *m, const struct trace_step *s, const struct observation *expected)
{
    struct model_region now;

    if (s->op == TRACE_OP_RESIZE && strncmp(expected->text, "resized", 7) == 0 && model_region(m, s->a, &now) &&
        now.pages) {
        size_t from, count;

        observed_window(now.pages, (size_t)(now.block_length / TARGET_PAGE_SIZE), &from, &count);
        fprintf(out, "    say_pages(&r%u, %zu, %zu);\n", s->a, from, count);
    } else {
        fputs("    say(\"%s\", answer);\n", out);
    }
}

void emit_block_call(FILE *out, struct emit_block *b, const struct trace_step *s)
{
    static const char *const error_names[] = { "ENOMEM", "ENOSPC", "EIO", "EMFILE" };

    if (trace_op_table[s->op].group == TRACE_GROUP_DISCARD) {
        emit_discard_call(out, b, s);
    } else if (s->op == TRACE_OP_FAIL) {
        fprintf(out, "    faults = (struct faults){ .times = %u, .nth = %d, .left = %d, .error = %s };\n",
                block_how_often(s->b), s->n, s->n, error_names[s->c]);
    } else {
        put_block_call(out, s);
    }
}

/* --- events ------------------------------------------------------------------------ */

bool emit_block_event(FILE *out, const struct event *e)
{
    switch (e->kind) {
    case EVENT_BLOCK_ADDED:
    case EVENT_BLOCK_REMOVED:
    case EVENT_BLOCK_RESIZED:
        fprintf(out, "%s r%d says b%d: 0x%" PRIx64 " 0x%" PRIx64 "\n",
                e->kind == EVENT_BLOCK_ADDED ? "added" : e->kind == EVENT_BLOCK_REMOVED ? "removed" : "resized",
                e->region, e->number, e->address, e->length);
        return true;
    case EVENT_BLOCK_CALLBACK:
        fprintf(out, "r%d resized to 0x%" PRIx64 "%s\n", e->region, e->length, e->number ? "" : " with another name");
        return true;
    case EVENT_POPULATE:
    case EVENT_DISCARD:
        fprintf(out, "p%d %s", e->number, e->kind == EVENT_POPULATE ? "populate" : "discard");
        emit_section(out, &e->section);
        fprintf(out, " populated %d returned %d\n", (int)e->result, (int)(int64_t)e->data);
        return true;
    default:
        return false;
    }
}
