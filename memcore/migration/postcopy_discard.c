/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source tells which pages are to be forgotten (R-PC-41). */
#include <glib.h>

#include "exec/cpu-common.h"
#include "migration/postcopy-ram.h"
#include "migration/postcopy_incoming.h"
#include "migration/postcopy_wire.h"

struct PostcopyDiscardState {
    char *name;
    uint64_t offset;
    size_t count;
    WireRange ranges[WIRE_DISCARD_RANGES];
};

static void send_queued(MigrationState *ms, PostcopyDiscardState *pds)
{
    GByteArray *bytes = g_byte_array_new();
    int result;

    wire_discard(bytes, pds->name, pds->ranges, pds->count);
    result = ms->transport.send(ms->transport.opaque, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    if (result < 0) {
        Error *error = NULL;

        error_setg_errno(&error, -result, "block \"%s\": a discard command cannot be sent", pds->name);
        postcopy_source_fail(ms, error);
    }
    postcopy_count(ms->counters.discard_commands, 1);
    postcopy_count(ms->counters.discard_ranges, pds->count);
    pds->count = 0;
}

PostcopyDiscardState *postcopy_discard_send_init(MigrationState *ms, unsigned long offset, const char *name)
{
    PostcopyDiscardState *pds;

    if (!name || !name[0] || strlen(name) > 255) {
        ms->discard_error = true;
        return NULL;
    }
    pds = g_new0(PostcopyDiscardState, 1);
    pds->name = g_strdup(name);
    pds->offset = offset;
    return pds;
}

void postcopy_discard_send_range(MigrationState *ms, PostcopyDiscardState *pds, unsigned long start,
                                 unsigned long length)
{
    const uint64_t most = UINT64_MAX >> TARGET_PAGE_BITS;
    uint64_t end;

    if (!pds || start < pds->offset || length == 0 || start - pds->offset > most ||
        __builtin_add_overflow(start - pds->offset, length, &end) || end > most) {
        ms->discard_error = true;
        return;
    }
    pds->ranges[pds->count++] = (WireRange){
        .start = (start - pds->offset) << TARGET_PAGE_BITS,
        .length = (uint64_t)length << TARGET_PAGE_BITS,
    };
    if (pds->count == WIRE_DISCARD_RANGES) {
        send_queued(ms, pds);
    }
}

void postcopy_discard_send_finish(MigrationState *ms, PostcopyDiscardState *pds)
{
    if (!pds) {
        ms->discard_error = true;
        return;
    }
    if (pds->count > 0) {
        send_queued(ms, pds);
    }
    g_free(pds->name);
    g_free(pds);
}
