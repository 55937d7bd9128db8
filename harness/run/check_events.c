/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Callbacks: brought into the form that is compared, and compared. */
#include <stdlib.h>
#include <string.h>

#include "run/check.h"

/* --- what is not specified ------------------------------------------------------- */

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

/* Sorted, and pieces that follow each other become one. */
void check_merge_cleared(struct event_log *log)
{
    size_t kept = 0;

    if (log->count) {
        qsort(log->events, log->count, sizeof(*log->events), by_listener_and_address);
    }
    for (size_t i = 0; i < log->count; i++) {
        const struct event *now = &log->events[i];
        struct event *before = kept ? &log->events[kept - 1] : NULL;

        if (before && before->kind == EVENT_LOG_CLEAR && now->kind == EVENT_LOG_CLEAR &&
            before->listener == now->listener && before->section.region == now->section.region &&
            before->section.offset + (uint64_t)before->section.size == now->section.offset &&
            before->section.address + (uint64_t)before->section.size == now->section.address) {
            before->section.size += now->section.size;
        } else {
            log->events[kept++] = *now;
        }
    }
    log->count = kept;
}

/* --- differences ----------------------------------------------------------------- */

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
    case EVENT_CODE_WRITTEN:
        return "R-CODE-3";
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

bool check_events(const struct event_log *expected, const struct event_log *seen,
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
