/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "save_stage.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "migration/mapped-ram.h"

struct save_stage stage;

RAMBlock *save_block(void)
{
    return qemu_ram_block_by_name("ram");
}

static void stop_writers(void *opaque)
{
    (void)opaque;
    stage.stopped++;
    memcpy(stage.at_stop, save_block()->host, stage.pages * PAGE);
}

static void resume_writers(void *opaque)
{
    (void)opaque;
    stage.resumed++;
}

void guest_writes(uint64_t page, uint8_t value)
{
    memset(save_block()->host + page * PAGE, value, PAGE);
    memory_region_set_dirty(stage.ram, page * PAGE, PAGE);
}

void save_begin(uint64_t pages)
{
    stage = (struct save_stage){
        .ram = stage_ram_migratable("ram", pages * PAGE),
        .pages = pages,
        .at_stop = g_malloc(pages * PAGE),
        .fd = memfd_create("save", MFD_CLOEXEC),
        .folder = g_dir_make_tmp("memcore-save-XXXXXX", NULL),
    };
    g_assert_cmpint(stage.fd, >=, 0);
    g_assert_nonnull(stage.folder);
    stage.path = g_build_filename(stage.folder, "ram.mig", NULL);
}

unsigned files_in_folder(void)
{
    GDir *dir = g_dir_open(stage.folder, 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(dir)) {
        count++;
    }
    g_dir_close(dir);
    return count;
}

void save_end(void)
{
    unlink(stage.path);
    check_number(files_in_folder(), 0);
    rmdir(stage.folder);
    close(stage.fd);
    g_free(stage.path);
    g_free(stage.folder);
    g_free(stage.at_stop);
}

RamSaveParameters parameters_to_path(void)
{
    return (RamSaveParameters){
        .path = stage.path,
        .machine = "none",
        .alignment = MAX(PAGE, 4096),
        .stop_writers = stop_writers,
        .resume_writers = resume_writers,
    };
}

RamSaveParameters parameters_to_fd(void)
{
    RamSaveParameters parameters = parameters_to_path();

    parameters.path = NULL;
    parameters.fd = stage.fd;
    return parameters;
}

RamSave *save_new(const RamSaveParameters *parameters)
{
    return ram_save_new(parameters, &error_abort);
}

void save_run(const RamSaveParameters *parameters)
{
    RamSave *save = save_new(parameters);

    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);
}

void check_file(int fd, bool all_present)
{
    uint8_t *bytes = g_malloc(stage.pages * PAGE);
    Error *error = NULL;
    MappedRamFile *file = mapped_ram_probe(fd, 0, 0, "none", &error);

    if (check(file != NULL) && check(file->block_count == 1 && file->blocks[0].pages == stage.pages)) {
        const MappedRamBlock *saved = &file->blocks[0];

        check(mapped_ram_read_pages(file, saved, 0, stage.pages, bytes, &error_abort));
        check(memcmp(bytes, stage.at_stop, stage.pages * PAGE) == 0);
        for (uint64_t page = 0; page < stage.pages; page++) {
            const bool zero = stage.at_stop[page * PAGE] == 0;

            check(mapped_ram_page_present(saved, page) == (all_present || !zero));
        }
    }
    error_free(error);
    mapped_ram_free(file);
    g_free(bytes);
}

void check_path(bool all_present)
{
    const int fd = open(stage.path, O_RDONLY | O_CLOEXEC);

    check_file(fd, all_present);
    close(fd);
}

void check_remaining(const RamSave *save)
{
    RamSaveCounters counters;
    uint64_t dirty = 0;

    for (uint64_t page = 0; page < stage.pages; page++) {
        dirty += save_block()->bmap[page / 64] >> page % 64 & 1;
    }
    ram_save_counters(save, &counters);
    check_number(counters.remaining, dirty);
}

void check_left(void)
{
    check_pointer(save_block()->bmap, NULL);
    check_pointer(save_block()->file_bmap, NULL);
    check_pointer(save_block()->clear_bmap, NULL);
    check_number(save_block()->bitmap_offset, 0);
    check_number(save_block()->pages_offset, 0);
}
