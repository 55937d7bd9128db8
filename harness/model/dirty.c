/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty pages: a set of clients for each page of a block, R-DIRTY, R-SNAP, R-LEB, R-SYNC, R-CLR. */
#include "model/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exec/cpu-common.h"

enum { VGA = 1 << 0, CODE = 1 << 1, MIGRATION = 1 << 2, EVERYONE = VGA | CODE | MIGRATION };
enum { BMAP_NONE, BMAP_ONES, BMAP_ZEROS, BMAP_ONES_CHUNKS, BMAP_ZEROS_CHUNKS };
enum { WORD_PAGES = 64, CHUNK_SHIFT = 6, DIRTY_RATE = 1 << 1 };

/* Pages that bytes [start, start + length) touch, R-DIRTY-1. */
struct cover {
    size_t first, end;
};

static struct cover cover(uint64_t start, uint64_t length)
{
    if (length == 0) {
        return (struct cover){0, 0};
    }
    return (struct cover){(size_t)(start / TARGET_PAGE_SIZE),
                          (size_t)((start + length - 1) / TARGET_PAGE_SIZE) + 1};
}

/* R-DIRTY-10.  There is room for what a resize may use one day. */
void dirty_new_block(struct region *r)
{
    const size_t pages = r->block_max > MODELLED_PAGES_MAX ? 0 : cover(0, r->block_max).end;

    r->page_count = pages ? cover(0, r->block_length).end : 0;
    r->page_max = pages;
    r->has_bmap = false;
    r->chunk_shift = 0;
    if (pages > r->page_capacity) {
        r->page_capacity = pages;
        free(r->pages);
        r->pages = malloc(pages);
        if (!r->pages) {
            abort();
        }
    }
    if (pages) {
        memset(r->pages, 0, pages);
        memset(r->pages, EVERYONE, r->page_count);
    }
}

static void set(struct region *r, struct cover c, unsigned bits)
{
    for (size_t i = c.first; i < c.end; i++) {
        r->pages[i] |= (uint8_t)bits;
    }
}

static bool any(const struct region *r, struct cover c, unsigned bits)
{
    bool found = false;

    for (size_t i = c.first; i < c.end; i++) {
        found |= (r->pages[i] & bits) != 0;
    }
    return found;
}

static bool all(const struct region *r, struct cover c, unsigned bit)
{
    bool every = true;

    for (size_t i = c.first; i < c.end; i++) {
        every &= (r->pages[i] & bit) != 0;
    }
    return every;
}

static void clear(struct region *r, struct cover c, unsigned bits)
{
    for (size_t i = c.first; i < c.end; i++) {
        r->pages[i] &= (uint8_t)~bits;
    }
}

/* R-CODE-3: who tracks code hears of the range as it was written, and is the one who marks its pages. */
static void tell_of_code(struct model *m, unsigned region, uint64_t offset, uint64_t length)
{
    struct event e;

    event_init(&e, EVENT_CODE_WRITTEN);
    e.region = (int)region;
    e.offset = offset;
    e.length = length;
    event_log_append(m->out, &e);
    if (m->code_tracking == CODE_TRACKING_DROPPING) {
        set(&m->regions[region], cover(offset, length), CODE);
    }
}

void dirty_written(struct model *m, unsigned region, uint64_t offset, uint64_t length)
{
    struct region *const r = &m->regions[region];
    const struct cover c = cover(offset, length);
    const unsigned mask = region_dirty_log_mask(m, region);

    if (!r->page_max) {
        return;     /* nobody cleans pages that are not modelled: R-DIRTY-10 */
    }
    if (mask & CODE && !all(r, c, CODE)) {
        tell_of_code(m, region, offset, length);
    }
    set(r, c, mask & ~(unsigned)CODE);
}

/* The log_clear of a taken range: whole pages, R-DIRTY-8. */
static void tell_cleared(struct model *m, unsigned region, struct cover c)
{
    log_clear(m, region, c.first * TARGET_PAGE_SIZE, (c.end - c.first) * TARGET_PAGE_SIZE);
}

/* R-DIRTY-8: listeners hear of it, dirty or not. */
static bool take(struct model *m, unsigned region, uint64_t start, uint64_t length, unsigned bit)
{
    struct region *const r = &m->regions[region];
    const struct cover c = cover(start, length);
    const bool was = any(r, c, bit);

    if (length) {
        clear(r, c, bit);
        tell_cleared(m, region, c);
    }
    return was;
}

void dirty_resize(struct model *m, unsigned region, uint64_t length)
{
    struct region *const r = &m->regions[region];

    take(m, region, 0, r->block_length, MIGRATION);     /* R-DIRTY-9 */
    take(m, region, 0, r->block_length, VGA);
    take(m, region, 0, r->block_length, CODE);
    r->block_length = length;
    r->page_count = cover(0, length).end;
    set(r, cover(0, length), EVERYONE);
}

/* R-SNAP: whole words of 64 pages move, the listeners are asked before and told after. */
static void snapshot(struct model *m, const struct trace_step *s, FILE *out)
{
    struct region *const r = &m->regions[s->a];
    const uint64_t word = WORD_PAGES * TARGET_PAGE_SIZE, start = s->v.absolute, length = s->w.absolute;
    const size_t first = (size_t)(start / word) * WORD_PAGES;
    const size_t end = (size_t)((start + length + word - 1) / word) * WORD_PAGES;
    const struct cover window = {first, end < r->page_max ? end : r->page_max};     /* R-SNAP-2 */
    const unsigned bit = 1u << s->n;

    log_sync(m, s->a);
    for (size_t i = window.first; i < window.end && i < r->page_count; i++) {
        fprintf(out, "%s", r->pages[i] & bit ? "x" : ".");
    }
    fprintf(out, " in the snapshot\n");
    clear(r, window, bit);
    log_clear(m, s->a, start, length);
    tell_all(m, EVENT_LOG_GLOBAL_AFTER_SYNC, FORWARD);
}

/* R-LEB: bit k is host page k; whole words count, padding too (R-LEB-3), as far as the block goes, reserve and all. */
static void lebitmap(struct model *m, const struct trace_step *s, FILE *out)
{
    struct region *const r = &m->regions[s->a];
    const size_t bits = ((size_t)s->n + 63) / 64 * 64;
    uint64_t set_bits = 0;
    const unsigned clients = VGA | (m->log_flags ? MIGRATION : 0) |
                             (m->code_tracking != CODE_TRACKING_OFF ? CODE : 0);    /* R-LEB-2 */

    for (size_t k = 0; k < bits; k++) {
        const uint64_t host_page = s->v.absolute + k * HOST_PAGE;
        if (s->w.absolute >> k % 64 & 1 && host_page < r->block_max) {
            set(r, cover(host_page, HOST_PAGE), clients);
        }
        set_bits += s->w.absolute >> k % 64 & 1;        /* R-LEB-6: padding, too */
    }
    m->dirty_rate_pages += m->log_flags & DIRTY_RATE ? set_bits : 0;
    fprintf(out, "set %" PRIu64 " dirty_rate %" PRIu64 "\n", set_bits, m->dirty_rate_pages);
}

static void new_bmap(struct region *r, int kind)
{
    r->has_bmap = kind != BMAP_NONE;
    r->chunk_shift = kind == BMAP_ONES_CHUNKS || kind == BMAP_ZEROS_CHUNKS ? CHUNK_SHIFT : 0;
    for (size_t i = 0; i < r->page_max; i++) {
        r->pages[i] &= EVERYONE;
        r->pages[i] |= kind == BMAP_ONES || kind == BMAP_ONES_CHUNKS ? PAGE_SENT_LATER : 0;
    }
}

/* R-SYNC: per page MIGRATION moves to the bitmap; how listeners hear of it depends on alignment. */
static unsigned sync_bmap(struct model *m, const struct trace_step *s)
{
    struct region *const r = &m->regions[s->a];
    const struct cover c = cover(s->v.absolute, s->w.absolute);
    const uint64_t word = WORD_PAGES * TARGET_PAGE_SIZE;
    const bool whole_words = s->v.absolute % word == 0 && s->w.absolute % word == 0;
    unsigned count = 0;

    for (size_t i = c.first; i < c.end; i++) {
        if (r->pages[i] & MIGRATION) {
            count += !(r->pages[i] & PAGE_SENT_LATER);
            r->pages[i] |= PAGE_SENT_LATER;
            r->pages[i] &= (uint8_t)~MIGRATION;
        }
    }
    if (whole_words && r->chunk_shift) {
        for (size_t i = c.first; i < c.end; i++) {
            r->pages[i >> r->chunk_shift << r->chunk_shift] |= PAGE_STARTS_CHUNK_TO_CLEAR;
        }
    } else if (whole_words) {
        if (s->w.absolute) {
            log_clear(m, s->a, s->v.absolute, s->w.absolute);
        }
    } else {
        for (size_t i = c.first; i < c.end; i++) {
            tell_cleared(m, s->a, (struct cover){i, i + 1}); /* R-SYNC-3 */
        }
    }
    return count;
}

/* R-CLR-3 */
static bool send(struct model *m, const struct trace_step *s)
{
    struct region *const r = &m->regions[s->a];
    const size_t page = (size_t)(s->v.absolute / TARGET_PAGE_SIZE);
    const size_t chunk = page >> r->chunk_shift << r->chunk_shift;
    const bool was = r->pages[page] & PAGE_SENT_LATER;

    if (r->chunk_shift && r->pages[chunk] & PAGE_STARTS_CHUNK_TO_CLEAR) {
        r->pages[chunk] &= (uint8_t)~PAGE_STARTS_CHUNK_TO_CLEAR;
        log_clear(m, s->a, chunk * TARGET_PAGE_SIZE, TARGET_PAGE_SIZE << r->chunk_shift);
    }
    r->pages[page] &= (uint8_t)~PAGE_SENT_LATER;
    return was;
}

/* R-DIRTY-3 to R-DIRTY-6. */
static void ask(const struct region *r, const struct trace_step *s, FILE *out)
{
    const struct cover c = cover(s->v.absolute, s->w.absolute);
    const size_t page = (size_t)(s->v.absolute / TARGET_PAGE_SIZE);
    const unsigned bit = 1u << s->n;

    fprintf(out, "dirty %d all %d flag %d clean %d includes_clean", any(r, c, bit), all(r, c, bit),
            (r->pages[page] & bit) != 0, (r->pages[page] & EVERYONE) != EVERYONE);
    for (unsigned mask = 0; mask <= EVERYONE; mask++) {
        unsigned with_clean = 0;
        for (unsigned client = 0; client < 3; client++) {
            if (mask >> client & 1 && !all(r, c, 1u << client)) {
                with_clean |= 1u << client;
            }
        }
        fprintf(out, " %u", with_clean);
    }
    fprintf(out, "\n");
}

static void apply(struct model *m, const struct trace_step *s, FILE *out)
{
    struct region *const r = &m->regions[s->a];
    const uint64_t start = s->v.absolute, length = s->w.absolute;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_DIRTY_SET:
        set(r, cover(start, length), (unsigned)s->n);
        break;
    case TRACE_OP_DIRTY_FLAG:
        set(r, cover(start, 1), 1u << s->n);
        break;
    case TRACE_OP_DIRTY_WRITTEN: /* R-DIRTY-11: CODE as well, and no hook */
        set(r, cover(start, length), region_dirty_log_mask(m, s->a));
        break;
    case TRACE_OP_DIRTY_ASK:
        ask(r, s, out);
        break;
    case TRACE_OP_DIRTY_TAKE:
        fprintf(out, "taken %d\n", take(m, s->a, start, length, 1u << s->n));
        break;
    case TRACE_OP_DIRTY_CLEAR: /* R-DIRTY-9 */
        take(m, s->a, start, length, MIGRATION);
        take(m, s->a, start, length, VGA);
        take(m, s->a, start, length, CODE);
        break;
    case TRACE_OP_DIRTY_RESET:
        take(m, s->a, start, length, 1u << s->n);
        break;
    case TRACE_OP_SNAPSHOT:
        snapshot(m, s, out);
        break;
    case TRACE_OP_LEBITMAP:
        lebitmap(m, s, out);
        break;
    case TRACE_OP_BMAP:
        new_bmap(r, s->n);
        break;
    case TRACE_OP_BMAP_SYNC:
        fprintf(out, "new %u\n", sync_bmap(m, s));
        break;
    case TRACE_OP_BMAP_SEND:
        fprintf(out, "sent %d\n", send(m, s));
        break;
    default:
        abort();
    }
}

void dirty_show(const struct region *r, uint64_t around, FILE *out)
{
    size_t from, count;

    if (r->page_max) {
        observed_window(r->page_count, (size_t)(around / TARGET_PAGE_SIZE), &from, &count);
        observed_pages_print(out, from, r->pages + from, count);
    }
}

void dirty_apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    FILE *const out = observation_text(expected);

    apply(m, s, out);
    dirty_show(&m->regions[s->a], s->v.absolute, out);
    observation_text_end(expected);
}
