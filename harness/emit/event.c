/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Callbacks, as the programs say them. */
#include <inttypes.h>

#include "emit/parts.h"

const char *const emit_callback_names[EVENT_LISTENER_KINDS] = {
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

void emit_event(FILE *out, const struct event *e)
{
    if (emit_access_event(out, e) || emit_block_event(out, e)) {
        return;
    }
    if (e->kind == EVENT_COALESCED_FLUSH) {
        fputs("coalesced writes are flushed\n", out);
        return;
    }
    if (e->kind == EVENT_CODE_WRITTEN) {
        fprintf(out, "code of r%d is written: 0x%" PRIx64 " size 0x%" PRIx64 "\n", e->region, e->offset, e->length);
        return;
    }
    if (e->kind == EVENT_OWNER_FINALIZED) {
        fprintf(out, "o%d dies\n", e->number);
        return;
    }
    put_listener_name(out, (unsigned)e->listener);
    fprintf(out, " %s", emit_callback_names[e->kind]);
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
