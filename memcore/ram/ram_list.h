/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block list from inside ram/. */
#ifndef MEMCORE_RAM_RAM_LIST_H
#define MEMCORE_RAM_RAM_LIST_H

#include <stdbool.h>

#include "exec/ramblock.h"

/* A place in ram_addr space for max_length bytes (R-RAM-16, R-RAM-18); false: none.  Needs the mutex. */
bool ram_list_place(ram_addr_t max_length, ram_addr_t *offset);

/* Both need the mutex, and count as a new version. */
void ram_list_add(RAMBlock *block);
void ram_list_remove(RAMBlock *block);

#endif
