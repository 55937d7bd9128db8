/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static char *format_text(const char *format, va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0) {
        abort();
    }
    return text;
}

bool check_fail(struct run_failure *failure, const char *rule, const char *what, const char *core_format, ...)
{
    va_list arguments;

    snprintf(failure->rule, sizeof(failure->rule), "%s", rule);
    snprintf(failure->what, sizeof(failure->what), "%s", what);
    free(failure->core);
    va_start(arguments, core_format);
    failure->core = format_text(core_format, arguments);
    va_end(arguments);
    return false;
}

void check_model_says(struct run_failure *failure, const char *format, ...)
{
    va_list arguments;

    free(failure->model);
    va_start(arguments, format);
    failure->model = format_text(format, arguments);
    va_end(arguments);
}

/* --- results -------------------------------------------------------------------- */

static void print_section(const struct observed_section *s, char *text, size_t capacity)
{
    if (s->region == OBSERVED_NONE) {
        snprintf(text, capacity, "nothing (region none, size %#" PRIx64 ")", (uint64_t)s->size);
    } else {
        snprintf(text, capacity, "r%d offset %#" PRIx64 " size %s%#" PRIx64 " at %#" PRIx64 "%s%s", s->region,
                 s->offset, s->size >> 64 ? "2^64+" : "", (uint64_t)s->size, s->address,
                 s->readonly ? " readonly" : "", s->nonvolatile ? " nonvolatile" : "");
    }
}

static bool section_equal(const struct observed_section *x, const struct observed_section *y)
{
    return x->region == y->region && x->offset == y->offset && x->address == y->address && x->size == y->size &&
           x->readonly == y->readonly && x->nonvolatile == y->nonvolatile;
}

static bool check_section(const struct observation *expected, const struct observation *seen,
                          struct run_failure *failure)
{
    char core[160], model[160];

    if (section_equal(&expected->section, &seen->section) && expected->view_published == seen->view_published) {
        return true;
    }
    print_section(&seen->section, core, sizeof(core));
    print_section(&expected->section, model, sizeof(model));
    check_fail(failure, "R-FIND-2", "memory_region_find", "%s%s", core,
               seen->view_published ? "" : seen->section.region == OBSERVED_NONE ? "" : ", not in a published view");
    check_model_says(failure, "%s", model);
    return false;
}

struct fact {
    const char *name, *rule;
    uint64_t core, model;
};

static bool check_facts(const struct region_facts *model, const struct region_facts *core,
                        struct run_failure *failure)
{
#define FACT(field, rule) { #field, rule, (uint64_t)core->field, (uint64_t)model->field }
    const struct fact facts[] = {
        FACT(size, "R-REG-2"), FACT(is_ram, "R-REG-6"), FACT(is_rom, "R-REG-6"), FACT(is_romd, "R-REG-6"),
        FACT(is_ram_device, "R-REG-6"), FACT(is_nonvolatile, "R-REG-6"), FACT(is_protected, "R-REG-6"),
        FACT(is_iommu, "R-REG-6"), FACT(is_mapped, "R-TREE-12"), FACT(dirty_log_mask, "R-REG-7"),
        FACT(logging[0], "R-REG-7"), FACT(logging[1], "R-REG-7"), FACT(logging[2], "R-REG-7"),
        FACT(has_name, "R-OBJ-3"), FACT(has_ram_addr, "R-REG-6"), FACT(has_ram_ptr, "R-REG-6"),
        FACT(ram_ptr_offset, "R-REG-6"), FACT(from_host_region, "R-RAM-21"), FACT(from_host_offset, "R-RAM-21"),
        FACT(alignment, "R-REG-3"), FACT(fd, "R-REG-6"), FACT(owner, "R-OBJ-4"),
    };
#undef FACT
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        if (facts[i].core != facts[i].model) {
            check_fail(failure, facts[i].rule, facts[i].name, "%s = %#" PRIx64, facts[i].name, facts[i].core);
            check_model_says(failure, "%s = %#" PRIx64, facts[i].name, facts[i].model);
            return false;
        }
    }
    if (strcmp(core->name, model->name) != 0) {
        check_fail(failure, "R-OBJ-2", "memory_region_name", "'%s'", core->name);
        check_model_says(failure, "'%s'", model->name);
        return false;
    }
    return true;
}

static bool check_text(const char *rule, const char *what, const char *model, const char *core,
                       struct run_failure *failure)
{
    unsigned line = 1;
    size_t start = 0, i = 0;

    if (!strcmp(model, core)) {
        return true;
    }
    for (; model[i] == core[i]; i++) {
        if (model[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    check_fail(failure, rule, what, "line %u: %.*s", line, (int)strcspn(core + start, "\n"),
               core + start);
    check_model_says(failure, "line %u: %.*s", line, (int)strcspn(model + start, "\n"), model + start);
    return false;
}

static const char *dirty_rule(enum trace_op op)
{
    switch (op) {
    case TRACE_OP_DIRTY_ASK:
        return "R-DIRTY-3";
    case TRACE_OP_DIRTY_WRITTEN:
        return "R-DIRTY-11";
    case TRACE_OP_DIRTY_TAKE:
    case TRACE_OP_DIRTY_CLEAR:
    case TRACE_OP_DIRTY_RESET:
        return "R-DIRTY-8";
    case TRACE_OP_SNAPSHOT:
        return "R-SNAP-2";
    case TRACE_OP_LEBITMAP:
        return "R-LEB-1";
    case TRACE_OP_BMAP_SYNC:
        return "R-SYNC-1";
    case TRACE_OP_BMAP_SEND:
        return "R-CLR-3";
    default:
        return "R-DIRTY-7";
    }
}

static const char *block_rule(enum trace_op op)
{
    switch (op) {
    case TRACE_OP_RAM_FILE:
        return "R-FILE-2";
    case TRACE_OP_RESIZE:
        return "R-RES-3";
    case TRACE_OP_LOOKUP:
        return "R-RAM-21";
    case TRACE_OP_DISCARD_RANGE:
        return "R-DISC-4";
    case TRACE_OP_MANAGE:
    case TRACE_OP_UNMANAGE:
        return "R-BDM-1";
    case TRACE_OP_PLUG:
        return "R-BDM-2";
    case TRACE_OP_UNPLUG:
        return "R-BDM-3";
    case TRACE_OP_UNPLUG_ALL:
        return "R-BDM-4";
    case TRACE_OP_LOAD_BITS:
        return "R-BDM-5";
    case TRACE_OP_PARTS:
        return "R-RDM-8";
    case TRACE_OP_DISCARD_POLICY:
        return "R-DISC-1";
    default:
        return "R-RAM-16";
    }
}

/* Steps whose answer is a text; for regions, what only the player sees. */
static bool check_answer(const struct trace_step *step, const struct observation *expected,
                         const struct observation *seen, struct run_failure *failure)
{
    const enum trace_group group = trace_op_table[step->op].group;

    if (seen->violation && group < TRACE_GROUP_DEVICE) {
        check_fail(failure, "R-RAM-10", "a law", "%s", seen->violation);
        check_model_says(failure, "it holds");
        return false;
    }
    if (group == TRACE_GROUP_DIRTY) {
        return check_text(dirty_rule(step->op), "dirty pages", expected->text, seen->text, failure);
    }
    return (group != TRACE_GROUP_BLOCK && group != TRACE_GROUP_DISCARD) ||
           check_text(block_rule(step->op), trace_op_table[step->op].mnemonic, expected->text ? expected->text : "",
                      seen->text ? seen->text : "", failure);
}

bool check_observation(const struct trace_step *step, const struct observation *expected,
                       const struct observation *seen, struct run_failure *failure)
{
    switch (step->op) {
    case TRACE_OP_FIND:
    case TRACE_OP_COPY:
        if (!check_section(expected, seen, failure)) {
            return false;
        }
        if (step->op == TRACE_OP_COPY && seen->truth != (seen->section.region != OBSERVED_NONE)) {
            check_fail(failure, "R-SEC-3", "section copy", "the copy differs from its original");
            check_model_says(failure, "MemoryRegionSection_eq(copy, original)");
            return false;
        }
        break;
    case TRACE_OP_PRESENT:
    case TRACE_OP_READER_END:
        if (expected->truth != seen->truth) {
            check_fail(failure, step->op == TRACE_OP_PRESENT ? "R-FIND-6" : "I-15",
                       step->op == TRACE_OP_PRESENT ? "memory_region_present" : "a reader's view", "%s",
                       seen->truth ? "true" : "false");
            check_model_says(failure, "%s", expected->truth ? "true" : "false");
            return false;
        }
        break;
    case TRACE_OP_QUERY:
        if (!check_facts(&expected->facts, &seen->facts, failure)) {
            return false;
        }
        break;
    case TRACE_OP_MTREE:
        if (!check_text("R-MT-1", "mtree_info", expected->text ? expected->text : "", seen->text ? seen->text : "",
                        failure)) {
            return false;
        }
        break;
    default:
        if (!check_answer(step, expected, seen, failure)) {
            return false;
        }
        break;
    }
    return check_events(&expected->events, &seen->events, failure) &&
           (trace_op_table[step->op].group < TRACE_GROUP_DEVICE || check_access(step, expected, seen, failure));
}

/* --- hash ------------------------------------------------------------------------ */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t mix_section(uint64_t hash, const struct observed_section *s)
{
    hash = mix(hash, (uint64_t)s->region << 32 | (uint32_t)s->space);
    hash = mix(hash, s->offset);
    hash = mix(hash, s->address);
    hash = mix(hash, (uint64_t)s->size);
    return mix(hash, (uint64_t)(s->size >> 64) << 2 | (uint64_t)s->readonly << 1 | s->nonvolatile);
}

uint64_t check_hash(uint64_t hash, const struct observation *seen)
{
    hash = mix(hash, (uint64_t)seen->refused << 1 | seen->truth);
    hash = mix_section(hash, &seen->section);
    hash = mix(hash, seen->facts.size);
    hash = mix(hash, seen->facts.ram_ptr_offset);
    for (const char *c = seen->text; c && *c; c++) {
        hash = mix(hash, (unsigned char)*c);
    }
    for (size_t i = 0; i < seen->events.count; i++) {
        const struct event *e = &seen->events.events[i];

        hash = mix(hash, (uint64_t)e->kind << 32 | (uint32_t)e->listener);
        hash = mix_section(hash, &e->section);
        hash = mix(hash, (uint64_t)(unsigned)e->old_mask << 32 | (unsigned)e->new_mask);
        hash = mix(hash, e->data);
        hash = mix(hash, (uint64_t)(unsigned)e->notifier << 32 | (unsigned)e->number);
        hash = mix(hash, e->address);
        hash = mix(hash, e->length);
        hash = mix(hash, (uint64_t)(unsigned)e->region << 32 | e->size);
        hash = mix(hash, e->offset);
        hash = mix(hash, (uint64_t)e->attrs << 32 | e->result);
    }
    return check_access_hash(hash, seen);
}
