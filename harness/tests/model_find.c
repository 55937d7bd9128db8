/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model against the worked examples of memory_region_find, and the getters. */
#include <glib.h>

#include "model_world.h"

static struct world w;

#define MEMCORE MODEL_PROFILE_MEMCORE
#define QEMU MODEL_PROFILE_QEMU_7_2

static void assert_find(const char *query, const char *expected)
{
    g_autofree char *step = g_strdup_printf("find %s\n", query);

    play(&w, step);
    assert_found(&w, expected);
    g_assert_cmpuint(w.last.events.count, ==, 0);
}

/* r = r0, c = r1, a = r2, b = r3, top = r4. */
#define FIND_TREE \
    CONTAINER("r0", WHOLE) CONTAINER("r1", "0x8000") IO("r2", "0x1000") IO("r3", "0x1000") \
    IO("r4", "0x1000") \
    ADD("r0", "r1", "0x10000", "0") ADD("r1", "r2", "0x800", "0") ADD("r0", "r3", "0x14000", "0") \
    ADD("r0", "r4", "0xfffffffffffff000", "0")

static void test_find(void)
{
    world_begin(&w, MEMCORE);
    play(&w, FIND_TREE "space as0 root r0 bare\n");
    assert_find("r1 0x0 size 0x800", "nothing");
    assert_find("r1 0x0 size 0x801", "0x10800+0x1 r2@0x0");
    assert_find("r1 0x900 size 0x10000", "0x10900+0xf00 r2@0x100");
    assert_find("r2 0xfffffffffffffff0 size 0x20", "0x10800+0x10 r2@0x0");
    assert_find("r4 0xf00 size " WHOLE, "0xffffffffffffff00+0x100 r4@0xf00");
    assert_find("r4 0x1000 size 0x10", "nothing");
    /* R-FIND-4: outside of what was asked about. */
    assert_find("r1 0x4000 size 0x4", "0x14000+0x4 r3@0x0");
    play(&w, "enabled r1 off\n");
    assert_find("r1 0x4000 size 0x4", "0x14000+0x4 r3@0x0");
    assert_find("r2 0x0 size 0x4", "nothing");
    /* R-FIND-6 */
    play(&w, "present r3 0x0\n");
    g_assert_false(w.last.truth);
    play(&w, "present r1 0x4000\n");
    g_assert_true(w.last.truth);
    play(&w, "present r1 0x800\n");
    g_assert_false(w.last.truth);
    world_end(&w);
}

/* R-FIND-4: only via an alias, or with a space rooted half-way: nothing. */
static void test_find_sees_one_space(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") RAM("r1", "0x1000") ALIAS("r2", "r1", "0x0", "0x1000")
         ADD("r0", "r2", "0x1000", "0") "readonly r2 on\n" CONTAINER("r3", "0x1000") IO("r4", "0x100")
         CONTAINER("r5", "0x10000") ADD("r3", "r4", "0x10", "0") ADD("r5", "r3", "0x4000", "0")
         "space as0 root r0 bare\n" "space as1 root r3 bare\n");
    assert_find("r1 0x0 size 0x1000", "nothing");
    assert_find("r0 0x1800 size 0x1000", "0x1800+0x800 r1@0x800 readonly");
    assert_find("r3 0x0 size 0x1000", "nothing");
    /* R-TX-5: in a transaction the published view is searched, along the new container links. */
    play(&w, "begin\n" "del r3\n" "del r4\n");
    assert_find("r3 0x0 size 0x1000", "0x4010+0x100 r4@0x0");
    play(&w, "commit\n");
    assert_find("r3 0x0 size 0x1000", "nothing");
    world_end(&w);
}

static void test_find_size_0(void)
{
    world_begin(&w, MEMCORE);
    play(&w, IO("r0", "0x1000") "space as0 root r0 bare\n");
    assert_find("r0 0x10 size 0x0", "nothing");
    world_end(&w);

    world_begin(&w, QEMU);
    play(&w, IO("r0", "0x1000") "space as0 root r0 bare\n");
    assert_find("r0 0x10 size 0x0", "0x10+0x0 r0@0x10");
    assert_find("r0 0x0 size 0x0", "nothing");
    assert_find("r0 0x1000 size 0x0", "nothing");
    world_end(&w);
}

static const struct region_facts *query(const char *step)
{
    play(&w, step);
    return &w.last.facts;
}

static void test_kinds(void)
{
    const struct region_facts *f;

    world_begin(&w, MEMCORE);
    play(&w, "owner o2\n" "ram r0 size 0x1234 owner o2 kind ram\n" "ram r1 size 0x1000 owner none kind rom\n"
         "ram_ptr r2 size 0x64 owner none kind ram\n" "rom_device r3 size 0x1000 owner none kind rom_device\n"
         "io r4 size " WHOLE " owner none named escaped endian big\n"
         "alias r5 of r0 offset 0x100 size 0x40 owner none named shared\n"
         "alias r6 of r5 offset 0x1000 size 0x40 owner none named unnamed\n"
         "ram r7 size 0x1000 owner none kind resizeable\n" "readonly r4 on\n" "log_start migration\n");

    f = query("query r0\n");
    g_assert_cmphex(f->size, ==, 0x1234);
    g_assert_true(f->is_ram && !f->is_rom && !f->is_romd && !f->is_ram_device && !f->is_mapped);
    g_assert_cmpuint(f->dirty_log_mask, ==, 4);
    g_assert_true(f->logging[2] && !f->logging[0]);
    g_assert_cmpstr(f->name, ==, "r0");
    g_assert_cmpint(f->owner, ==, 2);
    g_assert_cmphex(f->alignment, ==, 0x200000);
    g_assert_true(f->has_ram_addr && f->has_ram_ptr);
    g_assert_cmpint(f->from_host_region, ==, 0);

    f = query("query r1\n");
    g_assert_true(f->is_ram && f->is_rom);
    g_assert_cmpint(f->owner, ==, OBSERVED_UNATTACHED);

    f = query("query r2\n");
    g_assert_true(f->is_ram && !f->is_ram_device && f->has_ram_ptr);
    g_assert_cmpuint(f->dirty_log_mask, ==, 0);
    g_assert_cmphex(f->alignment, ==, 0);
    g_assert_cmpint(f->from_host_region, ==, 2);
    /* R-RAM-22: two blocks over caller memory may overlap, then it is not asked. */
    play(&w, "ram_ptr r8 size 0x1000 owner none kind device\n");
    f = query("query r2\n");
    g_assert_true(f->has_ram_ptr);
    g_assert_cmpint(f->from_host_region, ==, OBSERVED_NONE);
    f = query("query r8\n");
    g_assert_true(f->is_ram && f->is_ram_device && f->has_ram_addr);

    f = query("query r3\n");
    g_assert_true(!f->is_ram && f->is_romd && f->has_ram_addr);
    g_assert_cmpuint(f->dirty_log_mask, ==, 4);
    play(&w, "romd r3 off\n");
    g_assert_false(query("query r3\n")->is_romd);

    f = query("query r4\n");
    g_assert_cmphex(f->size, ==, UINT64_MAX);
    g_assert_true(!f->is_ram && !f->is_rom && !f->has_ram_addr && !f->has_ram_ptr);
    g_assert_cmpstr(f->name, ==, "a/[b]\\c");
    g_assert_cmpint(f->fd, ==, -1);

    /* R-RAM-24, R-RAM-26: pointers follow aliases, addresses, masks and predicates do not. */
    f = query("query r5\n");
    g_assert_true(!f->is_ram && !f->has_ram_addr && f->has_ram_ptr);
    g_assert_cmpuint(f->dirty_log_mask, ==, 0);
    g_assert_cmphex(f->ram_ptr_offset, ==, 0x100);
    g_assert_cmpint(f->from_host_region, ==, 0);
    g_assert_cmphex(f->from_host_offset, ==, 0x100);
    g_assert_cmpstr(f->name, ==, "shared");

    /* Up to the used length, which is whole pages. */
    f = query("query r6\n");
    g_assert_false(f->has_name);
    g_assert_cmpint(f->owner, ==, OBSERVED_NONE);
    g_assert_cmphex(f->ram_ptr_offset, ==, 0x1100);
    play(&w, "alias_offset r6 0x1f00\n");
    g_assert_false(query("query r6\n")->has_ram_ptr);

    g_assert_cmpuint(query("query r7\n")->dirty_log_mask, ==, 0);
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/R-FIND-3/find", test_find);
    g_test_add_func("/model/R-FIND-4/one-space", test_find_sees_one_space);
    g_test_add_func("/model/R-FIND-5/size-0", test_find_size_0);
    g_test_add_func("/model/R-REG-6/kinds", test_kinds);
    return g_test_run();
}
