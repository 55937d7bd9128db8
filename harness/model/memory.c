/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of RAM: pages that something was written to, all others are zero. */
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

enum { STORED_PAGE = 4096 };

struct stored_page {
    uint64_t number;
    uint8_t bytes[STORED_PAGE];
};

void stored_forget(struct stored *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->pages[i]);
    }
    s->count = 0;
}

void stored_free(struct stored *s)
{
    stored_forget(s);
    free(s->pages);
    *s = (struct stored){ 0 };
}

static struct stored_page *page_of(const struct stored *s, uint64_t offset)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->pages[i]->number == offset / STORED_PAGE) {
            return s->pages[i];
        }
    }
    return NULL;
}

static struct stored_page *page_made(struct stored *s, uint64_t offset)
{
    struct stored_page *page = page_of(s, offset);

    if (!page) {
        page = calloc(1, sizeof(*page));
        if (!page) {
            abort();
        }
        page->number = offset / STORED_PAGE;
        s->pages = array_reserve(s->pages, &s->capacity, s->count + 1, sizeof(s->pages[0]));
        s->pages[s->count++] = page;
    }
    return page;
}

/* All regions over a pointer of the player's look at one memory (model_ram). */
struct stored *memory_of(struct model *m, unsigned region)
{
    struct region *const r = &m->regions[region];

    return r->kind == KIND_RAM_PTR || r->kind == KIND_RAM_DEVICE ? &m->shared_memory : &r->memory;
}

uint8_t memory_byte(struct model *m, unsigned region, uint64_t offset)
{
    const struct stored_page *const page = page_of(memory_of(m, region), offset);

    return page ? page->bytes[offset % STORED_PAGE] : 0;
}

void memory_store(struct model *m, unsigned region, uint64_t offset, uint8_t byte)
{
    page_made(memory_of(m, region), offset)->bytes[offset % STORED_PAGE] = byte;
}

void memory_zero(struct model *m, unsigned region, uint64_t offset, uint64_t length)
{
    struct stored *const s = memory_of(m, region);
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++) {
        if (s->pages[i]->number >= offset / STORED_PAGE && s->pages[i]->number < (offset + length) / STORED_PAGE) {
            free(s->pages[i]);
        } else {
            s->pages[kept++] = s->pages[i];
        }
    }
    s->count = kept;
}

bool model_ram(const struct model *m, unsigned region, uint64_t offset, size_t length, uint8_t *bytes)
{
    const struct region *const r = region < TRACE_REGIONS ? &m->regions[region] : NULL;

    if (!r || !r->live || !r->has_block || offset > r->block_max || length > r->block_max - offset) {
        return false;
    }
    for (size_t i = 0, count; i < length; i += count) {
        const struct stored_page *const page = page_of(memory_of((struct model *)m, region), offset + i);
        const size_t from = (offset + i) % STORED_PAGE, rest = STORED_PAGE - from;

        count = length - i < rest ? length - i : rest;
        if (page) {
            memcpy(bytes + i, page->bytes + from, count);
        } else {
            memset(bytes + i, 0, count);
        }
    }
    return true;
}
