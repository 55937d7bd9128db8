/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving 1 GiB of RAM, every second MiB of it zero, into a file in memory, and loading it back; each
 * in turns with the least that could be done: positioned writes, or reads, of the same pages.  How fast
 * zero pages are found, against reading the same memory.  And the probe of a hostile file.
 */
#include <malloc.h>
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
#define LENGTH ((size_t)1 << 30)

static struct {
    MemoryRegion mr;
    uint8_t *memory;
    int fd;
} world;

static int file_new(void)
{
    const int fd = memfd_create("bench", MFD_CLOEXEC);

    if (fd < 0) {
        abort();
    }
    return fd;
}

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
    for (size_t at = 0; at < LENGTH; at += all ? MIB : 2 * MIB) {
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

    for (size_t at = 0; at < LENGTH; at += 2 * MIB) {
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

    for (size_t at = 0; at < LENGTH; at += sizeof(any)) {
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
    for (size_t at = 0; at < LENGTH; at += MIB) {
        memset(world.memory + at, !zero && at / MIB % 2 == 0 ? (int)(at / MIB % 255 + 1) : 0, MIB);
    }
}

static void put(uint8_t *to, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        to[i] = (uint8_t)(value >> 8 * (width - 1 - i));
    }
}

/* 1 GiB of a hole: blocks of no pages one behind the other, as many as there is room for, and then nothing. */
static void probe_hostile(void)
{
    const int fd = file_new();
    uint8_t head[] = "QEVM\0\0\0\3\7\0\0\0\4none\5\x1a""configuration/capabilities\0\0\0\1\0\0\0\1\x0a""mapped-ram"
                     "\1\0\0\0\1\3ram\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\4";
    struct bench_series ms = { 0 };
    uint64_t at = sizeof(head) - 1;
    size_t kept, most = 0;

    put(head + at - 8, 8, (LENGTH - 2 * MIB) | 4);
    if (ftruncate(fd, (off_t)LENGTH) != 0 || pwrite(fd, head, at, 0) != (ssize_t)at) {
        abort();
    }
    for (unsigned block = 0; block < 1000; block++) {
        uint8_t entry[1 + 4 + 8 + 28] = { 4, (uint8_t)('a' + block % 26), (uint8_t)('a' + block / 26 % 26), 'x',
                                          (uint8_t)('a' + block / 676) };
        const uint64_t bitmap = at + sizeof(entry), pages = (bitmap + MIB / 4) & -(uint64_t)TARGET_PAGE_SIZE;

        put(entry + 13, 4, 1);
        put(entry + 17, 8, TARGET_PAGE_SIZE);
        put(entry + 25, 8, bitmap);
        put(entry + 33, 8, pages);
        if (pwrite(fd, entry, sizeof(entry), (off_t)at) != (ssize_t)sizeof(entry)) {
            abort();
        }
        at = pages;
    }
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const double start = bench_seconds();
        Error *error = NULL;
        MappedRamFile *file;

        kept = mallinfo2().arena + mallinfo2().hblkhd;
        file = mapped_ram_probe(fd, 0, 0, NULL, &error);
        bench_series_add(&ms, (bench_seconds() - start) * 1e3);
        kept = mallinfo2().arena + mallinfo2().hblkhd - kept;
        most = kept > most ? kept : most;
        if (file) {
            abort();
        }
        error_free(error);
    }
    bench_figure("migration.probe_hostile_ms", bench_series_median(&ms), "ms");
    bench_figure("migration.probe_hostile_kib", (double)most / 1024, "KiB more heap");
    close(fd);
}

void bench_migration(void)
{
    static struct bench_series saving, save_ratio, least_ratio, workers_ratio, loading, load_ratio, zero, zero_ratio;

    memory_region_init_ram(&world.mr, NULL, "ram", LENGTH, &error_fatal);
    world.memory = memory_region_get_ram_ptr(&world.mr);
    world.fd = file_new();
    fill(false);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const double plain = write_plainly(true), least = write_plainly(false), with_two = save(2), own = save(0);

        bench_series_add(&saving, (double)LENGTH / own * 1e-9);
        bench_series_add(&save_ratio, plain / own);
        bench_series_add(&least_ratio, least / own);
        bench_series_add(&workers_ratio, plain / with_two);
    }
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const double plain = read_plainly(), own = load();

        bench_series_add(&loading, (double)LENGTH / own * 1e-9);
        bench_series_add(&load_ratio, plain / own);
    }
    fill(true);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const double plain = read_memory(), own = save(0);

        bench_series_add(&zero, (double)LENGTH / own * 1e-9);
        bench_series_add(&zero_ratio, plain / own);
    }
    bench_figure("migration.save_gbytes_per_s", bench_series_median(&saving), "GB/s of RAM");
    bench_figure("migration.save_ratio", bench_series_median(&save_ratio), "of positioned writes' speed");
    bench_figure("migration.save_least_ratio", bench_series_median(&least_ratio), "of those of what is not zero");
    bench_figure("migration.save_two_workers_ratio", bench_series_median(&workers_ratio), "of positioned writes' speed");
    bench_figure("migration.load_gbytes_per_s", bench_series_median(&loading), "GB/s of RAM");
    bench_figure("migration.load_ratio", bench_series_median(&load_ratio), "of positioned reads' speed");
    bench_figure("migration.zero_gbytes_per_s", bench_series_median(&zero), "GB/s of zero pages");
    bench_figure("migration.zero_ratio", bench_series_median(&zero_ratio), "of reading's speed");
    probe_hostile();
    close(world.fd);
    object_unparent(OBJECT(&world.mr));
    memcore_drain();
}
