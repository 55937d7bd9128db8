/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recipes of snapshot files: what the committed ones are for is what the model says of
 * them.  A recipe that has lost its point would only be noise to the fuzzers.
 */
#include <glib.h>
#include <string.h>

#include "model/mapped_ram.h"
#include "snapshot/hex.h"
#include "snapshot/recipe.h"

enum { PAGE = 4096 };

/* As enum MappedRamFlags has them. */
enum { ANY_PAGE_SIZE = 1 << 0, LAX = 1 << 1, UNVERIFIED = 1 << 2, SKIP_GPA = 1 << 3, PARTIAL = 1 << 4 };

static const char *const names[] = { "ram", "rom", "flash", "video", NULL };
static const struct mapped_ram_local locals[] = {
    { .name = "ram", .used_length = 4 * PAGE, .max_length = 4 * PAGE, .migratable = true },
    { .name = "rom", .used_length = PAGE, .max_length = PAGE, .migratable = true },
    { .name = "flash", .used_length = 2 * PAGE, .max_length = 66 * PAGE, .migratable = true, .resizeable = true },
    { .name = "video", .used_length = PAGE, .max_length = PAGE },
};

typedef struct {
    const char *seed;
    bool sound, fits;
} Row;

static const Row rows[] = {
    { "sound", true, true },
    { "machine-uuid-page-bits", true, true },
    { "offset", true, true },
    { "one-block-partial", true, true },
    { "long-bitmap", true, true },
    { "flash-empty", true, true },
    { "no-end", true, false },
    { "no-end-accepted-nowhere", false, false },
    { "ignore-shared", true, true },
    { "kibibyte-pages", true, false },
    { "device-before-end", false, false },
    { "shrinks", true, true },
    { "read-fails", true, true },
    { "cut", false, false },
    { "cut-and-zero-tail", false, false },
    { "total-wraps", false, false },
    { "padding-bit", false, false },
    { "shifted", false, false },
    { "lax-gap", true, true },
    { "names", false, false },
    { "file-one-page", true, false },
    { "file-empty-blocks", true, false },
    { "file-no-blocks", true, false },
};

static GBytes *seed_bytes(const char *seed)
{
    char *path = g_strdup_printf("%s/mapped_ram_load/seeds/%s.hex", CORPORA, seed), *text;
    GByteArray *bytes;
    unsigned line;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    bytes = hex_parse(text, &line);
    g_assert_nonnull(bytes);
    g_free(text);
    g_free(path);
    return g_byte_array_free_to_bytes(bytes);
}

static void make(Snapshot *snapshot, GBytes *recipe)
{
    snapshot_make(snapshot, g_bytes_get_data(recipe, NULL), g_bytes_get_size(recipe), PAGE, names);
}

static void test_seeds(gconstpointer data)
{
    const Row *row = data;
    GBytes *recipe = seed_bytes(row->seed);
    struct mapped_ram_seen seen;
    Snapshot snapshot;

    make(&snapshot, recipe);
    const struct mapped_ram_bytes bytes = {
        .bytes = snapshot.bytes->data, .length = snapshot.bytes->len, .size = snapshot.size,
    };
    const struct mapped_ram_leave leave = {
        .any_page_size = snapshot.flags & ANY_PAGE_SIZE,
        .lax = snapshot.flags & LAX,
        .unverified = snapshot.flags & UNVERIFIED,
        .skip_gpa = snapshot.flags & SKIP_GPA,
        .page_size = PAGE,
        .machine = snapshot.expect_machine ? "none" : NULL,
    };
    g_assert_true(mapped_ram_model_probe(&bytes, snapshot.base, &leave, &seen) == row->sound);
    if (row->sound) {
        const bool partial = snapshot.flags & PARTIAL;

        g_assert_true(!mapped_ram_model_misfit(&seen, &bytes, locals, G_N_ELEMENTS(locals), partial, PAGE, PAGE) ==
                      row->fits);
    }
    mapped_ram_model_free(&seen);
    g_bytes_unref(recipe);
}

/* Present pages have their name's byte, absent ones are zero whatever lies there. */
static void test_bytes(void)
{
    GBytes *recipe = seed_bytes("sound");
    const struct mapped_ram_leave leave = { .page_size = PAGE };
    struct mapped_ram_seen seen;
    uint8_t memory[4 * PAGE];
    Snapshot snapshot;

    make(&snapshot, recipe);
    const struct mapped_ram_bytes bytes = {
        .bytes = snapshot.bytes->data, .length = snapshot.bytes->len, .size = snapshot.size,
    };
    g_assert_true(mapped_ram_model_probe(&bytes, 0, &leave, &seen));
    g_assert_cmpuint(seen.blocks->len, ==, 3);
    mapped_ram_model_fill(&bytes, mapped_ram_model_block(&seen, 0), memory);
    for (unsigned page = 0; page < 4; page++) {     /* presence 0x0b */
        g_assert_cmphex(memory[page * PAGE + 15], ==, 0);
        g_assert_cmphex(memory[page * PAGE + 16], ==, page == 2 ? 0 : 0x20 + page);
        g_assert_cmphex(memory[page * PAGE + PAGE - 1], ==, page == 2 ? 0 : 0x20 + page);
    }
    mapped_ram_model_free(&seen);
    g_bytes_unref(recipe);
}

/* Any bytes are a recipe, the same each time. */
static void test_pure(void)
{
    GRand *random = g_rand_new_with_seed((guint32)g_test_rand_int());
    uint8_t recipe[64];

    for (unsigned round = 0; round < 2000; round++) {
        const size_t length = (size_t)g_rand_int_range(random, 0, sizeof(recipe) + 1);
        Snapshot first, second;
        GBytes *kept;

        for (size_t i = 0; i < length; i++) {
            recipe[i] = (uint8_t)g_rand_int(random);
        }
        snapshot_make(&first, recipe, length, PAGE, names);
        kept = g_bytes_new(first.bytes->data, first.bytes->len);
        snapshot_make(&second, recipe, length, PAGE, names);
        g_assert_cmpmem(g_bytes_get_data(kept, NULL), g_bytes_get_size(kept), second.bytes->data, second.bytes->len);
        g_assert_cmpuint(first.size, ==, second.size);
        g_assert_cmpuint(first.size, >=, second.bytes->len);
        g_assert_cmpuint(first.size, <=, second.bytes->len + SNAPSHOT_HOLE_MAX);
        g_assert_cmpuint(first.base, ==, second.base);
        g_bytes_unref(kept);
    }
    g_rand_free(random);
}

static void test_hex(void)
{
    static const char *const broken[] = { "0", "00\n0g", "00*", "00*0", "00*x", "\"abc", "00*99999999" };
    unsigned line;
    GByteArray *bytes = hex_parse("# comment\n00 fF*3 \"a#b\"01", &line);

    g_assert_cmpmem(bytes->data, bytes->len, "\0\xff\xff\xff""a#b\1", 8);
    g_byte_array_unref(bytes);
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_assert_null(hex_parse(broken[i], &line));
        g_assert_cmpuint(line, ==, 1 + (i == 1));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *path = g_strconcat("/snapshot/seed/", rows[i].seed, NULL);

        g_test_add_data_func(path, &rows[i], test_seeds);
        g_free(path);
    }
    g_test_add_func("/snapshot/bytes", test_bytes);
    g_test_add_func("/snapshot/hex", test_hex);
    g_test_add_func("/snapshot/pure", test_pure);
    return g_test_run();
}
