/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An import as a trace: first all regions, then who is in whom, then the spaces.
 */
#include <stdlib.h>
#include <string.h>

#include "import/mtree.h"

struct emitter {
    const struct import *im;
    struct trace *trace;
    bool *wanted;               /* per region */
    bool *space_wanted;         /* per space */
    int *slot;                  /* per region */
    int *region;                /* per slot */
    size_t count, spaces;
};

/* --- which regions ---------------------------------------------------------------- */

/* Marks what `root` needs; returns how many regions that are not marked yet. */
static size_t mark(const struct import *im, int root, bool *marked)
{
    int *stack = import_calloc(im->region_count, sizeof(*stack));
    size_t depth = 0, count = 0;

    if (!marked[root]) {
        marked[root] = true;
        stack[depth++] = root;
    }
    while (depth) {
        const struct import_region *r = &im->regions[stack[--depth]];
        bool held = r->container != IMPORT_NONE && im->regions[r->container].line == 0;

        count++;
        for (size_t i = 0; i < r->child_count + 2; i++) {
            int next = i < r->child_count ? r->children[i] : i == r->child_count ? r->target :
                       held ? r->container : IMPORT_NONE;

            if (next != IMPORT_NONE && !marked[next]) {
                marked[next] = true;
                stack[depth++] = next;
            }
        }
    }
    free(stack);
    return count;
}

static bool is_chosen(const struct import *im, const struct import_space *s, enum import_choice choice,
                      const char *name)
{
    return choice != IMPORT_NAMED || strcmp(s->name, name) == 0 ||
           strcmp(import_shown_name(im->regions[s->root].name), name) == 0;
}

static bool refuse(struct import_error *error, unsigned line, const char *format, const char *name)
{
    *error = (struct import_error){ .line = line, .column = line ? 1 : 0 };
    snprintf(error->message, sizeof(error->message), format, name);
    return false;
}

static size_t count_needed(const struct import *im, int root)
{
    bool *marked = import_calloc(im->region_count, sizeof(*marked));
    size_t count = mark(im, root, marked);

    free(marked);
    return count;
}

/*
 * The next chosen space to be considered: first those that show most, and one
 * space of each root before a second one.  Machines have a space for every PCI
 * device, most of them empty; those would fill a trace.
 */
static size_t next_space(const struct import *im, const bool *chosen, const bool *done, const size_t *weight)
{
    size_t best = im->space_count;
    bool best_new = false;

    for (size_t i = 0; i < im->space_count; i++) {
        bool is_new = true;

        if (!chosen[i] || done[i]) {
            continue;
        }
        for (size_t k = 0; k < im->space_count && is_new; k++) {
            is_new = !(done[k] && im->spaces[k].root == im->spaces[i].root);
        }
        if (best == im->space_count || is_new > best_new ||
            (is_new == best_new && weight[i] > weight[best])) {
            best = i;
            best_new = is_new;
        }
    }
    return best;
}

static bool take_space(struct emitter *e, size_t space, bool must, struct import_error *error)
{
    const struct import *im = e->im;
    bool *marked = import_calloc(im->region_count, sizeof(*marked));
    size_t more;
    bool fits;

    memcpy(marked, e->wanted, im->region_count * sizeof(*marked));
    more = mark(im, im->spaces[space].root, marked);
    fits = e->count + more <= TRACE_REGIONS && e->spaces < TRACE_SPACES;
    if (fits) {
        memcpy(e->wanted, marked, im->region_count * sizeof(*marked));
        e->space_wanted[space] = true;
        e->count += more;
        e->spaces++;
    }
    free(marked);
    return fits || !must ||
           refuse(error, im->spaces[space].line,
                  "a trace holds 1024 regions and 8 address spaces: '%.120s' does not fit",
                  im->spaces[space].name);
}

static bool choose(struct emitter *e, enum import_choice choice, const char *name, struct import_error *error)
{
    const struct import *im = e->im;
    bool *chosen = import_calloc(im->space_count, sizeof(*chosen));
    bool *done = import_calloc(im->space_count, sizeof(*done));
    size_t *weight = import_calloc(im->space_count, sizeof(*weight));
    size_t count = 0, next;
    bool good = true;

    for (size_t i = 0; i < im->space_count; i++) {
        chosen[i] = is_chosen(im, &im->spaces[i], choice, name);
        count += chosen[i];
        /* Texts of people have a dozen spaces; of thousands, any will do. */
        weight[i] = chosen[i] && count <= 100 ? count_needed(im, im->spaces[i].root) : 0;
    }
    for (size_t i = 0; i < count && i < 100 && good; i++) {
        next = next_space(im, chosen, done, weight);
        done[next] = true;
        good = take_space(e, next, choice != IMPORT_AS_FITS, error);
    }
    free(chosen);
    free(done);
    free(weight);
    if (good && !count) {
        return refuse(error, 0, "there is no address space, and no root region, named '%.120s'", name);
    }
    if (good && !e->spaces) {
        return refuse(error, 0, "a trace holds 1024 regions: no address space of this text fits%s", "");
    }
    return good;
}

/* --- steps ------------------------------------------------------------------------- */

static struct trace_value number(uint64_t value)
{
    return (struct trace_value){ .mode = TRACE_VALUE_ABSOLUTE, .absolute = value };
}

static void flag(struct emitter *e, enum trace_op op, int slot, bool on)
{
    struct trace_step step = { .op = (uint8_t)op, .a = (uint16_t)slot, .n = on };

    trace_append(e->trace, &step);
}

static uint64_t least(uint64_t x, uint64_t y)
{
    return x < y ? x : y;
}

/* Words of operand.def, by their index. */
enum { NAMED_PLAIN = 0, NAMED_NOT = 3, PTR_RAM = 0, PTR_DEVICE = 1 };

static void emit_init(struct emitter *e, const struct import_region *r, int slot)
{
    int naming = r->name ? NAMED_PLAIN : NAMED_NOT;
    struct trace_step step = { .a = (uint16_t)slot, .b = TRACE_OWNERS, .v = number(r->size) };

    if (r->target != IMPORT_NONE) {
        step = (struct trace_step){
            .op = TRACE_OP_ALIAS, .a = (uint16_t)slot, .b = (uint16_t)e->slot[r->target], .c = TRACE_OWNERS,
            .n = naming, .v = number(r->alias_offset), .w = number(r->size),
        };
    } else if (r->kind == IMPORT_IO) {
        step.op = r->terminating ? TRACE_OP_IO : TRACE_OP_CONTAINER;
        step.c = (uint16_t)naming;
    } else if (r->kind == IMPORT_ROM_DEVICE) {
        step.op = TRACE_OP_ROM_DEVICE;
        step.v.absolute = least(r->size, TRACE_RAM_SIZE_MAX);
    } else {
        step.op = TRACE_OP_RAM_PTR;
        step.n = r->kind == IMPORT_RAM_DEVICE ? PTR_DEVICE : PTR_RAM;
        step.v.absolute = least(r->size, TRACE_PTR_SIZE_MAX);
    }
    trace_append(e->trace, &step);
    if (r->target == IMPORT_NONE && step.v.absolute != r->size) {
        /* Larger than a trace may allocate: the region grows, its memory does not (R-TREE-9). */
        step = (struct trace_step){ .op = TRACE_OP_SIZE, .a = (uint16_t)slot, .v = number(r->size) };
        trace_append(e->trace, &step);
    }
}

static void emit_region(struct emitter *e, const struct import_region *r, int slot)
{
    emit_init(e, r, slot);
    if (r->readonly) {
        flag(e, TRACE_OP_READONLY, slot, true);
    }
    if (r->nonvolatile) {
        flag(e, TRACE_OP_NONVOLATILE, slot, true);
    }
    if (!r->enabled) {
        flag(e, TRACE_OP_ENABLED, slot, false);
    }
    if (r->address && (r->container == IMPORT_NONE || !e->wanted[r->container])) {
        struct trace_step step = { .op = TRACE_OP_ADDRESS, .a = (uint16_t)slot, .v = number(r->address) };

        trace_append(e->trace, &step);
    }
}

/* The last one added is the first among equals (R-TREE-2): from the back to the front. */
static void emit_children(struct emitter *e, const struct import_region *r, int slot)
{
    for (size_t i = r->child_count; i-- > 0;) {
        const struct import_region *child = &e->im->regions[r->children[i]];
        struct trace_step step = {
            .op = TRACE_OP_ADD, .a = (uint16_t)slot, .b = (uint16_t)e->slot[r->children[i]],
            .n = child->priority, .v = number(child->address),
        };

        trace_append(e->trace, &step);
    }
}

static void emit_all(struct emitter *e)
{
    const struct import *im = e->im;
    size_t slots = 0, spaces = 0;

    for (size_t i = 0; i < im->region_count; i++) {
        e->slot[i] = IMPORT_NONE;
        if (e->wanted[i]) {
            e->region[slots] = (int)i;
            e->slot[i] = (int)slots++;
        }
    }
    for (size_t slot = 0; slot < slots; slot++) {
        emit_region(e, &im->regions[e->region[slot]], (int)slot);
    }
    for (size_t slot = 0; slot < slots; slot++) {
        emit_children(e, &im->regions[e->region[slot]], (int)slot);
    }
    for (size_t i = 0; i < im->space_count; i++) {
        if (e->space_wanted[i]) {
            struct trace_step step = {
                .op = TRACE_OP_SPACE, .a = (uint16_t)spaces++,
                .b = (uint16_t)e->slot[im->spaces[i].root], .n = 1,
            };

            trace_append(e->trace, &step);
        }
    }
    for (size_t i = 0; i < e->trace->count; i++) {
        trace_step_canonicalize(&e->trace->steps[i]);
    }
}

static bool emit(struct emitter *e, enum import_choice choice, const char *name, struct import_error *error)
{
    const struct import *im = e->im;

    e->wanted = import_calloc(im->region_count, sizeof(*e->wanted));
    e->space_wanted = import_calloc(im->space_count, sizeof(*e->space_wanted));
    e->slot = import_calloc(im->region_count, sizeof(*e->slot));
    e->region = import_calloc(im->region_count, sizeof(*e->region));
    if (!choose(e, choice, name, error)) {
        return false;
    }
    emit_all(e);
    /* At most six steps a region, so 1024 regions fit. */
    return e->trace->count <= TRACE_STEPS_MAX ||
           refuse(error, 0, "a trace holds 8192 steps: this text needs more%s", "");
}

static void release(struct emitter *e)
{
    free(e->wanted);
    free(e->space_wanted);
    free(e->slot);
    free(e->region);
}

bool import_trace(const struct import *im, enum import_choice choice, const char *name, struct trace *trace,
                  int **regions, size_t *region_count, struct import_error *error)
{
    struct emitter e = { .im = im, .trace = trace };
    bool good = emit(&e, choice, name, error);

    if (good) {
        *regions = e.region;
        *region_count = e.count;
        e.region = NULL;
    }
    release(&e);
    return good;
}

/* --- text ---------------------------------------------------------------------------- */

static void print_head(const struct emitter *e, const char *source, FILE *out)
{
    const struct import *im = e->im;

    fprintf(out, "# %s, by memtrace import\n", source);
    for (size_t i = 0; i < im->space_count; i++) {
        if (!e->space_wanted[i]) {
            fprintf(out, "# left out: address space \"%s\" (line %u)\n", im->spaces[i].name,
                    im->spaces[i].line);
        }
    }
    if (im->note_count) {
        fputs("#\n# Inferred, because the text does not tell:\n", out);
    }
    for (size_t i = 0; i < im->note_count; i++) {
        if (im->notes[i].line) {
            fprintf(out, "#   line %u: %s\n", im->notes[i].line, im->notes[i].text);
        } else {
            fprintf(out, "#   %s\n", im->notes[i].text);
        }
    }
    if (im->notes_left_out) {
        fprintf(out, "#   and %zu more\n", im->notes_left_out);
    }
    fputs("\n", out);
}

/* The step that makes a region or space says what QEMU calls it. */
static const char *made_by(const struct emitter *e, const struct trace_step *step, size_t *space)
{
    switch (step->op) {
    case TRACE_OP_CONTAINER:
    case TRACE_OP_IO:
    case TRACE_OP_ALIAS:
    case TRACE_OP_RAM_PTR:
    case TRACE_OP_ROM_DEVICE:
        return import_shown_name(e->im->regions[e->region[step->a]].name);
    case TRACE_OP_SPACE:
        while (!e->space_wanted[*space]) {
            ++*space;
        }
        return e->im->spaces[(*space)++].name;
    default:
        return NULL;
    }
}

bool import_print(const struct import *im, enum import_choice choice, const char *name, const char *source,
                  FILE *out, struct import_error *error)
{
    struct trace trace;
    struct emitter e = { .im = im, .trace = &trace };
    size_t space = 0;
    bool good;

    trace_init(&trace);
    good = emit(&e, choice, name, error);
    if (good) {
        print_head(&e, source, out);
    }
    for (size_t i = 0; i < trace.count && good; i++) {
        const char *made = made_by(&e, &trace.steps[i], &space);
        char line[256];

        trace_print_step(&trace.steps[i], line, sizeof(line));
        if (made) {
            fprintf(out, "%-64s # %s\n", line, made);
        } else {
            fprintf(out, "%s\n", line);
        }
    }
    trace_free(&trace);
    release(&e);
    return good;
}
