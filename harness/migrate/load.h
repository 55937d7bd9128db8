/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays an input of fuzzers/mapped_ram_load.c: makes the snapshot file that it is or describes (snapshot/recipe.h),
 * probes and loads it, and compares with the model's plain parser (model/mapped_ram.h).  A broken invariant is
 * printed and aborts.
 */
#ifndef HARNESS_MIGRATE_LOAD_H
#define HARNESS_MIGRATE_LOAD_H

#include <stddef.h>
#include <stdint.h>

/* Before the first input: builds the machine. */
void load_warm_up(void);

/* Leaves the machine as it was. */
void load_play(const uint8_t *data, size_t size);

#endif
