/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3: what changes blocks, their names and who hears of them needs the big lock. */
#include "common/ram.h"

#include <fcntl.h>
#include <unistd.h>

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

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    static const Misuse table[] = {
        { "/R-RAM-8/unlocked-anonymous", new_anonymous, "ram_block_new_anonymous", "big lock" },
        { "/R-RAM-8/unlocked-file", new_file, "ram_block_new_from_fd", "big lock" },
        { "/R-RAM-8/unlocked-pointer", new_pointer, "ram_block_new_from_pointer", "big lock" },
        { "/R-RES-1/unlocked", resize, "", "big lock" },
        { "/R-RAM-14/unlocked", set_name, "", "big lock" },
        { "/R-RAM-14/unlocked-unset", unset_name, "qemu_ram_unset_idstr", "big lock" },
        { "/R-NOTI-1/unlocked", notifier_comes, "ram_block_notifier_add", "big lock" },
        { "/R-NOTI-2/unlocked", notifier_goes, "ram_block_notifier_remove", "big lock" },
        { "/R-NOTI-1/unlocked-extended", extended_comes, "ram_block_notifier_add_extended", "big lock" },
        { "/R-NOTI-2/unlocked-extended", extended_goes, "ram_block_notifier_remove_extended", "big lock" },
        { "/R-NOTI-3/unlocked-add", notify_add, "ram_block_notify_add", "big lock" },
        { "/R-NOTI-3/unlocked-remove", notify_remove, "ram_block_notify_remove", "big lock" },
    };
    conformance_misuses(table);
    return ram_run();
}
