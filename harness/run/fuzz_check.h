/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzz targets check by themselves, and what their inputs made happen.
 *
 * REQUIRE ends the program with a line that begins with FUZZ_TARGET, which is to
 * be defined before this is included, and the invariant: findings are grouped by it.
 */
#ifndef HARNESS_RUN_FUZZ_CHECK_H
#define HARNESS_RUN_FUZZ_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Never compiled out, and the first words of the line say which invariant broke. */
#define REQUIRE(condition, invariant) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, FUZZ_TARGET ": %s (%s:%d: %s)\n", invariant, __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* The hash of an input, so far: equal for two runs of it, or something is not deterministic. */
void fuzz_hash_begin(void);
void fuzz_hash_is(uint64_t number);      /* of who reckons it otherwise */
void fuzz_hash_number(uint64_t number);
void fuzz_hash_bytes(const void *bytes, size_t size);
uint64_t fuzz_last_hash(void);

#endif
