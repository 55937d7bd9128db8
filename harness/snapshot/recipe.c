/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "snapshot/recipe.h"

#include <string.h>

#include "snapshot/build.h"

enum { PAGES_MAX = 9, GAP_MAX = 2, CHANGES_MAX = 8 };
enum { LAX = 1 << 1 };   /* MAPPED_RAM_LAX; this file knows no core */

typedef struct {
    const uint8_t *place;
    size_t left;
} Bytes;

static uint8_t take(Bytes *bytes)
{
    if (bytes->left == 0) {
        return 0;
    }
    bytes->left--;
    return *bytes->place++;
}

/* Names a reader knows, and those of H5. */
static void block(Build *build, Bytes *bytes, const char *const *names, bool gpa)
{
    static const char long_name[256] = { [0 ... 254] = 'n' };
    const uint8_t which = take(bytes), pages = take(bytes), presence = take(bytes), gap = take(bytes);
    unsigned known = 0;
    const char *name;
    size_t length;

    while (names[known]) {
        known++;
    }
    switch (which % 32) {
    case 28:
        name = "unknown", length = 7;
        break;
    case 29:
        name = "", length = 0;
        break;
    case 30:
        name = long_name, length = 255;
        break;
    case 31:
        name = "ra\0m", length = 4;
        break;
    default:
        name = names[which % known], length = strlen(name);
        break;
    }
    /* Mostly few pages; now and then a bitmap of one or two words. */
    build_block(build, name, length, pages >= 0xf0 ? 60 + pages % 16 : pages % (PAGES_MAX + 1), presence,
                gap % 8 <= GAP_MAX ? gap % 8 : 0, gpa);
}

/* H9 and H10: what may follow START, and what may not. */
static void record(Build *build, uint8_t which, uint32_t section)
{
    switch (which % 16) {
    case 0:                                             /* END */
    case 1:                                             /* PART */
        build_number(build, 1, which % 16 ? 2 : 3);
        build_number(build, 4, section);
        build_end_of_section(build, section);
        break;
    case 2:                                             /* SWITCHOVER_START */
        build_number(build, 1, 8);
        build_number(build, 2, 0xb);
        build_number(build, 2, 0);
        break;
    case 3:                                             /* EOF */
        build_number(build, 1, 0);
        break;
    case 4:                                             /* a device */
        build_number(build, 1, 4);
        build_number(build, 4, 2);
        build_counted(build, "timer", 5);
        build_number(build, 4, 0);
        build_number(build, 4, 2);
        break;
    case 5:                                             /* PART with a second MEM_SIZE, page, multifd word, ... */
        build_number(build, 1, 2);
        build_number(build, 4, section);
        build_number(build, 8, UINT64_C(0x1000) | 2u << which / 16 % 9);
        build_end_of_section(build, section);
        break;
    case 6:                                             /* PART whose EOS has more bits */
        build_number(build, 1, 2);
        build_number(build, 4, section);
        build_number(build, 8, UINT64_C(0x10) | UINT64_C(1) << which / 16 * 4);
        build_number(build, 1, 0x7e);
        build_number(build, 4, section);
        break;
    case 7:                                             /* another section's footer */
        build_number(build, 1, 3);
        build_number(build, 4, section);
        build_end_of_section(build, section + 1);
        break;
    case 8:                                             /* another section */
        build_number(build, 1, which & 16 ? 3 : 2);
        build_number(build, 4, section + 1);
        build_end_of_section(build, section + 1);
        break;
    case 9:                                             /* a second START */
        build_number(build, 1, 1);
        build_number(build, 4, section);
        build_counted(build, "ram", 3);
        build_number(build, 4, which >> 4);
        build_number(build, 4, 4);
        break;
    case 10:                                            /* a subsection too late */
        build_number(build, 1, 5);
        build_counted(build, "configuration/uuid", 18);
        build_number(build, 4, 1);
        break;
    case 11:                                            /* other commands */
        build_number(build, 1, 8);
        build_number(build, 2, which >> 4);
        build_number(build, 2, which & 16 ? 4 : 0);
        break;
    default:
        build_number(build, 1, which >> 4);
        break;
    }
}

/* H3: numbers next to all limits. */
static uint64_t interesting(const Build *build, uint64_t old, uint8_t how, uint8_t amount)
{
    const uint64_t page = build->page_size, size = build->bytes->len;

    switch (how % 17) {
    case 0: return amount;
    case 1: return old + 1 + amount % 4;
    case 2: return old - 1 - amount % 4;
    case 3: return old + page * (1 + amount % 4);
    case 4: return old - page * (1 + amount % 4);
    case 5: return page - 1;
    case 6: return 2 * page;
    case 7: return size + amount % 3 - 1;
    case 8: return UINT64_C(1) << 31;
    case 9: return UINT64_C(1) << 32;
    case 10: return (UINT64_C(1) << 63) - 1;
    case 11: return UINT64_C(1) << 63;
    case 12: return -page * (1 + amount % 3);
    case 13: return UINT64_MAX;
    case 14: return old << 1;
    case 15: return old >> 1;
    default: return old ^ UINT64_C(1) << amount % 64;
    }
}

/* H4: a bitmap or pages, where something else is. */
static void overlap(Snapshot *snapshot, Build *build, uint8_t where, uint8_t how, uint8_t amount)
{
    const BuildBlock *block = &build->blocks[where % build->block_count];
    const BuildBlock *other = &build->blocks[how / 16 % build->block_count];
    const uint64_t page = build->page_size;
    const bool bitmap = how % 2;
    uint64_t place;

    switch (how / 2 % 4) {
    case 0: place = other->header_end - amount % 32; break;
    case 1: place = other->bitmap + amount % 32; break;
    case 2: place = other->pages_offset - (bitmap ? amount % 16 : amount % 4 * page); break;
    default: place = other->pages_offset + (other->pages + amount % 4) * page; break;
    }
    /* Only a reader that tolerates gaps looks at any of it. */
    snapshot->flags |= bitmap ? LAX : 0;
    build_put(build, block->header_end - (bitmap ? 16 : 8), 8, bitmap ? place : place & -page);
}

static void change_bytes(Build *build, uint64_t at, uint8_t how, uint8_t amount)
{
    const uint64_t length = build->bytes->len, end = MIN(at, length);

    if (how % 2 && end < length) {
        g_byte_array_remove_range(build->bytes, (guint)end, (guint)MIN(amount, length - end));
    } else {
        g_byte_array_set_size(build->bytes, (guint)length + amount);
        memmove(build->bytes->data + end + amount, build->bytes->data + end, length - end);
        memset(build->bytes->data + end, 0, amount);
    }
}

static void change(Snapshot *snapshot, Build *build, Bytes *bytes)
{
    const uint8_t what = take(bytes), where = take(bytes), how = take(bytes), amount = take(bytes);
    const BuildField *field = &build->fields[where % build->field_count];
    const BuildBlock *block = build->block_count ? &build->blocks[where % build->block_count] : NULL;
    const uint64_t near = field->offset + how % 16;

    switch (what % 12) {
    case 0:                                             /* H1; H2: and zero from there on */
    case 1:
        snapshot->size = MIN(near, build->bytes->len);
        g_byte_array_set_size(build->bytes, (guint)snapshot->size);
        snapshot->size += what % 12 ? UINT64_C(1) << amount % 27 : 0;
        break;
    case 2:                                             /* H4 */
        if (block) {
            overlap(snapshot, build, where, how, amount);
        }
        break;
    case 3:                                             /* H3 */
        build_put(build, field->offset, field->width,
                  interesting(build, build_get(build, field->offset, field->width), how, amount));
        break;
    case 4:                                             /* H6: wraps too */
        build_put(build, build->total, 8, interesting(build, build_get(build, build->total, 8), how, amount));
        break;
    case 5:                                             /* H7, H8: bits of a bitmap */
        if (block && block->bitmap_bytes > 0) {
            build_put(build, block->bitmap + amount % block->bitmap_bytes, 1, how);
        }
        break;
    case 6:                                             /* H8: a large block, all of it present, in a hole */
        if (build->block_count > 0) {
            block = &build->blocks[build->block_count - 1];
            build_put(build, block->length, 8, (uint64_t)(1 + amount) * build->page_size);
            build_put(build, build->total, 8,
                      build_get(build, build->total, 8) + (1 + amount - block->pages) * build->page_size);
            for (unsigned i = 0; i < 1u + amount / 8; i++) {
                build_put(build, block->bitmap + i, 1, i == amount / 8 ? (2u << amount % 8) - 1 : 0xff);
            }
        }
        break;
    case 7:                                             /* H12 */
        change_bytes(build, how & 2 ? near : 0, how, amount);
        snapshot->base += how & 4 ? amount : 0;
        break;
    case 8:                                             /* H13 */
        snapshot->shrunk = near + amount * (how & 16 ? build->page_size : 1);
        break;
    case 9:                                             /* R-MLD-4 */
        snapshot->fail_read = amount % 32;
        break;
    case 10:                                            /* any byte */
        build_put(build, near, 1, amount);
        break;
    default:                                            /* H10: 2^32 - 1 of something, or a name's length */
        if (field->width <= 4) {
            build_put(build, field->offset, field->width, UINT64_MAX - amount);
        }
        break;
    }
    snapshot->size = MAX(snapshot->size, build->bytes->len);
}

void snapshot_make(Snapshot *snapshot, const uint8_t *recipe, size_t length, uint64_t page_size,
                   const char *const *names)
{
    static GByteArray *reused;      /* fresh memory costs more than what is written into it */
    Bytes bytes = { .place = recipe, .left = length };
    Build build = { .bytes = reused ? reused : g_byte_array_new(), .page_size = page_size };
    uint8_t configuration, counts, start, kind;

    reused = build.bytes;
    g_byte_array_set_size(reused, 0);
    *snapshot = (Snapshot){ .bytes = build.bytes, .fail_read = UINT64_MAX, .shrunk = UINT64_MAX };
    if (length > 0 && recipe[0] == 'Q') {
        g_byte_array_append(build.bytes, recipe, (guint)length);
        snapshot->size = length;
        return;
    }
    configuration = take(&bytes);
    counts = take(&bytes);
    start = take(&bytes);
    kind = take(&bytes);
    snapshot->flags = take(&bytes);
    snapshot->kind = kind % 16 == 0   ? SNAPSHOT_PIPE
                     : kind % 16 == 1 ? SNAPSHOT_FOLDER
                     : kind % 16 == 2 ? SNAPSHOT_DEVICE
                                      : SNAPSHOT_FILE;
    snapshot->reader = kind / 16;
    snapshot->expect_machine = configuration & RECIPE_EXPECT_MACHINE;
    snapshot->base = start * 0x1c;
    build.page_size = configuration & RECIPE_KIBIBYTE_PAGES ? 1024 : page_size;
    g_byte_array_set_size(build.bytes, (guint)snapshot->base);
    if (snapshot->base > 0) {
        memset(build.bytes->data, 0xdd, snapshot->base);
    }
    build_configuration(&build, configuration);
    build_start(&build, 1);
    for (unsigned i = 0; i < counts % 8; i++) {
        block(&build, &bytes, names, configuration & RECIPE_GPA);
    }
    build_end_of_section(&build, 1);
    for (unsigned i = 0; i < counts / 8; i++) {
        record(&build, take(&bytes), 1);
    }
    snapshot->size = build.bytes->len;
    for (unsigned i = 0; i < CHANGES_MAX && bytes.left > 0; i++) {
        change(snapshot, &build, &bytes);
    }
    snapshot->size = MIN(snapshot->size, build.bytes->len + (uint64_t)SNAPSHOT_HOLE_MAX);
}
