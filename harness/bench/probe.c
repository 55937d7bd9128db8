/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the probe of a hostile file costs: 1 GiB of a hole, in which blocks of no pages lie one behind the other and
 * then nothing; once a thousand of them, once as many as a file may have.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "exec/cpu-common.h"
#include "migration/mapped-ram.h"
#include "qapi/error.h"

enum { TURNS = 5, FEW = 1000 };
#define GIB ((size_t)1 << 30)

static void put(uint8_t *to, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        to[i] = (uint8_t)(value >> 8 * (width - 1 - i));
    }
}

static void write_at(int fd, const void *from, size_t length, uint64_t offset)
{
    if (pwrite(fd, from, length, (off_t)offset) != (ssize_t)length) {
        abort();
    }
}

static int hostile_file(unsigned blocks)
{
    const int fd = memfd_create("bench", MFD_CLOEXEC);
    uint8_t head[] = "QEVM\0\0\0\3\7\0\0\0\4none\5\x1a""configuration/capabilities\0\0\0\1\0\0\0\1\x0a""mapped-ram"
                     "\1\0\0\0\1\3ram\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\4";
    uint64_t at = sizeof(head) - 1;

    put(head + at - 8, 8, GIB / 2 | 4);
    if (ftruncate(fd, (off_t)GIB) != 0) {
        abort();
    }
    write_at(fd, head, at, 0);
    for (unsigned block = 0; block < blocks; block++) {
        uint8_t entry[1 + 8 + 8 + 28] = { 8 };
        const uint64_t bitmap = at + sizeof(entry);
        char name[9];

        snprintf(name, sizeof(name), "%08x", block);
        memcpy(entry + 1, name, 8);
        put(entry + 17, 4, 1);
        put(entry + 21, 8, TARGET_PAGE_SIZE);
        put(entry + 29, 8, bitmap);
        at = (bitmap + TARGET_PAGE_SIZE - 1) & -(uint64_t)TARGET_PAGE_SIZE;
        put(entry + 37, 8, at);
        write_at(fd, entry, sizeof(entry), bitmap - sizeof(entry));
    }
    return fd;
}

/* KiB of address space: the largest that this process had, or what it has. */
static double address_space(const char *which)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    double kib = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, which, strlen(which)) == 0) {
            kib = strtod(line + strlen(which), NULL);
        }
    }
    if (file) {
        fclose(file);
    }
    return kib;
}

struct cost {
    double ms, kib;
};

static void probe(int fd, struct cost *cost)
{
    const double before = address_space("VmSize:"), start = bench_seconds();
    Error *error = NULL;
    MappedRamFile *file = mapped_ram_probe(fd, 0, 0, NULL, &error);

    cost->ms = (bench_seconds() - start) * 1e3;
    cost->kib = address_space("VmPeak:") - before;
    if (file) {
        abort();
    }
    error_free(error);
}

/* In a child, whose largest address space so far is the one it starts with. */
static void measure(const char *name, unsigned blocks)
{
    struct cost *cost = mmap(NULL, sizeof(*cost), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const int fd = hostile_file(blocks);
    struct bench_series ms = { 0 };
    double kib = 0;
    char key[80];

    for (unsigned turn = 0; turn < TURNS; turn++) {
        const pid_t child = fork();
        int status;

        if (child == 0) {
            probe(fd, cost);
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
            abort();
        }
        bench_series_add(&ms, cost->ms);
        kib = cost->kib > kib ? cost->kib : kib;
    }
    snprintf(key, sizeof(key), "migration.probe_%s_ms", name);
    bench_figure(key, bench_series_median(&ms), "ms");
    snprintf(key, sizeof(key), "migration.probe_%s_kib", name);
    bench_figure(key, kib, "KiB of memory");
    close(fd);
    munmap(cost, sizeof(*cost));
}

void bench_probe(void)
{
    measure("hostile", FEW);
    measure("most_blocks", MAPPED_RAM_BLOCKS_MAX);
}
