/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures, not verdicts: medians over many repetitions, printed for people or
 * as JSON.  Machines are noisy: compare within one run.
 */
#ifndef HARNESS_BENCH_BENCH_H
#define HARNESS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double bench_seconds(void);             /* monotonic */
void bench_keep(uint64_t value);        /* the compiler must assume that it is used */

enum { BENCH_SAMPLES_MAX = 2001 };

struct bench_series {
    double samples[BENCH_SAMPLES_MAX];
    size_t count;
    double started;
};
void bench_series_add(struct bench_series *s, double sample);
bool bench_series_enough(const struct bench_series *s);     /* 0.3 s or BENCH_SAMPLES_MAX samples, at least 5 */
double bench_series_median(struct bench_series *s);         /* sorts the samples */
double bench_series_percentile(struct bench_series *s, unsigned percent);   /* likewise */

/*
 * The better half of a linear congruential generator: four cycles, so that it
 * hides little of what stands next to it.
 */
static inline uint32_t bench_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* One figure; the key is "NAME.N". */
void bench_result(const char *name, unsigned n, double value);
/* One figure by itself; `unit` is for people. */
void bench_figure(const char *key, double value, const char *unit);

void bench_commit(void);                /* commit.*: microseconds and nanoseconds */
void bench_access(void);                /* access.*: nanoseconds, and ratios to a raw pointer load */
void bench_dirty(void);                 /* dirty.*: N is the block's size in GiB; for stores 1 if they are logged */
void bench_postcopy(void);              /* migration.postcopy_*: microseconds, and ratios to the kernel's part */
void bench_migration(unsigned ram_gib); /* migration.*: GB/s, ratios to the least that could be done; 0: what fits */
void bench_probe(void);                 /* migration.probe_*: milliseconds and memory */

/*
 * A QEMU >= 9 with `ram` bytes of memory, filled from the mapped-ram file `fd`; false, and a line on stderr that
 * says why: there is none.  save: what it takes to save them there again.
 */
bool bench_qemu_start(uint64_t ram, int fd);
bool bench_qemu_save(int fd, bool multifd, double *seconds);
void bench_qemu_end(void);

#endif
