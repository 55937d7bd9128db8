/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/check.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "run/subject.h"

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

static bool is_device_call(enum event_kind kind)
{
    return kind == EVENT_DEVICE_READ || kind == EVENT_DEVICE_WRITE || kind == EVENT_DEVICE_ACCEPTS ||
           kind == EVENT_NESTED;
}

void check_normalize(struct event_log *log)
{
    bool flushed = false;
    size_t kept = 0;

    for (size_t i = 0; i < log->count; i++) {
        if (log->events[i].kind == EVENT_COALESCED_FLUSH) {
            flushed |= kept == 0;
            if (kept && i + 1 < log->count && is_device_call(log->events[i + 1].kind)) {
                log->events[kept++] = log->events[i];
            }
            continue;
        }
        log->events[kept++] = log->events[i];
    }
    log->count = kept;
    for (size_t i = 1; i < log->count; i++) {       /* insertion sort: a handful at most */
        for (size_t k = i; k > 0 && log->events[k].kind == EVENT_OWNER_FINALIZED &&
                           log->events[k - 1].kind == EVENT_OWNER_FINALIZED &&
                           log->events[k - 1].number > log->events[k].number; k--) {
            struct event e = log->events[k];

            log->events[k] = log->events[k - 1];
            log->events[k - 1] = e;
        }
    }
    if (flushed) {
        struct event flush;

        event_init(&flush, EVENT_COALESCED_FLUSH);
        event_log_append(log, &flush);
        memmove(log->events + 1, log->events, (log->count - 1) * sizeof(*log->events));
        log->events[0] = flush;
    }
}

static bool is_death(const struct event *e)
{
    return e->kind == EVENT_BLOCK_REMOVED || e->kind == EVENT_OWNER_FINALIZED;
}

static bool dies_before(const struct event *x, const struct event *y)
{
    if (x->kind != y->kind) {
        return x->kind == EVENT_BLOCK_REMOVED;
    }
    if (x->kind == EVENT_OWNER_FINALIZED) {
        return x->number < y->number;
    }
    return x->region != y->region ? x->region < y->region : x->length < y->length;
}

void check_sort_deaths(struct event_log *log)
{
    for (size_t i = 1; i < log->count; i++) {
        for (size_t k = i; k > 0 && is_death(&log->events[k]) && is_death(&log->events[k - 1]) &&
                           dies_before(&log->events[k], &log->events[k - 1]); k--) {
            struct event e = log->events[k];

            log->events[k] = log->events[k - 1];
            log->events[k - 1] = e;
        }
    }
}

/* --- callbacks ----------------------------------------------------------------- */

/* The rule that a difference in this callback most likely breaks. */
static const char *event_rule(const struct event *e)
{
    switch (e->kind) {
    case EVENT_BEGIN:
    case EVENT_COMMIT:
        return "R-TX-2";
    case EVENT_REGION_ADD:
    case EVENT_REGION_DEL:
    case EVENT_REGION_NOP:
        return "R-LST-8";
    case EVENT_LOG_START:
    case EVENT_LOG_STOP:
        return "R-LST-10";
    case EVENT_LOG_SYNC:
    case EVENT_LOG_SYNC_GLOBAL:
    case EVENT_LOG_GLOBAL_AFTER_SYNC:
        return "R-LOG-4";
    case EVENT_LOG_CLEAR:
        return "R-LOG-5";
    case EVENT_LOG_GLOBAL_START:
        return "R-LOG-1";
    case EVENT_LOG_GLOBAL_STOP:
        return "R-LOG-2";
    case EVENT_EVENTFD_ADD:
    case EVENT_EVENTFD_DEL:
        return "R-EFD-4";
    case EVENT_COALESCED_ADD:
    case EVENT_COALESCED_DEL:
        return "R-COAL-4";
    case EVENT_COALESCED_FLUSH:
        return "R-COAL-3";
    case EVENT_OWNER_FINALIZED:
        return "R-OBJ-6";
    case EVENT_DEVICE_READ:
    case EVENT_DEVICE_WRITE:
        return "R-DSP-6";
    case EVENT_DEVICE_ACCEPTS:
        return "R-DSP-4";
    case EVENT_NESTED:
        return "R-LCK-4";
    case EVENT_EVENTFD_SIGNAL:
        return "R-EVM-1";
    case EVENT_MAP_CLIENT:
        return "R-MAP-11";
    case EVENT_IOMMU_FLAGS:
        return "R-IOM-4";
    case EVENT_IOMMU_NOTIFIED:
        return "R-IOM-9";
    case EVENT_BLOCK_ADDED:
    case EVENT_BLOCK_REMOVED:
        return "R-NOTI-3";
    case EVENT_BLOCK_RESIZED:
    case EVENT_BLOCK_CALLBACK:
        return "R-RES-4";
    case EVENT_POPULATE:
        return "R-RDM-11";
    case EVENT_DISCARD:
        return "R-BDM-3";
    case EVENT_KINDS:
        break;
    }
    return "R-LST-2";
}

enum { SHOWN_BEFORE = 3, SHOWN_AFTER = 6 };

static char *print_events(const struct event_log *log, size_t first_difference)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    size_t from = first_difference > SHOWN_BEFORE ? first_difference - SHOWN_BEFORE : 0;

    if (!out) {
        abort();
    }
    if (from) {
        fprintf(out, "    ... %zu callbacks as expected\n", from);
    }
    for (size_t i = from; i < log->count && i < first_difference + SHOWN_AFTER; i++) {
        char line[256];

        event_print(&log->events[i], line, sizeof(line));
        fprintf(out, "%s %s\n", i == first_difference ? "  >" : "   ", line);
    }
    if (first_difference >= log->count) {
        fprintf(out, "  > nothing more\n");
    } else if (log->count > first_difference + SHOWN_AFTER) {
        fprintf(out, "    ... %zu more\n", log->count - first_difference - SHOWN_AFTER);
    }
    fclose(out);
    return text;
}

static bool check_events(const struct event_log *expected, const struct event_log *seen,
                         struct run_failure *failure)
{
    const struct event *at;
    size_t i = 0;

    while (i < expected->count && i < seen->count && event_equal(&expected->events[i], &seen->events[i])) {
        i++;
    }
    if (i == expected->count && i == seen->count) {
        return true;
    }
    at = i < expected->count ? &expected->events[i] : &seen->events[i];
    check_fail(failure, event_rule(at), "callbacks", "%s", "");
    free(failure->core);
    free(failure->model);
    failure->core = print_events(seen, i);
    failure->model = print_events(expected, i);
    return false;
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

static int by_listener_and_address(const void *left, const void *right)
{
    const struct event *x = left, *y = right;

    if (x->listener != y->listener) {
        return x->listener < y->listener ? -1 : 1;
    }
    if (x->section.address != y->section.address) {
        return x->section.address < y->section.address ? -1 : 1;
    }
    return x->section.offset == y->section.offset ? 0 : x->section.offset < y->section.offset ? -1 : 1;
}

/*
 * R-SYNC-3: telling page by page that a range was cleared, and telling it in one
 * go, are both right.  Sorted, and pieces that follow each other become one.
 */
void check_merge_cleared(struct event_log *log)
{
    size_t kept = 0;

    if (log->count) {
        qsort(log->events, log->count, sizeof(*log->events), by_listener_and_address);
    }
    for (size_t i = 0; i < log->count; i++) {
        const struct event *now = &log->events[i];
        struct event *before = kept ? &log->events[kept - 1] : NULL;

        if (before && before->kind == EVENT_LOG_CLEAR && now->kind == EVENT_LOG_CLEAR && before->listener == now->listener &&
            before->section.region == now->section.region &&
            before->section.offset + (uint64_t)before->section.size == now->section.offset &&
            before->section.address + (uint64_t)before->section.size == now->section.address) {
            before->section.size += now->section.size;
        } else {
            log->events[kept++] = *now;
        }
    }
    log->count = kept;
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
        if (!check_text("R-MT-1", "mtree_info", expected->text ? expected->text : "", seen->text ? seen->text : "", failure)) {
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

/* --- views ---------------------------------------------------------------------- */

static char *print_view(const struct view *view, size_t first_difference, bool flags)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out) {
        abort();
    }
    for (size_t i = 0; i < view->count; i++) {
        struct view_range range = view->ranges[i];
        char line[200];

        if (!flags) {   /* the public walk does not show them: leave them out on both sides */
            range.readonly = range.nonvolatile = range.romd = false;
            range.dirty_log_mask = 0;
        }
        view_range_print(&range, line, sizeof(line));
        fprintf(out, "%s %s\n", i == first_difference ? "  >" : "   ", line);
    }
    if (first_difference >= view->count) {
        fprintf(out, "  > nothing more\n");
    }
    fclose(out);
    return text;
}

static bool same_range(const struct view_range *x, const struct view_range *y)
{
    return x->address == y->address && x->size == y->size && x->region == y->region && x->offset == y->offset;
}

static bool check_view(struct player *p, const struct model *m, unsigned space, struct view *scratch,
                       struct run_failure *failure)
{
    const struct view *model = model_view(m, space);
    char what[32];
    size_t i = 0;

    player_view(p, space, scratch);
    while (i < model->count && i < scratch->count && same_range(&model->ranges[i], &scratch->ranges[i])) {
        i++;
    }
    if (i == model->count && i == scratch->count) {
        return true;
    }
    snprintf(what, sizeof(what), "view of as%u", space);
    check_fail(failure, "R-FV-1", what, "%s", "");
    free(failure->core);
    free(failure->model);
    failure->core = print_view(scratch, i, false);
    failure->model = print_view(model, i, false);
    return false;
}

bool check_views(struct player *p, const struct model *m, struct view *scratch, struct run_failure *failure)
{
    const uint16_t *spaces;
    size_t count = model_spaces(m, &spaces);

    for (size_t i = 0; i < count; i++) {
        const void *object = player_view_identity(p, spaces[i]);

        if (!check_view(p, m, spaces[i], scratch, failure)) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            bool core = object == player_view_identity(p, spaces[k]);
            bool model = model_view(m, spaces[i])->identity == model_view(m, spaces[k])->identity;

            if (core != model) {
                check_fail(failure, "R-FV-11", "sharing of views", "as%u and as%u have %s", spaces[k], spaces[i],
                           core ? "the same FlatView" : "FlatViews of their own");
                check_model_says(failure, "%s", model ? "the same FlatView" : "FlatViews of their own");
                return false;
            }
        }
    }
    return true;
}

/* --- references ----------------------------------------------------------------- */

bool check_references(struct player *p, const struct model *m, struct run_failure *failure)
{
    const uint16_t *owners;
    size_t count = model_owners(m, &owners);
    size_t views = subject_live_views();

    for (size_t i = 0; i < count; i++) {
        unsigned core = player_owner_references(p, owners[i]);
        unsigned model = model_owner_references(m, owners[i]);

        /* R-OBJ-6: another implementation may hold further references in its dispatch structures. */
        if (model_profile(m) == MODEL_PROFILE_MEMCORE ? core != model : core < model) {
            char what[32];

            snprintf(what, sizeof(what), "references of o%u", owners[i]);
            check_fail(failure, "R-OBJ-6", what, "%u", core);
            check_model_says(failure, "%u", model);
            return false;
        }
    }
    if (views != SIZE_MAX && views != model_live_views(m)) {
        check_fail(failure, "R-TX-6", "live flat views", "%zu", views);
        check_model_says(failure, "%zu", model_live_views(m));
        return false;
    }
    return true;
}

unsigned check_open_files(void)
{
    enum { LOOKED_AT = 128 };
    struct pollfd each[LOOKED_AT];
    unsigned count = 0;

    for (int fd = 0; fd < LOOKED_AT; fd++) {
        each[fd] = (struct pollfd){ .fd = fd };
    }
    if (poll(each, LOOKED_AT, 0) < 0) {     /* one call for all: POLLNVAL is said of what is not open */
        perror("harness: cannot count open files");
        abort();
    }
    for (int fd = 0; fd < LOOKED_AT; fd++) {
        count += !(each[fd].revents & POLLNVAL);
    }
    return count;
}

bool check_empty(unsigned open_files, struct run_failure *failure)
{
    const unsigned open_now = open_files ? check_open_files() : 0;
    const char *what = NULL;
    size_t left = 0;

    if (open_now > open_files) {
        what = "files (R-FILE-5)";
        left = open_now - open_files;
    } else if (subject_deferred()) {
        what = "deferred work";
        left = subject_deferred();
    } else if (subject_live_views() != SIZE_MAX && subject_live_views()) {
        what = "flat views";
        left = subject_live_views();
    } else if (subject_live_blocks() != SIZE_MAX && subject_live_blocks()) {
        what = "RAM blocks";
        left = subject_live_blocks();
    }
    if (!what) {
        return true;
    }
    check_fail(failure, "I-16", "left over at the end", "%zu %s", left, what);
    check_model_says(failure, "everything was given back");
    return false;
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
