/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "memcore/memcore.h"

static const char help[] =
    "Usage: membench [OPTION]...\n"
    "\n"
    "Measure the memory core: what accesses cost, changes of the tree, and finding an\n"
    "address.\n"
    "Medians; release builds only mean something.\n"
    "\n"
    "  -j, --json        one JSON object, for scripts\n"
    "  -o, --only NAME   one of access, commit, dirty, postcopy, migration, probe\n"
    "  -r, --ram GIB     of the migration, 1 to 64 (default: 4 if there is room, else 2 or 1)\n"
    "  -h, --help        this text\n"
    "\n"
    "Example: membench --json > figures.json\n";

static bool json, first = true;

double bench_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void bench_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value));
}

void bench_series_add(struct bench_series *s, double sample)
{
    if (!s->count) {
        s->started = bench_seconds();
    }
    if (s->count < BENCH_SAMPLES_MAX) {
        s->samples[s->count++] = sample;
    }
}

bool bench_series_enough(const struct bench_series *s)
{
    return s->count >= BENCH_SAMPLES_MAX || (s->count >= 5 && bench_seconds() - s->started > 0.3);
}

static int compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return a < b ? -1 : a > b;
}

double bench_series_percentile(struct bench_series *s, unsigned percent)
{
    qsort(s->samples, s->count, sizeof(s->samples[0]), compare);
    return s->samples[s->count * percent / 100];
}

double bench_series_median(struct bench_series *s)
{
    return bench_series_percentile(s, 50);
}

static void print_json(const char *key, double value)
{
    printf("%s\n  \"%s\": %.3f", first ? "{" : ",", key, value);
    first = false;
}

void bench_result(const char *name, unsigned n, double value)
{
    char key[80];

    if (json) {
        snprintf(key, sizeof(key), "%s.%u", name, n);
        print_json(key, value);
    } else {
        printf("%-24s among %6u   %12.2f\n", name, n, value);
    }
    fflush(stdout);
}

void bench_figure(const char *key, double value, const char *unit)
{
    if (json) {
        print_json(key, value);
    } else {
        printf("%-37s   %12.2f %s\n", key, value, unit);
    }
    fflush(stdout);
}

static unsigned ram_gib;

static void measure_migration(void)
{
    bench_migration(ram_gib);
}

static const struct {
    const char *name;
    void (*measure)(void);
} parts[] = {
    { "access", bench_access },     { "commit", bench_commit },           { "dirty", bench_dirty },
    { "postcopy", bench_postcopy }, { "migration", measure_migration }, { "probe", bench_probe },
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static int wrong(const char *what, const char *value)
{
    fprintf(stderr, "membench: %s '%s', see membench --help\n", what, value);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },      { "only", required_argument, NULL, 'o' },
        { "ram", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    size_t begin = 0, end = PARTS;
    char *rest;
    int option;

    while ((option = getopt_long(argc, argv, "jo:r:h", options, NULL)) != -1) {
        switch (option) {
        case 'j':
            json = true;
            break;
        case 'o':
            for (begin = 0; begin < PARTS && strcmp(parts[begin].name, optarg) != 0; begin++) {
                continue;
            }
            if (begin == PARTS) {
                return wrong("nothing is called", optarg);
            }
            end = begin + 1;
            break;
        case 'r':
            ram_gib = (unsigned)strtoul(optarg, &rest, 10);
            if (*rest || ram_gib < 1 || ram_gib > 64) {
                return wrong("1 to 64 GiB of RAM, not", optarg);
            }
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            return 2;
        }
    }
    if (optind != argc) {
        return wrong("unexpected", argv[optind]);
    }
    memcore_init(MEMCORE_RECLAIM_MANUAL);
    for (; begin < end; begin++) {
        parts[begin].measure();
    }
    if (json) {
        printf("\n}\n");
    }
    return 0;
}
