/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapped_ram.h"

#include <string.h>

struct cursor {
    const struct mapped_ram_bytes *file;
    uint64_t at;
    bool wrong;                 /* something was; whatever is read from then on means nothing */
};

static uint8_t byte_at(const struct mapped_ram_bytes *file, uint64_t offset)
{
    return offset < file->length ? file->bytes[offset] : 0;
}

static uint64_t number(struct cursor *c, unsigned width)
{
    uint64_t value = 0;

    for (; width > 0; width--) {
        if (c->at >= c->file->size) {
            c->wrong = true;
            return 0;
        }
        value = value << 8 | byte_at(c->file, c->at++);
    }
    return value;
}

static void must(struct cursor *c, bool condition)
{
    c->wrong = c->wrong || !condition;
}

static void name(struct cursor *c, uint64_t length, char to[256])
{
    memset(to, 0, 256);
    must(c, length >= 1 && length <= 255);
    for (uint64_t i = 0; !c->wrong && i < length; i++) {
        to[i] = (char)number(c, 1);
        must(c, to[i] != 0);
    }
}

/* --- configuration (R-STRM-1 to 3) --- */

static void capabilities(struct cursor *c, const struct mapped_ram_leave *leave, struct mapped_ram_seen *seen)
{
    bool mapped_ram = false;
    const uint64_t count = number(c, 4);
    char word[256];

    must(c, count <= 64);
    for (uint64_t i = 0; !c->wrong && i < count; i++) {
        name(c, number(c, 1), word);
        if (!strcmp(word, "mapped-ram")) {
            must(c, !mapped_ram);
            mapped_ram = true;
        } else {
            must(c, !strcmp(word, "x-ignore-shared") && !seen->ignore_shared);
            seen->ignore_shared = true;
        }
    }
    must(c, mapped_ram);
    must(c, !seen->ignore_shared || leave->skip_gpa);
}

static void configuration(struct cursor *c, const struct mapped_ram_leave *leave, struct mapped_ram_seen *seen)
{
    bool listed = false;
    char word[256];

    must(c, number(c, 4) == 0x5145564d);
    must(c, number(c, 4) == 3);
    must(c, number(c, 1) == 7);
    name(c, number(c, 4), seen->machine);
    must(c, !leave->machine || !strcmp(leave->machine, seen->machine));
    while (!c->wrong && c->at < c->file->size && byte_at(c->file, c->at) == 5) {
        c->at++;
        name(c, number(c, 1), word);
        must(c, number(c, 4) == 1);
        if (!strcmp(word, "configuration/capabilities")) {
            must(c, !listed);
            listed = true;
            capabilities(c, leave, seen);
        } else if (!strcmp(word, "configuration/target-page-bits")) {
            must(c, !seen->page_bits);
            seen->page_bits = (uint32_t)number(c, 4);
            must(c, seen->page_bits >= 10 && seen->page_bits <= 16);
        } else {
            must(c, !strcmp(word, "configuration/uuid") && !seen->has_uuid);
            seen->has_uuid = true;
            for (unsigned i = 0; i < 16; i++) {
                seen->uuid[i] = (uint8_t)number(c, 1);
            }
        }
    }
    must(c, listed);
}

/* --- blocks (chapter 2, R-MLD-3) --- */

static void check_header(struct cursor *c, const struct mapped_ram_leave *leave, const struct mapped_ram_seen *seen,
                         const struct mapped_ram_seen_block *b)
{
    const uint64_t header_end = c->at, size = c->file->size;
    uint64_t bitmap_bytes, pages;

    must(c, b->page_size >= 1024 && b->page_size <= 65536 && (b->page_size & (b->page_size - 1)) == 0);
    must(c, leave->any_page_size || b->page_size == leave->page_size);
    must(c, !seen->page_bits || b->page_size == UINT64_C(1) << seen->page_bits);
    must(c, seen->blocks->len == 0 || b->page_size == mapped_ram_model_block(seen, 0)->page_size);
    if (c->wrong) {
        return;
    }
    must(c, b->used_length % b->page_size == 0 && b->pages_offset % b->page_size == 0);
    must(c, leave->lax ? b->bitmap_offset >= header_end : b->bitmap_offset == header_end);
    pages = b->used_length / b->page_size;
    bitmap_bytes = (pages + 63) / 64 * 8;
    /* What follows the pages has to be read, so they are inside the file; and all else is in front of them. */
    must(c, b->pages_offset <= size && b->used_length <= size - b->pages_offset);
    must(c, b->bitmap_offset <= b->pages_offset && bitmap_bytes <= b->pages_offset - b->bitmap_offset);
    for (uint64_t bit = pages; !c->wrong && bit < bitmap_bytes * 8; bit++) {
        must(c, !mapped_ram_model_present(c->file, b, bit));
    }
    c->at = b->pages_offset + b->used_length;
}

static void blocks(struct cursor *c, const struct mapped_ram_leave *leave, struct mapped_ram_seen *seen)
{
    uint64_t sum = 0;

    while (!c->wrong && (sum < seen->total || (c->at < c->file->size && byte_at(c->file, c->at) != 0))) {
        struct mapped_ram_seen_block b;

        name(c, number(c, 1), b.name);
        for (unsigned i = 0; i < seen->blocks->len; i++) {
            must(c, strcmp(mapped_ram_model_block(seen, i)->name, b.name) != 0);
        }
        b.used_length = number(c, 8);
        must(c, b.used_length <= seen->total - sum);
        if (seen->ignore_shared) {
            number(c, 8);
        }
        must(c, number(c, 4) == 1);
        b.page_size = number(c, 8);
        b.bitmap_offset = number(c, 8);
        b.pages_offset = number(c, 8);
        if (!c->wrong) {
            check_header(c, leave, seen, &b);
        }
        sum += b.used_length;
        g_array_append_val(seen->blocks, b);
        must(c, seen->blocks->len <= 65536);
    }
}

/* --- records (R-STRM-4 to 10) --- */

static void end_of_section(struct cursor *c, uint64_t section)
{
    must(c, number(c, 8) == 0x10);
    must(c, number(c, 1) == 0x7e);
    must(c, number(c, 4) == section);
}

static void start_section(struct cursor *c, const struct mapped_ram_leave *leave, struct mapped_ram_seen *seen,
                          uint64_t *section)
{
    char word[256];
    uint64_t total;

    *section = number(c, 4);
    name(c, number(c, 1), word);
    must(c, !strcmp(word, "ram"));
    must(c, number(c, 4) == 0);
    must(c, number(c, 4) == 4);
    total = number(c, 8);
    must(c, (total & 0x3ff) == 4);
    seen->total = total & ~UINT64_C(0x3ff);
    blocks(c, leave, seen);
    end_of_section(c, *section);
}

bool mapped_ram_model_probe(const struct mapped_ram_bytes *file, uint64_t base, const struct mapped_ram_leave *leave,
                            struct mapped_ram_seen *seen)
{
    struct cursor c = { .file = file, .at = base };
    bool started = false;
    uint64_t section = 0;

    *seen = (struct mapped_ram_seen){
        .blocks = g_array_new(FALSE, FALSE, sizeof(struct mapped_ram_seen_block)),
    };
    configuration(&c, leave, seen);
    while (!c.wrong && !seen->complete) {
        const uint64_t type = number(&c, 1);

        if (type == 1 && !started) {
            start_section(&c, leave, seen, &section);
            started = !c.wrong;
        } else if ((type == 2 || type == 3) && started) {
            must(&c, number(&c, 4) == section);
            end_of_section(&c, section);
            seen->complete = type == 3 && !c.wrong;
        } else if (type == 8) {
            must(&c, number(&c, 2) == 0xb);
            must(&c, number(&c, 2) == 0);
        } else {
            must(&c, false);
        }
        seen->end = c.wrong ? seen->end : c.at;
    }
    return seen->complete || (started && leave->unverified);
}

void mapped_ram_model_free(struct mapped_ram_seen *seen)
{
    g_array_unref(seen->blocks);
}

/* --- pages --- */

const struct mapped_ram_seen_block *mapped_ram_model_block(const struct mapped_ram_seen *seen, unsigned index)
{
    return &g_array_index(seen->blocks, struct mapped_ram_seen_block, index);
}

bool mapped_ram_model_present(const struct mapped_ram_bytes *file, const struct mapped_ram_seen_block *block,
                              uint64_t page)
{
    return byte_at(file, block->bitmap_offset + page / 8) >> page % 8 & 1;
}

void mapped_ram_model_fill(const struct mapped_ram_bytes *file, const struct mapped_ram_seen_block *block, uint8_t *to)
{
    for (uint64_t offset = 0; offset < block->used_length; offset += block->page_size) {
        const uint64_t from = block->pages_offset + offset;
        const uint64_t there = from < file->length ? MIN(file->length - from, block->page_size) : 0;

        memset(to + offset, 0, block->page_size);
        if (mapped_ram_model_present(file, block, offset / block->page_size) && there > 0) {
            memcpy(to + offset, file->bytes + from, there);
        }
    }
}

/* --- loading --- */

static bool has_discarded(const struct mapped_ram_seen_block *b, const struct mapped_ram_bytes *bytes,
                          const struct mapped_ram_local *local)
{
    for (uint64_t page = 0; local->discarded && page < b->used_length / b->page_size; page++) {
        const uint64_t granule = page * b->page_size / local->granule;

        if (local->discarded >> granule & 1 && mapped_ram_model_present(bytes, b, page)) {
            return true;
        }
    }
    return false;
}

static bool has_present(const struct mapped_ram_seen_block *b, const struct mapped_ram_bytes *bytes)
{
    for (uint64_t page = 0; page < b->used_length / b->page_size; page++) {
        if (mapped_ram_model_present(bytes, b, page)) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct mapped_ram_seen_block *b, const struct mapped_ram_bytes *bytes,
                 const struct mapped_ram_local *local, uint64_t page_size, uint64_t host_page)
{
    return local && local->migratable && b->page_size == page_size && b->used_length % host_page == 0 &&
           b->used_length <= local->max_length && (local->resizeable || b->used_length == local->used_length) &&
           !has_discarded(b, bytes, local) && !(local->readonly && (!local->blank || has_present(b, bytes)));
}

const char *mapped_ram_model_misfit(const struct mapped_ram_seen *seen, const struct mapped_ram_bytes *bytes,
                                    const struct mapped_ram_local *locals, unsigned count, bool partial,
                                    uint64_t page_size, uint64_t host_page)
{
    unsigned wanted = 0;

    if (!seen->complete) {
        return "";
    }
    for (unsigned k = 0; k < seen->blocks->len; k++) {
        const struct mapped_ram_seen_block *b = mapped_ram_model_block(seen, k);
        const struct mapped_ram_local *local = NULL;

        for (unsigned i = 0; i < count; i++) {
            local = strcmp(b->name, locals[i].name) == 0 ? &locals[i] : local;
        }
        if (!fits(b, bytes, local, page_size, host_page)) {
            return b->name;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        wanted += locals[i].migratable;
    }
    /* Every block of the file is here; every one here is in the file. */
    return partial || seen->blocks->len == wanted ? NULL : "";
}
