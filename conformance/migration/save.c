/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapters 4 and 5: saving RAM while it changes (R-ITER-*, R-SAVE-*). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "migration/mapped-ram.h"
#include "qemu/main-loop.h"
#include "save_stage.h"

enum { PAGES = 72 };

static void begin(void)
{
    save_begin(PAGES);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (page % 3 == 0 || page == PAGES - 1) {
            memset(save_block()->host + page * PAGE, (int)(page + 1), PAGE);
        }
    }
}

static RamSaveParameters parameters(void)
{
    RamSaveParameters parameters = parameters_to_path();

    parameters.alignment = PAGE;
    return parameters;
}

static RamSave *new_save(void)
{
    const RamSaveParameters p = parameters();

    return save_new(&p);
}

/* --- cases ------------------------------------------------------------------------------------ */

static void saved_and_loaded(void)
{
    RamSave *save;
    MappedRamFile *file;
    int fd;

    begin();
    save = new_save();
    check_number(ram_save_run(save, &error_abort), 0);
    check_left();
    check_number(stage.stopped, 1);
    check_number(stage.resumed, 0);
    check_path(false);
    check_number(files_in_folder(), 1);
    ram_save_free(save);

    memset(save_block()->host, 0x55, PAGES * PAGE);
    fd = open(stage.path, O_RDONLY | O_CLOEXEC);
    file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    memcore_set_vm_running(false);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    memcore_set_vm_running(true);
    check(memcmp(save_block()->host, stage.at_stop, PAGES * PAGE) == 0);
    mapped_ram_free(file);
    close(fd);
    save_end();
}

/* Interleavings of the guest with the save: what is in the file is memory at the stop, nothing older. */
static void live(void)
{
    GRand *random = g_rand_new_with_seed(1);

    begin();
    for (unsigned round = 0; round < 100; round++) {
        RamSaveParameters p = parameters();
        RamSave *save;
        int more = 1;

        p.enough = 3;
        p.max_rounds = 8;
        save = ram_save_new(&p, &error_abort);
        check_number(ram_save_setup(save, &error_abort), 0);
        check_remaining(save);
        while (more > 0) {
            for (unsigned i = g_rand_int_range(random, 0, 4); i > 0; i--) {
                guest_writes((uint64_t)g_rand_int_range(random, 0, PAGES), (uint8_t)g_rand_int_range(random, 0, 3));
            }
            more = ram_save_iterate(save, (uint64_t)g_rand_int_range(random, 1, 40), &error_abort);
            check_remaining(save);
        }
        guest_writes((uint64_t)g_rand_int_range(random, 0, PAGES), (uint8_t)round);
        check_number(ram_save_complete(save, &error_abort), 0);
        check_left();
        check_path(false);
        ram_save_free(save);
    }
    g_rand_free(random);
    save_end();
}

/* A page that was written to the file and is zero later is absent. */
static void page_becomes_zero(void)
{
    RamSave *save;

    begin();
    save = new_save();
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    check(save_block()->file_bmap[0] & 1);
    guest_writes(0, 0);
    guest_writes(1, 9);
    check_number(ram_save_complete(save, &error_abort), 0);
    check_number(stage.at_stop[0], 0);
    check_path(false);
    ram_save_free(save);
    save_end();
}

static void all_pages_kept(void)
{
    RamSaveParameters p;
    RamSave *save;

    begin();
    p = parameters();
    p.keep_zero_pages = true;
    save = ram_save_new(&p, &error_abort);
    check_number(ram_save_run(save, &error_abort), 0);
    check_path(true);
    ram_save_free(save);
    save_end();
}

static uint64_t pages_saved(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters p = parameters();
    MappedRamFile *file;
    RamSave *save;
    uint64_t present;

    p.path = NULL;
    p.fd = fd;
    save = ram_save_new(&p, &error_abort);
    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);
    file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    present = file->blocks[0].present;
    mapped_ram_free(file);
    close(fd);
    return present;
}

/*
 * A page with one byte that is not zero is not a zero page, wherever the byte and whichever bit it is; with vectors of
 * each width that the processor has, and without.
 */
static void one_byte_with(size_t most)
{
    if (most > 0 && memcore_limit_vectors(most) != most) {
        g_test_message("no vectors of %zu bytes here", most);
        return;
    }
    check_number(memcore_limit_vectors(most), most);
    begin();
    for (uint64_t round = 0; round < 4096 / PAGES + 1; round++) {
        memset(save_block()->host, 0, PAGES * PAGE);
        for (uint64_t page = 0; page < PAGES; page++) {
            save_block()->host[page * PAGE + PAGE - 1 - (round * PAGES + page) % PAGE] = (uint8_t)(1 << page % 8);
        }
        check_number(pages_saved(), PAGES);
    }
    memset(save_block()->host, 0, PAGES * PAGE);
    check_number(pages_saved(), 0);
    save_end();
    stage_release(stage.ram);
    memcore_limit_vectors(SIZE_MAX);
}

static void one_byte(void)
{
    one_byte_with(0);
    one_byte_with(16);
    one_byte_with(32);
    one_byte_with(64);
}

static void layout(void)
{
    const uint64_t mebibyte = 1 << 20;
    RamSaveParameters p;
    MappedRamFile *file;
    RamSave *save;
    int fd;

    begin();
    p = parameters();
    p.alignment = 0;
    save = ram_save_new(&p, &error_abort);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(save_block()->bitmap_offset, 0x81);
    check_number(save_block()->pages_offset, mebibyte);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);
    fd = open(stage.path, O_RDONLY | O_CLOEXEC);
    file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    check_number(file->blocks[0].bitmap_offset, 0x81);
    check_number(file->blocks[0].pages_offset, mebibyte);
    mapped_ram_free(file);
    close(fd);
    save_end();
}

/* A bitmap that ends where pages may begin: they do, without a gap. */
static void layout_without_gap(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters p;
    RamSave *save;

    begin();
    p = parameters();
    p.path = NULL;
    p.fd = fd;
    p.base = PAGE - 0x81 - (PAGES + 63) / 64 * 8;
    save = ram_save_new(&p, &error_abort);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(save_block()->bitmap_offset, p.base + 0x81);
    check_number(save_block()->pages_offset, PAGE);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);
    close(fd);
    save_end();
}

static void counters(void)
{
    RamSaveCounters c;
    RamSave *save;

    begin();
    memset(save_block()->host, 0, PAGES * PAGE);
    memset(save_block()->host + 5 * PAGE, 1, 2 * PAGE);
    save = new_save();
    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_counters(save, &c);
    check_number(c.total, PAGES * PAGE);
    check_number(c.normal, 2);
    check_number(c.zero, PAGES - 2);
    check_number(c.remaining, 0);
    check_number(c.dirty_sync_count, 2);
    ram_save_free(save);
    save_end();
}

/* What is discarded is neither looked at nor saved, however often dirty pages are looked for. */
static void discarded_pages_stay_out(void)
{
    const uint64_t granule = MAX(8 * PAGE, 4096), there = granule / PAGE;
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    BitmapDiscardManager *manager;
    RamSaveCounters c;
    RamSave *save;

    begin();
    manager = bitmap_discard_manager_new(stage.ram, granule, NULL, &error_abort);
    stage_add(root, 0, stage.ram);    /* before that it has no manager, to those who ask (R-RDM-5) */
    check_number(bitmap_discard_manager_plug(manager, granule, granule), 0);
    memset(save_block()->host + granule, 0x77, granule);
    save = new_save();
    check_number(ram_save_setup(save, &error_abort), 0);
    ram_save_counters(save, &c);
    check_number(c.remaining, there);
    check_remaining(save);
    guest_writes(there, 0x78);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_counters(save, &c);
    check_number(c.normal, there);
    check_number(c.zero, 0);
    check_path(false);
    ram_save_free(save);
    stage_del(root, stage.ram);
    check(bitmap_discard_manager_destroy(manager, &error_abort));
    save_end();
}

/* What is left counts pages of blocks, not of the space they stand in. */
static void gaps_are_not_counted(void)
{
    MemoryRegion *gone = stage_ram("gone", 1000 * PAGE);
    RamSaveCounters c;
    RamSave *save;

    begin();
    stage_release(gone);
    memcore_drain();
    check(save_block()->offset >= 1000 * PAGE);
    save = new_save();
    check_number(ram_save_setup(save, &error_abort), 0);
    ram_save_counters(save, &c);
    check_number(c.remaining, PAGES);
    while (ram_save_iterate(save, 16, &error_abort) > 0) {
        check_remaining(save);
    }
    check_number(ram_save_complete(save, &error_abort), 0);
    check_path(false);
    ram_save_free(save);
    save_end();
}

static void cancelled(void)
{
    begin();
    for (unsigned steps = 0; steps < 3; steps++) {
        RamSave *save = new_save();
        Error *error = NULL;

        check_number(ram_save_setup(save, &error_abort), 0);
        if (steps == 1) {
            check_number(ram_save_iterate(save, 10, &error_abort), 1);
        }
        ram_save_cancel(save);
        check_number(steps == 2 ? ram_save_complete(save, &error) : ram_save_iterate(save, 1, &error), -ECANCELED);
        check_text(error_get_pretty(error), "the save was cancelled");
        error_free(error);
        check_left();
        check_number(files_in_folder(), 0);
        check_number(stage.stopped, 0);
        ram_save_free(save);
    }
    {
        RamSave *save = new_save();

        check_number(ram_save_run(save, &error_abort), 0);
        ram_save_free(save);
    }
    save_end();
}

static void one_at_a_time(void)
{
    RamSave *first, *second;
    Error *error = NULL;

    begin();
    first = new_save();
    second = new_save();
    check_number(ram_save_setup(first, &error_abort), 0);
    check_number(ram_save_setup(second, &error), -EBUSY);
    error_free(error);
    ram_save_free(first);       /* in the middle */
    check_left();
    check_number(files_in_folder(), 0);
    check_number(ram_save_run(second, &error_abort), 0);
    ram_save_free(second);
    save_end();
}

static void blocks_change(void)
{
    Error *error = NULL;
    MemoryRegion *other;
    RamSave *save;

    begin();
    save = new_save();
    check_number(ram_save_setup(save, &error_abort), 0);
    other = stage_ram_migratable("other", PAGES * PAGE);
    check_number(ram_save_iterate(save, 1, &error), -EBUSY);
    error_free(error);
    check_left();
    ram_save_free(save);

    save = new_save();
    check_number(ram_save_setup(save, &error_abort), 0);
    stage_release(other);
    memcore_drain();            /* its memory is gone */
    error = NULL;
    check_number(ram_save_complete(save, &error), -EBUSY);
    error_free(error);
    check_left();
    check_number(files_in_folder(), 0);
    ram_save_free(save);
    save_end();
}

/* The last value that is allowed of each parameter, and the first that is not. */
static void parameters_at_their_limits(void)
{
    const struct {
        unsigned machine;               /* bytes of its name */
        uint64_t alignment;
        unsigned workers, clear_bmap_shift;
        const char *refused;            /* what the message says; NULL: they are good */
    } rows[] = {
        { 0, PAGE, 0, 0, "machine name has 0 bytes" },
        { 1, PAGE, 0, 0, NULL },
        { 255, PAGE, 0, 0, NULL },
        { 256, PAGE, 0, 0, "machine name has 256 bytes" },
        { 4, PAGE / 2, 0, 0, "alignment" },
        { 4, 3 * PAGE, 0, 0, "alignment" },
        { 4, UINT64_C(1) << 60, 0, 0, NULL },
        { 4, UINT64_C(1) << 61, 0, 0, "alignment" },
        { 4, UINT64_C(1) << 63, 0, 0, "alignment" },
        { 4, PAGE, 16, 0, NULL },
        { 4, PAGE, 17, 0, "17 workers; at most 16" },
        { 4, PAGE, 0, CLEAR_BITMAP_SHIFT_MIN - 1, "clear_bmap_shift is 5" },
        { 4, PAGE, 0, CLEAR_BITMAP_SHIFT_MIN, NULL },
        { 4, PAGE, 0, CLEAR_BITMAP_SHIFT_MAX, NULL },
        { 4, PAGE, 0, CLEAR_BITMAP_SHIFT_MAX + 1, "clear_bmap_shift is 32" },
    };

    begin();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *machine = g_strnfill(rows[i].machine, 'm');
        RamSaveParameters p = parameters();
        Error *error = NULL;
        RamSave *save;

        p.machine = machine;
        p.alignment = rows[i].alignment;
        p.workers = rows[i].workers;
        p.clear_bmap_shift = (uint8_t)rows[i].clear_bmap_shift;
        save = ram_save_new(&p, &error);
        if (!check_number(save == NULL, rows[i].refused != NULL) ||
            !check_number(error && strstr(error_get_pretty(error), rows[i].refused ? rows[i].refused : ""),
                          rows[i].refused != NULL)) {
            g_test_message("row %zu: %s", i, error ? error_get_pretty(error) : "accepted");
        }
        error_free(error);
        ram_save_free(save);
        g_free(machine);
    }
    save_end();
}

static void wrong_parameters(void)
{
    RamSaveParameters p;
    Error *error = NULL;

    begin();
    p = parameters();
    p.machine = NULL;
    check_pointer(ram_save_new(&p, &error), NULL);
    check(error && strstr(error_get_pretty(error), "machine name has 0 bytes"));
    error_free(error);
    error = NULL;
    p = parameters();
    p.base = PAGE;
    check_pointer(ram_save_new(&p, &error), NULL);
    check(error && strstr(error_get_pretty(error), "a new file starts at 0"));
    error_free(error);
    save_end();
}

static void completed_without_the_lock(void)
{
    RamSave *save;

    begin();
    save = new_save();
    check_number(ram_save_setup(save, &error_abort), 0);
    qemu_mutex_unlock_iothread();
    ram_save_complete(save, NULL);
}

static void completed_twice(void)
{
    RamSave *save;

    begin();
    save = new_save();
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_complete(save, NULL);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-ITER-1/discarded-pages-stay-out", discarded_pages_stay_out);
    conformance_case("/R-ITER-1/gaps-are-not-counted", gaps_are_not_counted);
    conformance_case("/R-ITER-3/live", live);
    conformance_case("/R-ITER-4/becomes-zero", page_becomes_zero);
    conformance_case("/R-ITER-9/saved-and-loaded", saved_and_loaded);
    conformance_misuse("/R-ITER-9/completed-without-the-lock", completed_without_the_lock, "ram_save_complete",
                       "without the big lock*(R-ITER-9)");
    conformance_misuse("/R-SAVE-2/completed-twice", completed_twice, "ram_save_complete", "is over;*(R-SAVE-2)");
    conformance_case("/R-ITER-11/blocks-change", blocks_change);
    conformance_case("/R-SAVE-1/saved-and-loaded", saved_and_loaded);
    conformance_case("/R-SAVE-1/parameters-at-their-limits", parameters_at_their_limits);
    conformance_case("/R-SAVE-1/wrong-parameters", wrong_parameters);
    conformance_case("/R-SAVE-2/cancelled", cancelled);
    conformance_case("/R-SAVE-2/one-at-a-time", one_at_a_time);
    conformance_case("/R-SAVE-3/layout", layout);
    conformance_case("/R-SAVE-3/layout-without-gap", layout_without_gap);
    conformance_case("/R-SAVE-4/becomes-zero", page_becomes_zero);
    conformance_case("/R-SAVE-4/one-byte", one_byte);
    conformance_case("/R-SAVE-4/zero-pages-kept", all_pages_kept);
    conformance_case("/R-SAVE-12/counters", counters);
    return g_test_run();
}
