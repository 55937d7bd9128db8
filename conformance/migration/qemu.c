/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files exchanged with a real QEMU >= 9 (R-SAVE-11, R-MRAM-8); without one the cases are skipped and say so. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/conformance.h"
#include "exec/ramblock.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "qemu_process.h"

/* "migrate" or "migrate-incoming", to its end. */
static void move(Qemu *qemu, const char *what, const char *path)
{
    qemu_tell(qemu, "{\"execute\": \"%s\", \"arguments\": {\"uri\": \"file:%s\"}}", what, path);
    qemu_wait_completed(qemu, what);
}

/* memcore saves, QEMU loads that and saves, memcore loads: memory is what it was. */
static void there_and_back(const char *capability)
{
    char *folder, *ours, *theirs;
    uint8_t *before;
    RamSaveParameters parameters;
    MappedRamFile *file;
    MemoryRegion *ram;
    RAMBlock *block;
    RamSave *save;
    Qemu qemu;
    int fd;

    if (skip_without_qemu()) {
        return;
    }
    ram = stage_ram_migratable("ram", QEMU_RAM);
    block = qemu_ram_block_by_name(memory_region_name(ram));
    qemu_fill(block->host);
    before = g_memdup2(block->host, QEMU_RAM);
    folder = g_dir_make_tmp("memcore-qemu-XXXXXX", NULL);
    ours = g_build_filename(folder, "ours.mig", NULL);
    theirs = g_build_filename(folder, "theirs.mig", NULL);

    parameters = (RamSaveParameters){ .path = ours, .machine = "none" };
    save = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);

    qemu_start(&qemu);
    qemu_set_capability(&qemu, "mapped-ram", true);
    if (capability) {
        qemu_set_capability(&qemu, capability, true);
    }
    move(&qemu, "migrate-incoming", ours);
    move(&qemu, "migrate", theirs);
    qemu_end(&qemu);

    memset(block->host, 0x55, QEMU_RAM);
    fd = open(theirs, O_RDONLY | O_CLOEXEC);
    file = mapped_ram_probe(fd, 0, 0, "none", &error_abort);
    memcore_set_vm_running(false);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    memcore_set_vm_running(true);
    check(memcmp(block->host, before, QEMU_RAM) == 0);

    mapped_ram_free(file);
    close(fd);
    unlink(ours);
    unlink(theirs);
    rmdir(folder);
    g_free(ours);
    g_free(theirs);
    g_free(folder);
    g_free(before);
}

static void plain(void)
{
    there_and_back(NULL);
}

static void multifd(void)
{
    there_and_back("multifd");
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    conformance_start(&argc, &argv);
    conformance_case("/R-SAVE-11/there-and-back", plain);
    conformance_case("/R-MRAM-8/multifd", multifd);
    return qemu_status(g_test_run());
}
