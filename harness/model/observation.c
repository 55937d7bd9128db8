/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Life, equality and text form of observations. */
#include "model/observation.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/access.h"
#include "trace/trace.h"

const char *const event_kind_names[EVENT_KINDS] = {
    [EVENT_BEGIN] = "begin",
    [EVENT_COMMIT] = "commit",
    [EVENT_REGION_ADD] = "region_add",
    [EVENT_REGION_DEL] = "region_del",
    [EVENT_REGION_NOP] = "region_nop",
    [EVENT_LOG_START] = "log_start",
    [EVENT_LOG_STOP] = "log_stop",
    [EVENT_LOG_SYNC] = "log_sync",
    [EVENT_LOG_SYNC_GLOBAL] = "log_sync_global",
    [EVENT_LOG_CLEAR] = "log_clear",
    [EVENT_LOG_GLOBAL_START] = "log_global_start",
    [EVENT_LOG_GLOBAL_STOP] = "log_global_stop",
    [EVENT_LOG_GLOBAL_AFTER_SYNC] = "log_global_after_sync",
    [EVENT_EVENTFD_ADD] = "eventfd_add",
    [EVENT_EVENTFD_DEL] = "eventfd_del",
    [EVENT_COALESCED_ADD] = "coalesced_io_add",
    [EVENT_COALESCED_DEL] = "coalesced_io_del",
    [EVENT_COALESCED_FLUSH] = "coalesced_flush",
    [EVENT_OWNER_FINALIZED] = "owner_finalized",
    [EVENT_DEVICE_READ] = "device_read",
    [EVENT_DEVICE_WRITE] = "device_write",
    [EVENT_DEVICE_ACCEPTS] = "device_accepts",
    [EVENT_NESTED] = "nested_access",
    [EVENT_EVENTFD_SIGNAL] = "eventfd_signal",
    [EVENT_MAP_CLIENT] = "map_client",
    [EVENT_IOMMU_FLAGS] = "iommu_flags",
    [EVENT_IOMMU_NOTIFIED] = "iommu_notified",
    [EVENT_BLOCK_ADDED] = "ram_block_added",
    [EVENT_BLOCK_REMOVED] = "ram_block_removed",
    [EVENT_BLOCK_RESIZED] = "ram_block_resized",
    [EVENT_BLOCK_CALLBACK] = "resized",
    [EVENT_POPULATE] = "notify_populate",
    [EVENT_DISCARD] = "notify_discard",
    [EVENT_CODE_WRITTEN] = "code_written",
};

static const struct observed_section no_section = { .region = OBSERVED_NONE, .space = OBSERVED_NONE };

void event_init(struct event *e, enum event_kind kind)
{
    *e = (struct event) {
        .kind = kind,
        .listener = OBSERVED_NONE,
        .section = no_section,
        .notifier = OBSERVED_NONE,
        .region = OBSERVED_NONE,
    };
}

void event_log_append(struct event_log *log, const struct event *e)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 64;
        log->events = realloc(log->events, log->capacity * sizeof(log->events[0]));
        if (!log->events) {
            abort();
        }
    }
    log->events[log->count++] = *e;
}

void event_log_clear(struct event_log *log)
{
    log->count = 0;
}

void event_log_free(struct event_log *log)
{
    free(log->events);
    *log = (struct event_log) { 0 };
}

static bool section_equal(const struct observed_section *x, const struct observed_section *y)
{
    return x->region == y->region && x->space == y->space && x->offset == y->offset &&
           x->address == y->address && x->size == y->size && x->readonly == y->readonly &&
           x->nonvolatile == y->nonvolatile;
}

bool event_equal(const struct event *x, const struct event *y)
{
    return x->kind == y->kind && x->listener == y->listener && section_equal(&x->section, &y->section) &&
           x->view_published == y->view_published && x->old_mask == y->old_mask &&
           x->new_mask == y->new_mask && x->match_data == y->match_data && x->data == y->data &&
           x->notifier == y->notifier && x->address == y->address && x->length == y->length &&
           x->number == y->number && x->region == y->region && x->offset == y->offset && x->size == y->size &&
           x->attrs == y->attrs && x->result == y->result;
}

/* A line under construction; every text here is far shorter than the buffer. */
struct line {
    char text[512];
    size_t length;
};

static void __attribute__((format(printf, 2, 3))) add(struct line *l, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int n = vsnprintf(l->text + l->length, sizeof(l->text) - l->length, format, arguments);
    va_end(arguments);
    if (n < 0 || l->length + (size_t)n >= sizeof(l->text)) {
        abort();
    }
    l->length += (size_t)n;
}

static void add_wide(struct line *l, wide value)
{
    const uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;

    if (high) {
        add(l, "0x%" PRIx64 "%016" PRIx64, high, low);
    } else {
        add(l, "0x%" PRIx64, low);
    }
}

static void add_span(struct line *l, uint64_t address, wide size)
{
    add(l, " 0x%" PRIx64 "+", address);
    add_wide(l, size);
}

static void add_flags(struct line *l, bool readonly, bool nonvolatile)
{
    add(l, "%s%s", readonly ? " readonly" : "", nonvolatile ? " nonvolatile" : "");
}

static void add_section(struct line *l, const struct observed_section *s)
{
    if (s->space != OBSERVED_NONE) {
        add(l, " as%d", s->space);
    }
    add_span(l, s->address, s->size);
    if (s->region != OBSERVED_NONE) {
        add(l, " r%d@0x%" PRIx64, s->region, s->offset);
    } else if (s->offset) {
        add(l, " @0x%" PRIx64, s->offset);
    }
    add_flags(l, s->readonly, s->nonvolatile);
}

static size_t put(const struct line *l, char *buffer, size_t capacity)
{
    const int n = snprintf(buffer, capacity, "%s", l->text);

    return (size_t)n;
}

size_t event_print(const struct event *e, char *buffer, size_t capacity)
{
    struct line l = { .length = 0 };

    add(&l, "%s", (unsigned)e->kind < EVENT_KINDS ? event_kind_names[e->kind] : "(no such event)");
    if (e->listener >= TRACE_LISTENERS) {
        add(&l, " w%d", e->listener - TRACE_LISTENERS);
    } else if (e->listener != OBSERVED_NONE) {
        add(&l, " l%d", e->listener);
    }
    switch (e->kind) {
    case EVENT_COALESCED_ADD:
    case EVENT_COALESCED_DEL:
        add_span(&l, e->address, e->length);
        add(&l, " in");
        break;
    case EVENT_OWNER_FINALIZED:
        add(&l, " o%d", e->number);
        break;
    case EVENT_DEVICE_READ:
    case EVENT_DEVICE_WRITE:
    case EVENT_DEVICE_ACCEPTS:
        add(&l, " r%d@0x%" PRIx64 " size %u attrs 0x%x", e->region, e->offset, e->size, e->attrs);
        if (e->kind == EVENT_DEVICE_WRITE) {
            add(&l, " value 0x%" PRIx64, e->data);
        } else if (e->kind == EVENT_DEVICE_ACCEPTS) {
            add(&l, "%s", e->number ? " for writing" : " for reading");
        }
        break;
    case EVENT_NESTED:
        add(&l, " by r%d result 0x%x data 0x%" PRIx64, e->region, e->result, e->data);
        break;
    case EVENT_EVENTFD_SIGNAL:
        add(&l, " e%d %d times", e->notifier, e->number);
        break;
    case EVENT_MAP_CLIENT:
        add(&l, " q%d", e->number);
        break;
    case EVENT_IOMMU_FLAGS:
        add(&l, " r%d returned %d", e->region, e->number);
        break;
    case EVENT_IOMMU_NOTIFIED:
        add(&l, " n%d iova 0x%" PRIx64 " mask 0x%" PRIx64 " to 0x%" PRIx64 " perm %d as%d", e->number, e->address,
            e->length, e->data, e->new_mask, e->section.space);
        return put(&l, buffer, capacity);
    case EVENT_BLOCK_ADDED:
    case EVENT_BLOCK_REMOVED:
    case EVENT_BLOCK_RESIZED:
        add(&l, " b%d of", e->number);
        if (e->region != OBSERVED_NONE) {
            add(&l, " r%d", e->region);
        }
        add(&l, " 0x%" PRIx64 " 0x%" PRIx64, e->address, e->length);
        break;
    case EVENT_BLOCK_CALLBACK:
        add(&l, " r%d to 0x%" PRIx64 "%s", e->region, e->length, e->number ? "" : " with another name");
        break;
    case EVENT_POPULATE:
    case EVENT_DISCARD:
        add(&l, " d%d r%d@0x%" PRIx64 " at 0x%" PRIx64 " size 0x%" PRIx64 " while%s populated returned %d", e->number,
            e->section.region, e->section.offset, e->section.address, (uint64_t)e->section.size,
            e->result ? "" : " not", (int)e->data);
        return put(&l, buffer, capacity);
    case EVENT_CODE_WRITTEN:
        add(&l, " r%d@0x%" PRIx64 " size 0x%" PRIx64, e->region, e->offset, e->length);
        break;
    default:
        break;
    }
    if (!section_equal(&e->section, &no_section)) {
        add_section(&l, &e->section);
        if (!e->view_published) {
            add(&l, " (not the published view)");
        }
    }
    if (e->old_mask || e->new_mask) {
        add(&l, " mask %d to %d", e->old_mask, e->new_mask);
    }
    if (e->kind == EVENT_EVENTFD_ADD || e->kind == EVENT_EVENTFD_DEL) {
        add(&l, " %s 0x%" PRIx64 " e%d", e->match_data ? "match" : "data", e->data, e->notifier);
    }
    return put(&l, buffer, capacity);
}

void observed_window(size_t page_count, size_t page, size_t *from, size_t *count)
{
    *from = page > OBSERVED_WINDOW / 4 ? page - OBSERVED_WINDOW / 4 : 0;
    *count = page_count - *from < OBSERVED_WINDOW ? page_count - *from : OBSERVED_WINDOW;
}

void observed_pages_print(FILE *out, size_t from, const uint8_t *bits, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && (bits[end] & 15) == (bits[i] & 15); end++) {
        }
        fprintf(out, "page %zu+%zu %s%s%s%s\n", from + i, end - i, bits[i] & 1 ? "v" : "-", bits[i] & 2 ? "c" : "-",
                bits[i] & 4 ? "m" : "-", bits[i] & 8 ? "b" : "-");
    }
}

size_t view_range_print(const struct view_range *r, char *buffer, size_t capacity)
{
    struct line l = { .length = 0 };

    add(&l, "0x%" PRIx64 "+", r->address);
    add_wide(&l, r->size);
    add(&l, " r%d@0x%" PRIx64, r->region, r->offset);
    add_flags(&l, r->readonly, r->nonvolatile);
    if (!r->romd) {
        add(&l, " romd-off");   /* on is the default of every region (R-REG-1) */
    }
    if (r->dirty_log_mask) {
        add(&l, " mask %d", r->dirty_log_mask);
    }
    return put(&l, buffer, capacity);
}

uint8_t *observation_bytes(struct observation *o, size_t count)
{
    if (o->byte_capacity < count) {
        o->byte_capacity = count;
        o->bytes = realloc(o->bytes, count);
        if (!o->bytes) {
            abort();
        }
    }
    o->byte_count = count;
    if (count) {
        memset(o->bytes, ACCESS_UNTOUCHED, count);
    }
    return o->bytes;
}

void observation_touch(struct observation *o, int region, uint64_t offset, uint64_t length)
{
    struct ram_range *last = o->touched_count ? &o->touched[o->touched_count - 1] : NULL;

    if (last && last->region == region && last->offset + last->length == offset) {
        last->length += length;
        return;
    }
    if (o->touched_count == o->touched_capacity) {
        o->touched_capacity = o->touched_capacity ? 2 * o->touched_capacity : 16;
        o->touched = realloc(o->touched, o->touched_capacity * sizeof(o->touched[0]));
        if (!o->touched) {
            abort();
        }
    }
    o->touched[o->touched_count++] = (struct ram_range){ .region = region, .offset = offset, .length = length };
}

/* One stream for all steps: opening one costs more than most steps.  It points at `written`, so `o` must not move. */
FILE *observation_text(struct observation *o)
{
    if (!o->writer) {
        o->writer = open_memstream(&o->written, &o->written_size);
        if (!o->writer) {
            abort();
        }
    }
    rewind(o->writer);
    return o->writer;
}

void observation_text_end(struct observation *o)
{
    putc('\0', o->writer);      /* what a longer text left behind this one is not part of it */
    if (fflush(o->writer)) {
        abort();
    }
    o->text = o->written;
}

void observation_clear(struct observation *o)
{
    struct observation kept = *o;

    event_log_clear(&kept.events);
    *o = (struct observation) {
        .section = no_section,
        .facts = { .from_host_region = OBSERVED_NONE, .fd = -1, .owner = OBSERVED_NONE },
        .writer = kept.writer,
        .written = kept.written,
        .written_size = kept.written_size,
        .events = kept.events,
        .place_region = OBSERVED_NONE,
        .target_space = OBSERVED_NONE,
        .bytes = kept.bytes,
        .byte_capacity = kept.byte_capacity,
        .touched = kept.touched,
        .touched_capacity = kept.touched_capacity,
    };
}

void observation_free(struct observation *o)
{
    event_log_free(&o->events);
    if (o->writer) {
        fclose(o->writer);
    }
    free(o->written);
    free(o->bytes);
    free(o->touched);
    o->writer = NULL;
    o->written = NULL;
    o->bytes = NULL;
    o->touched = NULL;
    o->byte_capacity = o->touched_capacity = 0;
    observation_clear(o);
}
