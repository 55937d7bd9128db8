/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memtrace/emit_c.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memtrace/emit_c_access.h"
#include "memtrace/emit_c_block.h"
#include "memtrace/emit_c_dirty.h"
#include "model/block.h"
#include "run/check.h"

static const char prelude[] =
#include "emit_c_prelude.inc"
    ;

struct emitter {
    FILE *body;
    const struct emit_options *options;
    const struct runner *runner;
    size_t count;                           /* steps of the trace */
    bool region_used[TRACE_REGIONS];
    bool region_named[TRACE_REGIONS];
    int region_container[TRACE_REGIONS];
    bool armed[TRACE_LISTENERS];
    struct emit_access access;
    struct emit_block block;
    bool done, cut;                         /* the failing step was emitted; it was not the last */
    bool undoing;
};

/* --- pieces of text ---------------------------------------------------------------- */

static void put_literal(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '\n') {
            fputs(c[1] ? "\\n\"\n           \"" : "\\n", out);
        } else if (*c == '"' || *c == '\\') {
            fprintf(out, "\\%c", *c);
        } else {
            fputc(*c, out);
        }
    }
    fputc('"', out);
}

static void put_size(FILE *out, wide size)
{
    if (size >> 64) {
        fputs(" size 2^64", out);
    } else {
        fprintf(out, " size 0x%" PRIx64, (uint64_t)size);
    }
}

static void put_region(FILE *out, int region, uint64_t offset)
{
    if (region == OBSERVED_NONE) {
        fprintf(out, " none+0x%" PRIx64, offset);
    } else {
        fprintf(out, " r%d+0x%" PRIx64, region, offset);
    }
}

void emit_section(FILE *out, const struct observed_section *s)
{
    fprintf(out, " 0x%" PRIx64, s->address);
    put_size(out, s->size);
    put_region(out, s->region, s->offset);
    fprintf(out, "%s%s", s->readonly ? " readonly" : "", s->nonvolatile ? " nonvolatile" : "");
}

static const char *const callback_names[EVENT_LISTENER_KINDS] = {
    [EVENT_BEGIN] = "begin", [EVENT_COMMIT] = "commit", [EVENT_REGION_ADD] = "region_add",
    [EVENT_REGION_DEL] = "region_del", [EVENT_REGION_NOP] = "region_nop", [EVENT_LOG_START] = "log_start",
    [EVENT_LOG_STOP] = "log_stop", [EVENT_LOG_SYNC] = "log_sync", [EVENT_LOG_SYNC_GLOBAL] = "log_sync_global",
    [EVENT_LOG_CLEAR] = "log_clear", [EVENT_LOG_GLOBAL_START] = "log_global_start",
    [EVENT_LOG_GLOBAL_STOP] = "log_global_stop", [EVENT_LOG_GLOBAL_AFTER_SYNC] = "log_global_after_sync",
    [EVENT_EVENTFD_ADD] = "eventfd_add", [EVENT_EVENTFD_DEL] = "eventfd_del",
    [EVENT_COALESCED_ADD] = "coalesced_io_add", [EVENT_COALESCED_DEL] = "coalesced_io_del",
};

static void put_listener_name(FILE *out, unsigned slot)
{
    fprintf(out, slot < TRACE_LISTENERS ? "l%u" : "w%u", slot < TRACE_LISTENERS ? slot : slot - TRACE_LISTENERS);
}

static void put_event(FILE *out, const struct event *e)
{
    if (emit_access_event(out, e) || emit_block_event(out, e)) {
        return;
    }
    if (e->kind == EVENT_COALESCED_FLUSH) {
        fputs("coalesced writes are flushed\n", out);
        return;
    }
    if (e->kind == EVENT_OWNER_FINALIZED) {
        fprintf(out, "o%d dies\n", e->number);
        return;
    }
    put_listener_name(out, (unsigned)e->listener);
    fprintf(out, " %s", callback_names[e->kind]);
    switch (e->kind) {
    case EVENT_REGION_ADD:
    case EVENT_REGION_DEL:
    case EVENT_REGION_NOP:
    case EVENT_LOG_SYNC:
    case EVENT_LOG_CLEAR:
        emit_section(out, &e->section);
        break;
    case EVENT_LOG_START:
    case EVENT_LOG_STOP:
        emit_section(out, &e->section);
        fprintf(out, " mask %d to %d", e->old_mask, e->new_mask);
        break;
    case EVENT_EVENTFD_ADD:
    case EVENT_EVENTFD_DEL:
        emit_section(out, &e->section);
        fprintf(out, " match %d data 0x%" PRIx64 " e%d", e->match_data, e->data, e->notifier);
        break;
    case EVENT_COALESCED_ADD:
    case EVENT_COALESCED_DEL:
        emit_section(out, &e->section);
        fprintf(out, " range 0x%" PRIx64 " length 0x%" PRIx64, e->address, e->length);
        break;
    default:
        break;
    }
    fputc('\n', out);
}

/* --- comparisons --------------------------------------------------------------------- */

static void put_expect(struct emitter *e, const char *what, char *text)
{
    fprintf(e->body, "    expect(\"%s\",\n           ", what);
    put_literal(e->body, text);
    fputs(");\n", e->body);
    free(text);
}

static void expect_events(struct emitter *e, size_t index, bool sorted, const struct observation *expected)
{
    char *text = NULL, what[48];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct event_log log = { 0 };

    for (size_t i = 0; i < expected->events.count; i++) {
        event_log_append(&log, &expected->events.events[i]);
    }
    check_normalize(&log);
    if (sorted) {
        check_sort_deaths(&log);
        fputs(e->block.used ? "    sort_deaths();\n" : "", e->body);
    }
    for (size_t i = 0; i < log.count; i++) {
        put_event(out, &log.events[i]);
    }
    event_log_free(&log);
    fclose(out);
    snprintf(what, sizeof(what), "callbacks of step %zu", index + 1);
    put_expect(e, what, text);
}

static void expect_view(struct emitter *e, unsigned space)
{
    const struct view *view = model_view(runner_model(e->runner), space);
    char *text = NULL, what[32];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; i < view->count; i++) {
        fprintf(out, "0x%" PRIx64, view->ranges[i].address);
        put_size(out, view->ranges[i].size);
        put_region(out, view->ranges[i].region, view->ranges[i].offset);
        fputc('\n', out);
    }
    fclose(out);
    snprintf(what, sizeof(what), "view of as%u", space);
    fprintf(e->body, "    say_view(&as%u);\n", space);
    put_expect(e, what, text);
}

static void expect_state(struct emitter *e)
{
    const struct model *m = runner_model(e->runner);
    const uint16_t *slots;
    size_t count = model_spaces(m, &slots);

    for (size_t i = 0; i < count; i++) {
        expect_view(e, slots[i]);
    }
    count = model_owners(m, &slots);
    for (size_t i = 0; i < count; i++) {
        char *text = NULL;

        fprintf(e->body, "    say(\"%%u\\n\", memcore_object_references(o%u));\n", slots[i]);
        if (asprintf(&text, "%u\n", model_owner_references(m, slots[i])) < 0) {
            abort();
        }
        put_expect(e, "references of an owner", text);
    }
    fprintf(e->body, "    memcore_statistics(&statistics);\n    say(\"%%zu\\n\", statistics.flat_views);\n");
    {
        char *text = NULL;

        if (asprintf(&text, "%zu\n", model_live_views(m)) < 0) {
            abort();
        }
        put_expect(e, "live flat views", text);
    }
}

/* --- calls ----------------------------------------------------------------------------- */

static void put_owner(FILE *out, unsigned owner)
{
    if (owner < TRACE_OWNERS) {
        fprintf(out, "o%u", owner);
    } else {
        fputs("NULL", out);
    }
}

/* The last argument of an initialiser that the host may refuse. */
static void put_error(struct emitter *e, const struct trace_step *s)
{
    if (e->block.faults) {
        fprintf(e->body, ", &refusal);\n    initialised(&r%u);\n", s->a);
    } else {
        fputs(", &error_abort);\n", e->body);
    }
}

static void put_init(struct emitter *e, const struct trace_step *s)
{
    static const char *const ops[] = { "&native_ops", "&big_ops", "&little_ops" };
    static const char *const rams[] = {
        "memory_region_init_ram", "memory_region_init_ram_nomigrate", "memory_region_init_rom",
        "memory_region_init_rom_nomigrate", "memory_region_init_ram_flags_nomigrate",
        "memory_region_init_ram_flags_nomigrate", "memory_region_init_resizeable_ram",
    };
    static const char *const after[] = { "", "", "", "", ", RAM_SHARED", ", RAM_NORESERVE", "" };
    bool alias = s->op == TRACE_OP_ALIAS;
    bool plain = s->op == TRACE_OP_RAM || s->op == TRACE_OP_RAM_PTR || s->op == TRACE_OP_ROM_DEVICE ||
                 s->op == TRACE_OP_DEVICE || s->op == TRACE_OP_IOMMU || s->op == TRACE_OP_RAM_FILE;
    unsigned naming = plain ? 0 : alias ? (unsigned)s->n : s->c;
    char name[32];
    FILE *out = e->body;

    if (naming == 0) {
        snprintf(name, sizeof(name), "\"r%u\"", s->a);
    } else {
        snprintf(name, sizeof(name), "%s", naming == 1 ? "\"shared\"" : naming == 2 ? "\"a/[b]\\\\c\"" : "NULL");
    }
    e->region_used[s->a] = true;
    e->region_named[s->a] = naming != 3;
    e->region_container[s->a] = OBSERVED_NONE;
    fputs("    ", out);
    fprintf(out, "r%u_enabled = true;\n    ", s->a);
    if (s->op == TRACE_OP_IOMMU) {
        emit_access_call(out, &e->access, runner_model(e->runner), s);
        return;
    }
    if (s->op == TRACE_OP_RAM_FILE) {
        snprintf(name, sizeof(name), s->b < TRACE_OWNERS ? "o%u" : "NULL", s->b);
        emit_block_file(out, s, name);
        return;
    }
    switch ((enum trace_op)s->op) {
    case TRACE_OP_CONTAINER:
        fprintf(out, "memory_region_init(&r%u, ", s->a);
        break;
    case TRACE_OP_IO:
    case TRACE_OP_RESERVATION:
    case TRACE_OP_DEVICE:
        fprintf(out, "memory_region_init_io(&r%u, ", s->a);
        break;
    case TRACE_OP_ALIAS:
        fprintf(out, "memory_region_init_alias(&r%u, ", s->a);
        break;
    case TRACE_OP_RAM:
        fprintf(out, "%s(&r%u, ", rams[s->n], s->a);
        break;
    case TRACE_OP_RAM_PTR:
        fprintf(out, "memory_region_init_ram_%sptr(&r%u, ", s->n ? "device_" : "", s->a);
        break;
    default:
        fprintf(out, "memory_region_init_rom_device%s(&r%u, ", s->n ? "_nomigrate" : "", s->a);
        break;
    }
    put_owner(out, alias ? s->c : s->b);
    if (s->op == TRACE_OP_RESERVATION) {
        fputs(", NULL, NULL", out);
    } else if (e->access.used && (s->op == TRACE_OP_IO || s->op == TRACE_OP_DEVICE || s->op == TRACE_OP_ROM_DEVICE)) {
        fputs(", ", out);
        emit_access_ops(out, &e->access, s);
    } else if (s->op == TRACE_OP_IO) {
        fprintf(out, ", %s, NULL", ops[s->n]);
    } else if (s->op == TRACE_OP_ROM_DEVICE) {
        fputs(", &little_ops, NULL", out);
    }
    if (alias) {
        fprintf(out, ", %s, &r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", name, s->b, s->v.absolute, s->w.absolute);
    } else if (s->op == TRACE_OP_RAM) {
        fprintf(out, ", %s, 0x%" PRIx64 "%s", name, s->v.absolute, after[s->n]);
        if (s->n == 6) {
            fprintf(out, ", 0x%" PRIx64 ", %s", 2 * s->v.absolute, e->block.used ? "on_resized" : "NULL");
        }
        put_error(e, s);
    } else if (s->op == TRACE_OP_RAM_PTR) {
        fprintf(out, ", %s, 0x%" PRIx64 ", %s);\n", name, s->v.absolute,
                e->access.used ? "shared_memory()" : "seen /* never touched */");
    } else {
        fprintf(out, ", %s, 0x%" PRIx64, name, s->v.absolute);
        if (s->op == TRACE_OP_ROM_DEVICE) {
            put_error(e, s);
        } else {
            fputs(");\n", out);
        }
    }
}

static void put_listen(struct emitter *e, unsigned slot, unsigned space, uint64_t mask, int priority)
{
    char name[8];
    FILE *out = e->body;

    snprintf(name, sizeof(name), slot < TRACE_LISTENERS ? "l%u" : "w%u",
             slot < TRACE_LISTENERS ? slot : slot - TRACE_LISTENERS);
    fprintf(out, "    %s = (struct recorder){ .name = \"%s\", .listener = { .name = \"%s\", .priority = %uu", name,
            name, name, (unsigned)priority);
    for (unsigned i = 0; i < EVENT_LISTENER_KINDS; i++) {
        if (mask & UINT64_C(1) << i) {
            fprintf(out, ",\n        .%s = on_%s", callback_names[i], callback_names[i]);
        }
    }
    fprintf(out, " } };\n    replaying = true;\n    memory_listener_register(&%s.listener, &as%u);\n"
            "    replaying = false;\n", name, space);
}

static void put_eventfd(struct emitter *e, const struct trace_step *s)
{
    static const unsigned widths[] = { 0, 1, 2, 4, 8 };

    fprintf(e->body, "    memory_region_%s_eventfd(&r%u, 0x%" PRIx64 ", %u, %s, 0x%" PRIx64 ", &notifiers[%u]);\n",
            s->op == TRACE_OP_EVENTFD ? "add" : "del", s->a, s->v.absolute, widths[s->n % 5],
            s->n >= 5 ? "true" : "false", s->w.absolute, s->b);
}

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
        put_expect(e, "memory_region_find", text);
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
            "    say(\"size 0x%%\" PRIx64 \" ram %%d rom %%d romd %%d device %%d nonvolatile %%d mapped %%d mask %%d\"\n"
            "        \" protected %%d alignment 0x%%\" PRIx64 \"\\n\",\n"
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
    put_expect(e, "what the getters say", text);
    if (f->has_ram_ptr || f->fd >= 0) {     /* R-RAM-26: without a block not everybody can be asked */
        fprintf(e->body, "    say(memory_region_get_fd(&r%u) >= 0 ? \"a file\\n\" : \"no file\\n\");\n", r);
        put_expect(e, "memory_region_get_fd", strdup(f->fd >= 0 ? "a file\n" : "no file\n"));
    }
}

static void put_mtree(struct emitter *e, const struct trace_step *s, const struct observation *expected)
{
    int flags = (s->n & 3) == 3 ? s->n & ~2 : s->n;     /* the dispatch part is not specified (R-MT-13) */

    fprintf(e->body, "    memcore_set_print(say_text, NULL);\n    mtree_info(%s, %s, %s, %s);\n"
            "    memcore_set_print(NULL, NULL);\n", flags & 1 ? "true" : "false", flags & 2 ? "true" : "false",
            flags & 4 ? "true" : "false", flags & 8 ? "true" : "false");
    put_expect(e, "mtree_info", strdup(expected->text ? expected->text : ""));
}

static void put_unfailing(struct emitter *e, const struct trace_step *s, bool check, const struct observation *expected)
{
    FILE *out = e->body;
    const char *onoff = s->n ? "true" : "false";

    switch ((enum trace_op)s->op) {
    case TRACE_OP_CONTAINER:
    case TRACE_OP_IO:
    case TRACE_OP_RESERVATION:
    case TRACE_OP_ALIAS:
    case TRACE_OP_RAM:
    case TRACE_OP_RAM_PTR:
    case TRACE_OP_ROM_DEVICE:
    case TRACE_OP_DEVICE:
    case TRACE_OP_IOMMU:
    case TRACE_OP_RAM_FILE:
        put_init(e, s);
        break;
    case TRACE_OP_SPACE:
        fprintf(out, "    address_space_init(&as%u, &r%u, \"as%u\");\n", s->a, s->b, s->a);
        if (e->access.used) {
            fprintf(out, "    as_lives[%u] = true;\n", s->a);
        }
        if (s->n) {
            put_listen(e, TRACE_LISTENERS + s->a, s->a,
                       ((1 << EVENT_LISTENER_KINDS) - 1) & ~(1 << EVENT_LOG_SYNC_GLOBAL), 0);
        }
        break;
    case TRACE_OP_ADD:
        e->region_container[s->b] = s->a;
        if (s->n) {
            fprintf(out, "    memory_region_add_subregion_overlap(&r%u, 0x%" PRIx64 ", &r%u, %d);\n", s->a,
                    s->v.absolute, s->b, s->n);
        } else {
            fprintf(out, "    memory_region_add_subregion(&r%u, 0x%" PRIx64 ", &r%u);\n", s->a, s->v.absolute, s->b);
        }
        break;
    case TRACE_OP_DEL:
        fprintf(out, "    memory_region_del_subregion(&r%d, &r%u);\n", e->region_container[s->a], s->a);
        break;
    case TRACE_OP_ENABLED:
        fprintf(out, "    r%u_enabled = %s;\n    memory_region_set_enabled(&r%u, %s);\n", s->a, onoff, s->a, onoff);
        break;
    case TRACE_OP_ADDRESS:
        fprintf(out, "    memory_region_set_address(&r%u, 0x%" PRIx64 ");\n", s->a, s->v.absolute);
        break;
    case TRACE_OP_SIZE:
        fprintf(out, "    memory_region_set_size(&r%u, 0x%" PRIx64 ");\n", s->a, s->v.absolute);
        break;
    case TRACE_OP_ALIAS_OFFSET:
        fprintf(out, "    memory_region_set_alias_offset(&r%u, 0x%" PRIx64 ");\n", s->a, s->v.absolute);
        break;
    case TRACE_OP_READONLY:
        fprintf(out, "    memory_region_set_readonly(&r%u, %s);\n", s->a, onoff);
        break;
    case TRACE_OP_NONVOLATILE:
        fprintf(out, "    memory_region_set_nonvolatile(&r%u, %s);\n", s->a, onoff);
        break;
    case TRACE_OP_ROMD:
        fprintf(out, "    memory_region_rom_device_set_romd(&r%u, %s);\n", s->a, onoff);
        break;
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
        put_expect(e, "memory_region_present", strdup(expected->truth ? "1\n" : "0\n"));
        break;
    case TRACE_OP_QUERY:
        put_query(e, s, &expected->facts);
        break;
    case TRACE_OP_DESTROY:
        fprintf(out, "    replaying = true;\n    address_space_remove_listeners(&as%u);\n"
                "    replaying = false;\n    address_space_destroy(&as%u);\n", s->a, s->a);
        if (e->access.used) {
            fprintf(out, "    as_lives[%u] = false;\n", s->a);
        }
        break;
    case TRACE_OP_BEGIN:
        fputs("    memory_region_transaction_begin();\n", out);
        break;
    case TRACE_OP_COMMIT:
        fputs("    memory_region_transaction_commit();\n", out);
        break;
    case TRACE_OP_LISTEN:
        put_listen(e, s->a, s->b, s->v.absolute, s->n);
        break;
    case TRACE_OP_UNLISTEN:
        fprintf(out, "    replaying = true;\n    memory_listener_unregister(&l%u.listener);\n"
                "    replaying = false;\n", s->a);
        break;
    case TRACE_OP_UNLISTEN_ALL:
        fprintf(out, "    replaying = true;\n    address_space_remove_listeners(&as%u);\n"
                "    replaying = false;\n", s->a);
        break;
    case TRACE_OP_ARM:
        e->armed[s->a] = true;
        fprintf(out, "    l%u.toggles = l%u.listener.commit ? &r%u : NULL;\n    l%u.toggles_enabled = &r%u_enabled;\n", s->a,
                s->a, s->b, s->a, s->b);
        break;
    case TRACE_OP_LOG:
        fprintf(out, "    memory_region_set_log(&r%u, %s, DIRTY_MEMORY_VGA);\n", s->a, onoff);
        break;
    case TRACE_OP_LOG_START:
        fprintf(out, "    memory_global_dirty_log_start(%d);\n", s->n);
        break;
    case TRACE_OP_LOG_STOP:
        fprintf(out, "    memory_global_dirty_log_stop(%d);\n", s->n);
        break;
    case TRACE_OP_LOG_SYNC:
        fputs("    memory_global_dirty_log_sync();\n", out);
        break;
    case TRACE_OP_AFTER_SYNC:
        fputs("    memory_global_after_dirty_log_sync();\n", out);
        break;
    case TRACE_OP_LOG_CLEAR:
        fprintf(out, "    memory_region_clear_dirty_bitmap(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a,
                s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_VM:
        fprintf(out, "    memcore_set_vm_running(%s);\n", onoff);
        break;
    case TRACE_OP_EVENTFD:
    case TRACE_OP_EVENTFD_DEL:
        put_eventfd(e, s);
        break;
    case TRACE_OP_COALESCE:
        fprintf(out, "    memory_region_add_coalescing(&r%u, 0x%" PRIx64 ", 0x%" PRIx64 ");\n", s->a, s->v.absolute,
                s->w.absolute);
        break;
    case TRACE_OP_COALESCE_ALL:
        fprintf(out, "    memory_region_set_coalescing(&r%u);\n", s->a);
        break;
    case TRACE_OP_UNCOALESCE:
        fprintf(out, "    memory_region_clear_coalescing(&r%u);\n", s->a);
        break;
    case TRACE_OP_FLUSH_SET:
        fprintf(out, "    memory_region_set_flush_coalesced(&r%u);\n", s->a);
        break;
    case TRACE_OP_FLUSH_CLEAR:
        fprintf(out, "    memory_region_clear_flush_coalesced(&r%u);\n", s->a);
        break;
    case TRACE_OP_OWNER:
        fprintf(out, "    o%u = owner_new(\"o%u\");\n", s->a, s->a);
        break;
    case TRACE_OP_RELEASE:
        fprintf(out, "    object_unref(o%u);\n", s->a);
        break;
    case TRACE_OP_UNPARENT:
        fprintf(out, e->region_named[s->a] ? "    object_unparent(OBJECT(&r%u));\n" : "    object_unref(OBJECT(&r%u));\n",
                s->a);
        break;
    case TRACE_OP_REF:
        fprintf(out, "    memory_region_ref(&r%u);\n", s->a);
        break;
    case TRACE_OP_UNREF:
        fprintf(out, "    memory_region_unref(&r%u);\n", s->a);
        break;
    case TRACE_OP_GRACE:
        fputs("    memcore_drain();\n", out);
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
    default:
        if (trace_op_table[s->op].group == TRACE_GROUP_DIRTY) {
            emit_dirty_call(out, runner_model(e->runner), s);
        } else if (trace_op_table[s->op].group >= TRACE_GROUP_BLOCK) {
            emit_block_call(out, &e->block, s);
        } else {
            emit_access_call(out, &e->access, runner_model(e->runner), s);
        }
        break;
    }
}

static void put_call(struct emitter *e, const struct trace_step *s, bool check, const struct observation *expected)
{
    const bool asked = e->block.faults && !e->undoing && block_may_fail(s->op);

    fputs(asked ? "    faults.asked = true;\n" : "", e->body);
    put_unfailing(e, s, check, expected);
    if (asked && s->op == TRACE_OP_PLUG) {
        fprintf(e->body, "    if (!faults.asked) {        /* what it could not give back goes now */\n"
                "        ram_block_discard_range(block_of(&r%u), 0x%" PRIx64 ", 0x%" PRIx64 ");\n    }\n", s->a,
                s->v.absolute, s->w.absolute);
    }
    fputs(asked ? "    faults.asked = false;\n" : "", e->body);
    if (expected->refused && block_is_repeated(s->op)) {
        fputs("    answer[0] = '\\0';    /* it may be half done: once more */\n", e->body);
        put_unfailing(e, s, check, expected);
    }
}

/* A listener that has toggled, or whose region is gone, toggles nothing more. */
static void put_disarmed(struct emitter *e)
{
    for (unsigned i = 0; i < TRACE_LISTENERS; i++) {
        if (e->armed[i] && model_listener_armed(runner_model(e->runner), i) == OBSERVED_NONE) {
            e->armed[i] = false;
            fprintf(e->body, "    l%u.toggles = NULL;\n", i);
        }
    }
}

static void expect_ram(struct emitter *e)
{
    char *text = e->access.used ? emit_access_ram(e->body, runner_model(e->runner)) : NULL;

    if (text) {
        put_expect(e, "RAM", text);
    }
}

/* What the step answers, beside callbacks; then the rest, if the step could have changed it. */
static void expect_answer(struct emitter *e, const struct trace_step *s, bool failing, const struct observation *expected)
{
    const enum trace_group group = trace_op_table[s->op].group;

    if (group == TRACE_GROUP_DIRTY) {
        emit_dirty_answer(e->body, runner_model(e->runner), s);
        put_expect(e, "dirty pages", strdup(expected->text ? expected->text : ""));
    }
    if (group >= TRACE_GROUP_BLOCK) {
        emit_block_answer(e->body, runner_model(e->runner), s, expected);
        put_expect(e, "what it answers", strdup(expected->text ? expected->text : ""));
    }
    if (group >= TRACE_GROUP_DEVICE) {
        char *text = emit_access_answer(e->body, runner_model(e->runner), s, expected);

        if (text) {
            put_expect(e, "what it answers, and RAM", text);
        }
        if (!failing && group < TRACE_GROUP_BLOCK && !expected->events.count && s->op != TRACE_OP_MAP &&
            s->op != TRACE_OP_UNMAP && s->op != TRACE_OP_CACHE && s->op != TRACE_OP_CACHE_DESTROY) {
            return;
        }
    }
    if (failing) {
        expect_ram(e);
    }
    expect_state(e);
}

/* Its answer waits in `answer`. */
static bool has_text(const struct trace_step *s)
{
    const enum trace_group group = trace_op_table[s->op].group;

    return group == TRACE_GROUP_DIRTY || group >= TRACE_GROUP_BLOCK;
}

static void on_step(void *opaque, size_t index, const struct trace_step *written,
                    const struct trace_step *resolved, const struct observation *expected,
                    const struct observation *seen, enum run_outcome outcome)
{
    struct emitter *e = opaque;
    bool failing = e->options->failure && index == e->options->failing_step;
    bool check = failing || e->options->every_step;
    char line[256];

    (void)written;
    (void)seen;
    e->cut |= e->done;
    if (outcome == RUN_SKIPPED || e->done) {
        return;
    }
    if (index >= e->count && !e->undoing) {
        e->undoing = true;
        fputs("\n    /* everything is undone */\n", e->body);
        fputs(e->block.faults ? "    faults.times = 0;\n" : "", e->body);
        if (e->options->every_step || e->options->failing_step < e->count) {
            fputs("    forget();\n", e->body);
            expect_ram(e);
        }
    }
    trace_print_step(resolved, line, sizeof(line));
    fprintf(e->body, "\n    /* step %zu: %s%s */\n", index + 1, line, failing ? "  <- this one fails" : "");
    if (check) {
        fputs(has_text(resolved) ? "    forget();\n    answer[0] = '\\0';\n" : "    forget();\n", e->body);
    }
    put_call(e, resolved, check, expected);
    put_disarmed(e);
    emit_access_lives(e->body, &e->access, runner_model(e->runner));
    if (check) {
        if (resolved->op == TRACE_OP_BMAP_SYNC) {
            fputs("    forget();    /* listeners may hear of it in any pieces, R-SYNC-3 */\n", e->body);
        } else {
            expect_events(e, index, resolved->op != TRACE_OP_RAM_UNNOTIFY, expected);
        }
        expect_answer(e, resolved, failing, expected);
    }
    e->done = failing;
}

static bool is_refused(void *opaque, size_t index)
{
    const struct emitter *e = opaque;

    return e->options->refused && index < e->count && e->options->refused[index];
}

/* --- the program ------------------------------------------------------------------------- */

static void put_declarations(FILE *out, const struct emitter *e)
{
    for (unsigned i = 0; i < TRACE_REGIONS; i++) {
        if (e->region_used[i]) {
            fprintf(out, "static bool UNUSED r%u_enabled;\n", i);
            emit_block_declare(out, &e->block, i);
            if (!emit_access_declare(out, &e->access, i)) {
                fprintf(out, "static MemoryRegion UNUSED r%u;\n", i);
            }
        }
    }
    fputs("static AddressSpace UNUSED as0, as1, as2, as3, as4, as5, as6, as7;\n"
          "static struct recorder UNUSED l0, l1, l2, l3, l4, l5, l6, l7, w0, w1, w2, w3, w4, w5, w6, w7;\n"
          "static Object *UNUSED o0, *UNUSED o1, *UNUSED o2, *UNUSED o3, *UNUSED o4, *UNUSED o5, *UNUSED o6, "
          "*UNUSED o7;\n"
          "static MemoryRegionSection *UNUSED c0, *UNUSED c1, *UNUSED c2, *UNUSED c3, *UNUSED c4, *UNUSED c5, "
          "*UNUSED c6, *UNUSED c7;\n"
          "static MemoryRegionSection UNUSED found;\n"
          "static MemcoreStatistics UNUSED statistics;\n"
          "static FlatView *UNUSED reader;\n"
          "static char *UNUSED reader_saw;\n\n"
          "static const char *name_of(const MemoryRegion *mr)\n{\n", out);
    for (unsigned i = 0; i < TRACE_REGIONS; i++) {
        if (e->region_used[i]) {
            fprintf(out, "    if (mr == &r%u) {\n        return \"r%u\";\n    }\n", i, i);
        }
    }
    fputs("    return mr ? \"?\" : \"none\";\n}\n\n", out);
}

void emit_c(FILE *out, const struct trace *t, const struct run_options *run, const struct emit_options *options)
{
    struct run_options predict = *run;
    struct emitter *e = calloc(1, sizeof(*e));
    char *body = NULL;
    size_t size = 0;
    struct runner *runner;

    if (!e || !(e->body = open_memstream(&body, &size))) {
        abort();
    }
    e->options = options;
    e->count = t->count;
    emit_access_begin(&e->access, t);
    emit_block_begin(&e->block, t);
    predict.play = false;
    predict.on_step = on_step;
    predict.refused = is_refused;
    predict.opaque = e;
    runner = runner_new(&predict);
    e->runner = runner;
    runner_run(runner, t, NULL);
    runner_free(runner);
    fclose(e->body);

    fprintf(out, "/* SPDX-License-Identifier: GPL-2.0-or-later */\n/*\n * Written by memtrace emit-c from %s.\n",
            options->origin);
    if (options->failure) {
        fprintf(out, " * It failed with: %s\n", options->failure);
    }
    fputs(" *\n *   cc test.c $(pkg-config --cflags --libs memcore) && ./a.out\n */\n", out);
    fputs(prelude, out);
    if (t->groups & 1u << TRACE_GROUP_DIRTY || e->access.used) {
        fputs(emit_ram_prelude, out);
    }
    if (t->groups & 1u << TRACE_GROUP_DIRTY || e->block.used) {
        fputs(emit_dirty_prelude, out);
    }
    emit_access_prelude(out, &e->access);
    emit_block_prelude(out, &e->block);
    put_declarations(out, e);
    fputs("int main(void)\n{\n    memcore_init(MEMCORE_RECLAIM_MANUAL);\n    type_register_static(&owner_type);\n"
          "    memcore_set_coalesced_flush(on_flush, NULL);\n"
          "    for (int i = 0; i < 8; i++) {\n        event_notifier_init(&notifiers[i], 0);\n    }\n", out);
    emit_access_start(out, &e->access);
    emit_block_start(out, &e->block);
    fputs(body, out);
    fputs("\n    forget();\n", out);
    if (!e->cut) {
        fputs("    memcore_statistics(&statistics);\n"
              "    say(\"%zu views, %zu blocks, %zu spaces\\n\", statistics.flat_views, statistics.ram_blocks,\n"
              "        statistics.address_spaces);\n", out);
        emit_block_end(out, &e->block);
        fputs("    expect(\"everything was given back\", \"0 views, 0 blocks, 0 spaces\\n\");\n", out);
    }
    fputs("    printf(\"passed\\n\");\n    return 0;\n}\n", out);
    free(body);
    free(e);
}
