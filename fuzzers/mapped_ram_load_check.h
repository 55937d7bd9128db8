/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The invariants of mapped_ram_load.c; a broken one is printed and aborts. */
#ifndef FUZZERS_MAPPED_RAM_LOAD_CHECK_H
#define FUZZERS_MAPPED_RAM_LOAD_CHECK_H

#include <stdint.h>

#include "snapshot/recipe.h"

/* Before the first input: builds the machine. */
void load_check_warm_up(void);

void load_check_begin(void);

uint64_t load_check_page_size(void);
/* Of all blocks; NULL at the end. */
const char *const *load_check_names(void);

void load_check_snapshot(const Snapshot *snapshot);

#endif
