/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving RAM, every second MiB of it zero, into a file in memory, and loading it back; each in turns with
 * the least that could be done, positioned writes, or reads, of the same pages, and with a QEMU that saves the
 * same RAM.  How fast zero pages are found, against reading the same memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/bench.h"
#include "exec/memory.h"
#include "memcore/memcore.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "qapi/error.h"

enum { TURNS = 5 };
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

static struct {
    MemoryRegion mr;
    uint8_t *memory;
    size_t length;
    int fd;
} world;

static double save(unsigned workers)
{
    const RamSaveParameters parameters = { .fd = world.fd, .machine = "none", .workers = workers };
    RamSave *ram_save;
    double start;

    if (ftruncate(world.fd, 0) != 0) {
        abort();
    }
    start = bench_seconds();
    ram_save = ram_save_new(&parameters, &error_fatal);
    ram_save_run(ram_save, &error_fatal);
    ram_save_free(ram_save);
    return bench_seconds() - start;
}

/* As dd would copy RAM; or, if one knew where they are, only the pages that are not zero. */
static double write_plainly(bool all)
{
    double start;

    if (ftruncate(world.fd, 0) != 0) {
        abort();
    }
    start = bench_seconds();
    for (size_t at = 0; at < world.length; at += all ? MIB : 2 * MIB) {
        if (pwrite(world.fd, world.memory + at, MIB, (off_t)(MIB + at)) != (ssize_t)MIB) {
            abort();
        }
    }
    return bench_seconds() - start;
}

static double load(void)
{
    const double start = bench_seconds();
    MappedRamFile *file = mapped_ram_probe(world.fd, 0, 0, NULL, &error_fatal);

    memcore_set_vm_running(false);
    mapped_ram_load(file, 0, &error_fatal);
    memcore_set_vm_running(true);
    mapped_ram_free(file);
    return bench_seconds() - start;
}

static double read_plainly(void)
{
    const double start = bench_seconds();

    for (size_t at = 0; at < world.length; at += 2 * MIB) {
        if (pread(world.fd, world.memory + at, MIB, (off_t)(MIB + at)) != (ssize_t)MIB) {
            abort();
        }
    }
    return bench_seconds() - start;
}

/* The widest loads that the processor has. */
#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
static double read_memory(void)
{
    typedef uint64_t wide __attribute__((vector_size(64)));
    const double start = bench_seconds();
    wide any[4] = { 0 };

    for (size_t at = 0; at < world.length; at += sizeof(any)) {
        for (unsigned i = 0; i < 4; i++) {
            any[i] |= *(const wide *)(const void *)(world.memory + at + i * sizeof(wide));
        }
    }
    any[0] |= any[1] | any[2] | any[3];
    for (unsigned i = 0; i < 8; i++) {
        bench_keep(any[0][i]);
    }
    return bench_seconds() - start;
}

static void fill(bool zero)
{
    for (size_t at = 0; at < world.length; at += MIB) {
        memset(world.memory + at, !zero && at / MIB % 2 == 0 ? (int)(at / MIB % 255 + 1) : 0, MIB);
    }
}

static uint64_t available(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[200];
    uint64_t kib = 0;

    while (file && !kib && fgets(line, sizeof(line), file)) {
        sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib);
    }
    if (file) {
        fclose(file);
    }
    return kib << 10;
}

/* The RAM, QEMU's, and a file that has all of it, while there is room for a fourth; never less than 1 GiB. */
static size_t length_here(unsigned ram_gib)
{
    size_t length = (ram_gib ? ram_gib : 4) * GIB;

    while (!ram_gib && length > GIB && available() / 4 < length) {
        length /= 2;
    }
    return length;
}

static void measure_save(void)
{
    static struct bench_series saving, ratio, least_ratio, workers_ratio, qemu, qemu_ratio, multifd_ratio;
    bool with_qemu;

    fill(false);
    save(0);
    with_qemu = bench_qemu_start(world.length, world.fd);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const double plain = write_plainly(true), least = write_plainly(false), with_two = save(2), own = save(0);
        double one, two;

        bench_series_add(&saving, (double)world.length / own * 1e-9);
        bench_series_add(&ratio, plain / own);
        bench_series_add(&least_ratio, least / own);
        bench_series_add(&workers_ratio, plain / with_two);
        if (with_qemu && bench_qemu_save(world.fd, false, &one) && bench_qemu_save(world.fd, true, &two)) {
            bench_series_add(&qemu, (double)world.length / one * 1e-9);
            bench_series_add(&qemu_ratio, one / own);
            bench_series_add(&multifd_ratio, two / with_two);
        }
    }
    bench_figure("migration.ram_gib", (double)world.length / (double)GIB, "GiB of RAM");
    bench_figure("migration.save_gbytes_per_s", bench_series_median(&saving), "GB/s of RAM");
    bench_figure("migration.save_ratio", bench_series_median(&ratio), "of positioned writes' speed");
    bench_figure("migration.save_least_ratio", bench_series_median(&least_ratio), "of those of what is not zero");
    bench_figure("migration.save_two_workers_ratio", bench_series_median(&workers_ratio),
                 "of positioned writes' speed");
    if (with_qemu) {
        bench_qemu_end();
    }
    if (qemu.count > 0) {
        bench_figure("migration.qemu_save_gbytes_per_s", bench_series_median(&qemu), "GB/s of RAM");
        bench_figure("migration.save_qemu_ratio", bench_series_median(&qemu_ratio), "of QEMU's speed");
        bench_figure("migration.save_qemu_multifd_ratio", bench_series_median(&multifd_ratio),
                     "of QEMU's with two channels, with two threads");
    }
}

static void measure_load(void)
{
    static struct bench_series loading, ratio;

    save(0);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const double plain = read_plainly(), own = load();

        bench_series_add(&loading, (double)world.length / own * 1e-9);
        bench_series_add(&ratio, plain / own);
    }
    bench_figure("migration.load_gbytes_per_s", bench_series_median(&loading), "GB/s of RAM");
    bench_figure("migration.load_ratio", bench_series_median(&ratio), "of positioned reads' speed");
}

static void measure_zero(void)
{
    static struct bench_series zero, ratio;

    fill(true);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const double plain = read_memory(), own = save(0);

        bench_series_add(&zero, (double)world.length / own * 1e-9);
        bench_series_add(&ratio, plain / own);
    }
    bench_figure("migration.zero_gbytes_per_s", bench_series_median(&zero), "GB/s of zero pages");
    bench_figure("migration.zero_ratio", bench_series_median(&ratio), "of reading's speed");
}

void bench_migration(unsigned ram_gib)
{
    world.length = length_here(ram_gib);
    memory_region_init_ram(&world.mr, NULL, "ram", world.length, &error_fatal);
    world.memory = memory_region_get_ram_ptr(&world.mr);
    world.fd = memfd_create("bench", MFD_CLOEXEC);
    if (world.fd < 0) {
        abort();
    }
    measure_save();
    measure_load();
    measure_zero();
    close(world.fd);
    object_unparent(OBJECT(&world.mr));
    memcore_drain();
}
