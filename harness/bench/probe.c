/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the probe of a hostile file costs: 1 GiB of a hole, in which blocks of no pages lie one behind the other and
 * then nothing; once a thousand of them, once as many as a file may have, and these once more with names that are
 * all the same to a hash function in wide use (h = 33 h + c).
 */
#include <fcntl.h>
#include <stdbool.h>
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

/* 16 letters that say the number; colliding: 32, as "aB" and "b!" are the same to the hash function. */
static unsigned name_block(char *name, unsigned number, bool colliding)
{
    for (unsigned bit = 0; bit < 16; bit++) {
        const bool set = number >> (15 - bit) & 1;

        memcpy(name, !colliding ? (set ? "1" : "0") : set ? "aB" : "b!", colliding ? 2 : 1);
        name += colliding ? 2 : 1;
    }
    return colliding ? 32 : 16;
}

/* Without colliding names the list goes on, where the file has nothing; with them it ends: all are looked at. */
static int hostile_file(unsigned blocks, bool colliding)
{
    const int fd = memfd_create("bench", MFD_CLOEXEC);
    uint8_t head[] = "QEVM\0\0\0\3\7\0\0\0\4none\5\x1a""configuration/capabilities\0\0\0\1\0\0\0\1\x0a""mapped-ram"
                     "\1\0\0\0\1\3ram\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\4";
    uint64_t at = sizeof(head) - 1;

    put(head + at - 8, 8, (colliding ? 0 : GIB / 2) | 4);
    if (ftruncate(fd, (off_t)GIB) != 0) {
        abort();
    }
    write_at(fd, head, at, 0);
    for (unsigned block = 0; block < blocks; block++) {
        uint8_t entry[1 + 32 + 8 + 28] = { 0 };
        const unsigned name = name_block((char *)entry + 1, block, colliding);
        uint8_t *header = entry + 1 + name + 8;
        const uint64_t start = at, bitmap = start + (uint64_t)(header + 28 - entry);

        entry[0] = (uint8_t)name;
        put(header, 4, 1);
        put(header + 4, 8, TARGET_PAGE_SIZE);
        put(header + 12, 8, bitmap);
        at = (bitmap + TARGET_PAGE_SIZE - 1) & -(uint64_t)TARGET_PAGE_SIZE;
        put(header + 20, 8, at);
        write_at(fd, entry, (size_t)(bitmap - start), start);
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
static void measure(const char *name, unsigned blocks, bool colliding)
{
    struct cost *cost = mmap(NULL, sizeof(*cost), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const int fd = hostile_file(blocks, colliding);
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
    measure("hostile", FEW, false);
    measure("most_blocks", MAPPED_RAM_BLOCKS_MAX, false);
    measure("colliding_names", MAPPED_RAM_BLOCKS_MAX, true);
}
