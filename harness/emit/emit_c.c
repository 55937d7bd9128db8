/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "emit/emit_c.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit/dirty.h"
#include "emit/parts.h"
#include "model/block.h"
#include "run/check.h"

static const char prelude[] =
#include "prelude.inc"
    ;

static const char code_prelude[] =
#include "code.inc"
    ;

/* --- comparisons --------------------------------------------------------------------- */

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
        emit_event(out, &log.events[i]);
    }
    event_log_free(&log);
    fclose(out);
    snprintf(what, sizeof(what), "callbacks of step %zu", index + 1);
    emit_expect(e->body, what, text);
}

static void expect_view(struct emitter *e, unsigned space)
{
    const struct view *view = model_view(runner_model(e->runner), space);
    char *text = NULL, what[32];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; i < view->count; i++) {
        fprintf(out, "0x%" PRIx64, view->ranges[i].address);
        emit_size(out, view->ranges[i].size);
        emit_place(out, view->ranges[i].region, view->ranges[i].offset);
        fputc('\n', out);
    }
    fclose(out);
    snprintf(what, sizeof(what), "view of as%u", space);
    fprintf(e->body, "    say_view(&as%u);\n", space);
    emit_expect(e->body, what, text);
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
        emit_expect(e->body, "references of an owner", text);
    }
    fprintf(e->body, "    memcore_statistics(&statistics);\n    say(\"%%zu\\n\", statistics.flat_views);\n");
    {
        char *text = NULL;

        if (asprintf(&text, "%zu\n", model_live_views(m)) < 0) {
            abort();
        }
        emit_expect(e->body, "live flat views", text);
    }
}

/* --- steps ----------------------------------------------------------------------------- */

/* Initialisers that belong to groups of their own. */
static bool makes_region(enum trace_op op)
{
    return op == TRACE_OP_DEVICE || op == TRACE_OP_IOMMU || op == TRACE_OP_RAM_FILE;
}

static void put_unfailing(struct emitter *e, const struct trace_step *s, bool check, const struct observation *expected)
{
    switch (makes_region((enum trace_op)s->op) ? TRACE_GROUP_MEMORY : trace_op_table[s->op].group) {
    case TRACE_GROUP_TREE:
    case TRACE_GROUP_MEMORY:
    case TRACE_GROUP_LIFETIME:
        emit_region_call(e, s, check, expected);
        break;
    case TRACE_GROUP_SPACES:
    case TRACE_GROUP_TRANSACTION:
    case TRACE_GROUP_LISTENER:
    case TRACE_GROUP_LOGGING:
    case TRACE_GROUP_EVENTFD:
    case TRACE_GROUP_COALESCE:
        emit_space_call(e, s);
        break;
    case TRACE_GROUP_QUERY:
    case TRACE_GROUP_RECLAIM:
    case TRACE_GROUP_PRINT:
        emit_query_call(e, s, check, expected);
        break;
    case TRACE_GROUP_DIRTY:
        emit_dirty_call(e->body, runner_model(e->runner), s);
        break;
    case TRACE_GROUP_DEVICE:
    case TRACE_GROUP_ACCESS:
    case TRACE_GROUP_MAP:
    case TRACE_GROUP_CACHE:
    case TRACE_GROUP_IOMMU:
        emit_access_call(e->body, &e->access, runner_model(e->runner), s);
        break;
    case TRACE_GROUP_BLOCK:
    case TRACE_GROUP_DISCARD:
    case TRACE_GROUP_FAULT:
        emit_block_call(e->body, &e->block, s);
        break;
    case TRACE_GROUP_COUNT:
        abort();
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
        emit_expect(e->body, "RAM", text);
    }
}

/* What the step answers, beside callbacks; then the rest, if the step could have changed it. */
static void expect_answer(struct emitter *e, const struct trace_step *s, bool failing,
                          const struct observation *expected)
{
    const enum trace_group group = trace_op_table[s->op].group;

    if (group == TRACE_GROUP_DIRTY) {
        emit_dirty_answer(e->body, runner_model(e->runner), s);
        emit_expect(e->body, "dirty pages", strdup(expected->text ? expected->text : ""));
    }
    if (group >= TRACE_GROUP_BLOCK) {
        emit_block_answer(e->body, runner_model(e->runner), s, expected);
        emit_expect(e->body, "what it answers", strdup(expected->text ? expected->text : ""));
    }
    if (group >= TRACE_GROUP_DEVICE) {
        char *text = emit_access_answer(e->body, runner_model(e->runner), s, expected);

        if (text) {
            emit_expect(e->body, "what it answers, and RAM", text);
        }
        if (!failing && group < TRACE_GROUP_BLOCK && !expected->events.count && group != TRACE_GROUP_MAP &&
            s->op != TRACE_OP_CACHE && s->op != TRACE_OP_CACHE_DESTROY) {
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
    if (check || resolved->op == TRACE_OP_QUERY) {      /* whose answer is always looked at */
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

/*
 * Pages can be clean for whoever tracks code, or they are tracked: either way the hook is listened to.  After accesses
 * the look at the ends of ranges cleans pages (run/look.h).
 */
static bool watches_code(const struct emitter *e, const struct trace *t)
{
    bool watches = e->access.used || t->groups & 1u << TRACE_GROUP_DIRTY;

    for (size_t i = 0; i < t->count; i++) {
        watches |= t->steps[i].op == TRACE_OP_CODE_TRACKING;
    }
    return watches;
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
    if (watches_code(e, t)) {
        fputs(emit_ram_prelude, out);
    }
    if (watches_code(e, t) || e->block.used) {
        fputs(emit_dirty_prelude, out);
    }
    fputs(watches_code(e, t) ? code_prelude : "", out);
    emit_access_prelude(out, &e->access);
    emit_block_prelude(out, &e->block);
    put_declarations(out, e);
    fputs("int main(void)\n{\n    memcore_init(MEMCORE_RECLAIM_MANUAL);\n    type_register_static(&owner_type);\n"
          "    memcore_set_coalesced_flush(on_flush, NULL);\n", out);
    fputs(watches_code(e, t) ? "    memcore_set_code_invalidate(on_code_written, NULL);\n" : "", out);
    fputs("    for (int i = 0; i < 8; i++) {\n        event_notifier_init(&notifiers[i], 0);\n    }\n", out);
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
