/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration": what must not be called so.  Cases of one function alone are with its others. */
#include <fcntl.h>
#include <sys/mman.h>

#include "common/conformance.h"
#include "exec/ram_addr.h"
#include "migration/colo-cache.h"
#include "migration/image.h"
#include "migration/mapped-ram.h"
#include "migration/migration.h"
#include "migration/postcopy-ram.h"
#include "migration/ram-save.h"
#include "qemu/main-loop.h"

static MigrationIncomingState mis;
static MigrationState source;

static RAMBlock *ram(void)
{
    stage_ram_migratable("ram", 16 * PAGE);
    return qemu_ram_block_by_name("ram");
}

static RamSave *save_of(bool set_up)
{
    RamSave *save = ram_save_new(&(RamSaveParameters){ .fd = memfd_create("save", 0), .machine = "none" },
                                 &error_abort);

    ram();
    if (set_up) {
        check_number(ram_save_setup(save, &error_abort), 0);
    }
    return save;
}

static void caches(void)
{
    ram();
    memcore_set_vm_running(false);
    check_number(colo_cache_init(&error_abort), 0);
}

static MappedRamFile *file(void)
{
    return image_probe(image_sound(), 0, &error_abort);
}

#define CASE(name, ...) static void name(void) { __VA_ARGS__; }
#define UNLOCKED(name, setup, call) CASE(name, setup; qemu_mutex_unlock_iothread(); call)

UNLOCKED(cache_init, , colo_cache_init(NULL))
UNLOCKED(cache_put, caches(), colo_cache_put(NULL, 0, NULL, 0, NULL))
UNLOCKED(cache_write_through, caches(), colo_cache_write_through(NULL))
UNLOCKED(cache_flush, caches(), colo_cache_flush(NULL))
UNLOCKED(cache_release, caches(), colo_cache_release())
CASE(flush_without_cache, memcore_set_vm_running(false); colo_cache_flush(NULL))
CASE(put_without_cache, colo_cache_put(ram(), 0, NULL, 0, NULL))

UNLOCKED(load, MappedRamFile *f = file(), mapped_ram_load(f, 0, NULL))
CASE(page_behind, MappedRamFile *f = file(); mapped_ram_page_present(&f->blocks[0], IMAGE_PAGES))
CASE(run_behind, MappedRamFile *f = file(); mapped_ram_run(&f->blocks[0], IMAGE_PAGES))
CASE(read_too_many, MappedRamFile *f = file(); mapped_ram_read_pages(f, &f->blocks[0], 1, IMAGE_PAGES, NULL, NULL))
CASE(read_behind, MappedRamFile *f = file(); mapped_ram_read_pages(f, &f->blocks[0], IMAGE_PAGES + 1, 0, NULL, NULL))

UNLOCKED(save_setup, RamSave *save = save_of(false), ram_save_setup(save, NULL))
UNLOCKED(save_iterate, RamSave *save = save_of(true), ram_save_iterate(save, 1, NULL))
UNLOCKED(save_free, RamSave *save = save_of(true), ram_save_free(save))
CASE(setup_twice, RamSave *save = save_of(true); ram_save_setup(save, NULL))
CASE(iterate_first, ram_save_iterate(save_of(false), 1, NULL))

UNLOCKED(supported, , postcopy_ram_supported_by_host())
UNLOCKED(incoming_init, , postcopy_ram_incoming_init(&mis, 0))
UNLOCKED(prepare_discard, , postcopy_ram_prepare_discard(&mis))
UNLOCKED(discard_range, , postcopy_ram_discard_range(&mis, NULL, 0))
UNLOCKED(enable_notify, , postcopy_ram_enable_notify(&mis))
UNLOCKED(cleanup, , postcopy_ram_incoming_cleanup(&mis))
CASE(no_state, postcopy_state_set((PostcopyState)99))
CASE(no_state_yet, postcopy_state_set((PostcopyState)(POSTCOPY_INCOMING_END + 1)))
UNLOCKED(incoming_in_use, mis.postcopy = (void *)&mis, ram_migrate_incoming(&mis))
CASE(source_with_the_lock, ram_migrate_source(&source))
UNLOCKED(source_in_use, source.source = (void *)&source, ram_migrate_source(&source))

/* Whatever a number stands for, there is a word for messages. */
static void names(void)
{
    check_text(postcopy_state_name((PostcopyState)99), "unknown");
    check_text(postcopy_state_name((PostcopyState)(POSTCOPY_INCOMING_END + 1)), "unknown");
    check_text(postcopy_state_name((PostcopyState)-1), "unknown");
    check_text(postcopy_state_name(POSTCOPY_INCOMING_END), "end");
    check_text(migration_status_name((MigrationStatus)99), "unknown");
    check_text(migration_status_name((MigrationStatus)(MIGRATION_STATUS_CANCELLED + 1)), "unknown");
    check_text(migration_status_name((MigrationStatus)-1), "unknown");
    check_text(migration_status_name(MIGRATION_STATUS_CANCELLED), "cancelled");
    check_text(migration_status_name(MIGRATION_STATUS_FAILED), "failed");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    static const Misuse table[] = {
        { "/R-COLO-1/unlocked", cache_init, "colo_cache_init", "big lock*(R-COLO-1)" },
        { "/R-COLO-2/unlocked", cache_put, "colo_cache_put", "big lock*(R-COLO-2)" },
        { "/R-COLO-3/unlocked", cache_write_through, "colo_cache_write_through", "big lock*(R-COLO-1)" },
        { "/R-COLO-4/unlocked", cache_flush, "colo_cache_flush", "big lock*(R-COLO-1)" },
        { "/R-COLO-5/unlocked", cache_release, "colo_cache_release", "big lock*(R-COLO-5)" },
        { "/R-COLO-4/no-cache", flush_without_cache, "colo_cache_flush", "no caches*(R-COLO-1)" },
        { "/R-COLO-2/no-cache", put_without_cache, "colo_cache_put", "no caches*(R-COLO-1)" },
        { "/R-MLD-6/unlocked", load, "mapped_ram_load", "big lock*(R-MLD-6)" },
        { "/R-MLD-2/page-behind", page_behind, "mapped_ram_page_present", "1 pages from page 72*(R-MRAM-5)" },
        { "/R-MLD-2/run-behind", run_behind, "mapped_ram_run", "1 pages from page 72*(R-MLD-4)" },
        { "/R-MLD-2/read-too-many", read_too_many, "mapped_ram_read_pages", "72 pages from page 1 *(R-MLD-4)" },
        { "/R-MLD-2/read-behind", read_behind, "mapped_ram_read_pages", "0 pages from page 73*(R-MLD-4)" },
        { "/R-SAVE-1/unlocked", save_setup, "ram_save_setup", "big lock*(R-SAVE-1)" },
        { "/R-ITER-8/unlocked", save_iterate, "ram_save_iterate", "big lock*(R-ITER-8)" },
        { "/R-SAVE-2/unlocked-free", save_free, "ram_save_free", "big lock*(R-SAVE-2)" },
        { "/R-SAVE-2/setup-twice", setup_twice, "ram_save_setup", "is set up already*(R-SAVE-2)" },
        { "/R-SAVE-2/iterate-first", iterate_first, "ram_save_iterate", "is new;*(R-SAVE-2)" },
        { "/R-PC-10/unlocked", supported, "postcopy_ram_supported_by_host", "big lock*(R-PC-10)" },
        { "/R-PC-13/unlocked", incoming_init, "postcopy_ram_incoming_init", "big lock*(R-PC-13)" },
        { "/R-PC-14/unlocked", prepare_discard, "postcopy_ram_prepare_discard", "big lock*(R-PC-14)" },
        { "/R-PC-15/unlocked", discard_range, "postcopy_ram_discard_range", "big lock*(R-PC-15)" },
        { "/R-PC-20/unlocked", enable_notify, "postcopy_ram_enable_notify", "big lock*(R-PC-20)" },
        { "/R-PC-24/unlocked", cleanup, "postcopy_ram_incoming_cleanup", "big lock*(R-PC-24)" },
        { "/R-PC-1/no-state", no_state, "postcopy_state_set", "99 is no state*(R-PC-1)" },
        { "/R-PC-1/no-state-yet", no_state_yet, "postcopy_state_set", "6 is no state*(R-PC-1)" },
        { "/R-PC-51/in-use", incoming_in_use, "ram_migrate_incoming", "in use*(R-PC-51)" },
        { "/R-PC-52/with-the-lock", source_with_the_lock, "ram_migrate_source", "big lock*(R-PC-52)" },
        { "/R-PC-52/in-use", source_in_use, "ram_migrate_source", "in use*(R-PC-52)" },
    };
    conformance_misuses(table);
    conformance_case("/R-PC-1/names", names);
    return g_test_run();
}
