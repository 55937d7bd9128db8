/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3: what changes blocks, their names and who hears of them needs the big lock. */
#include "common/ram.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "exec/memory.h"
#include "qemu/main-loop.h"

static void *storage(void)
{
    return stage_storage(sizeof(MemoryRegion));
}

#define UNLOCKED(name, setup, call) \
    static void name(void) \
    { \
        setup; \
        qemu_mutex_unlock_iothread(); \
        call; \
    }

UNLOCKED(new_anonymous, void *mr = storage(),
         memory_region_init_ram_nomigrate(mr, NULL, NULL, host_page(), &error_fatal))
UNLOCKED(new_file, void *mr = storage(); int fd = open(file_made("file", host_page()), O_RDWR),
         memory_region_init_ram_from_fd(mr, NULL, NULL, host_page(), RAM_SHARED, fd, 0, &error_fatal))
UNLOCKED(new_pointer, void *mr = storage(),
         memory_region_init_ram_ptr(mr, NULL, NULL, host_page(), stage_storage(host_page())))
UNLOCKED(resize, RAMBlock *b = block_of(stage_resizeable("victim", 1, 2, NULL)), qemu_ram_resize(b, 2, NULL))
UNLOCKED(set_name, RAMBlock *b = block_of(stage_ram("victim", 1)), qemu_ram_set_idstr(b, "name", NULL))
UNLOCKED(unset_name, RAMBlock *b = block_of(stage_ram_migratable("victim", 1)), qemu_ram_unset_idstr(b))
UNLOCKED(notifier_comes, RAMBlockNotifier n = { 0 }, ram_block_notifier_add(&n))
UNLOCKED(notifier_goes, RAMBlockNotifier n = { 0 }; ram_block_notifier_add(&n), ram_block_notifier_remove(&n))
UNLOCKED(extended_comes, RAMBlockNotifierExtended n = { 0 }, ram_block_notifier_add_extended(&n))
UNLOCKED(extended_goes, RAMBlockNotifierExtended n = { 0 }; ram_block_notifier_add_extended(&n),
         ram_block_notifier_remove_extended(&n))
UNLOCKED(notify_add, , ram_block_notify_add(NULL, 1))
UNLOCKED(notify_remove, , ram_block_notify_remove(NULL, 1))

/* ---- what needs no lock ---- */

static int count_blocks(RAMBlock *block, void *opaque)
{
    (void)block;
    ++*(unsigned *)opaque;
    return 0;
}

static void keep_text(void *opaque, const char *text)
{
    g_string_append(opaque, text);
}

/*
 * On a thread with neither the big lock nor a read section: who follows a pointer that RCU guards enters a section by
 * himself.  A VERIFY build stops those that do not.
 */
static void anybody_may_ask(void)
{
    MemoryRegion *ram = stage_ram("ram", 2 * UNIT);
    RAMBlock *block = stage_migratable(ram, "victim"), *found;
    uint8_t *host = block->host;
    const ram_addr_t start = ram_addr(ram, 0);
    unsigned long log = 2;
    GString *text = stage_log();
    ram_addr_t offset = 0;
    unsigned blocks = 0;

    memcore_set_print(keep_text, text);
    block->bmap = bits_new(2 * UNIT / TARGET_PAGE_SIZE);
    clean(ram);
    qemu_mutex_unlock_iothread();

    check_pointer(qemu_ram_block_by_name("victim"), block);
    check_pointer(qemu_ram_block_by_name("nobody"), NULL);
    found = qemu_ram_block_from_host(host + 5, false, &offset);
    check_pointer(found, block);
    check_number(offset, 5);
    check_number(qemu_ram_addr_from_host(host + 6), start + 6);
    check_number(qemu_ram_addr_from_host_nofail(host), start);
    check_pointer(qemu_map_ram_ptr(NULL, start + 7), host + 7);
    check_number(qemu_ram_pagesize_largest(), host_page());
    check_number(qemu_ram_foreach_block(count_blocks, &blocks), 0);
    check_number(blocks, 1);
    ram_block_dump(NULL);
    check(strstr(text->str, "victim") != NULL);

    cpu_physical_memory_set_dirty_flag(start, VGA);
    cpu_physical_memory_set_dirty_range(start + PAGES(2), PAGES(1), EVERYBODY);
    check_number(cpu_physical_memory_set_dirty_lebitmap(&log, start + UNIT, 2), 1);
    check(cpu_physical_memory_get_dirty(start, PAGES(1), VGA));
    check(cpu_physical_memory_get_dirty_flag(start + PAGES(2), CODE));
    check(cpu_physical_memory_all_dirty(start + PAGES(2), PAGES(1), MIGRATION));
    check(cpu_physical_memory_is_clean(start + PAGES(1)));
    check_number(cpu_physical_memory_range_includes_clean(start, PAGES(1), EVERYBODY), ON_CODE | ON_MIGRATION);
    check_number(cpu_physical_memory_sync_dirty_bitmap(block, 0, UNIT), 1);
    check(cpu_physical_memory_test_and_clear_dirty(start, PAGES(1), VGA));
    cpu_physical_memory_clear_dirty_range(start, UNIT);
    check(!cpu_physical_memory_get_dirty(start, UNIT, VGA));
    check(!rcu_read_ongoing());

    qemu_mutex_lock_iothread();
    memcore_set_print(NULL, NULL);
    block->bmap = NULL;
}

/* The list stands still for whoever has its mutex, too. */
static void walk_with_the_mutex(void)
{
    unsigned blocks = 0;
    RAMBlock *block;

    stage_ram("one", 1);
    stage_ram("two", 1);
    qemu_mutex_unlock_iothread();
    qemu_mutex_lock_ramlist();
    RAMBLOCK_FOREACH(block) {
        blocks++;
    }
    qemu_mutex_unlock_ramlist();
    qemu_mutex_lock_iothread();
    check_number(blocks, 2);
}

#ifdef MEMCORE_VERIFY
UNLOCKED(walk_without, RAMBlock *block; stage_ram("one", 1); qemu_mutex_lock_ramlist(); qemu_mutex_unlock_ramlist(),
         RAMBLOCK_FOREACH(block) { break; })
#endif

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    static const Misuse table[] = {
        { "/R-RAM-8/unlocked-anonymous", new_anonymous, "memory_region_init_ram_nomigrate", "big lock*(R-RAM-8)" },
        { "/R-RAM-8/unlocked-file", new_file, "memory_region_init_ram_from_fd", "big lock*(R-RAM-8)" },
        { "/R-RAM-8/unlocked-pointer", new_pointer, "memory_region_init_ram_ptr", "big lock*(R-RAM-8)" },
        { "/R-RES-1/unlocked", resize, "qemu_ram_resize", "big lock*(R-TX-1)" },
        { "/R-RAM-14/unlocked", set_name, "qemu_ram_set_idstr", "big lock*(R-RAM-14)" },
        { "/R-RAM-14/unlocked-unset", unset_name, "qemu_ram_unset_idstr", "big lock*(R-RAM-14)" },
        { "/R-NOTI-1/unlocked", notifier_comes, "ram_block_notifier_add", "big lock*(R-NOTI-1)" },
        { "/R-NOTI-2/unlocked", notifier_goes, "ram_block_notifier_remove", "big lock*(R-NOTI-2)" },
        { "/R-NOTI-1/unlocked-extended", extended_comes, "ram_block_notifier_add_extended", "big lock*(R-NOTI-1)" },
        { "/R-NOTI-2/unlocked-extended", extended_goes, "ram_block_notifier_remove_extended", "big lock*(R-NOTI-2)" },
        { "/R-NOTI-3/unlocked-add", notify_add, "ram_block_notify_add", "big lock*(R-NOTI-7)" },
        { "/R-NOTI-3/unlocked-remove", notify_remove, "ram_block_notify_remove", "big lock*(R-NOTI-7)" },
#ifdef MEMCORE_VERIFY
        { "/R-LOCK-1/walk-without-any", walk_without, "walk_without", "read section*(R-LOCK-1)" },
#endif
    };
    conformance_misuses(table);
    conformance_case("/R-LOCK-2/anybody-may-ask", anybody_may_ask);
    conformance_case("/R-LOCK-1/walk-with-the-mutex", walk_with_the_mutex);
    return ram_run();
}
