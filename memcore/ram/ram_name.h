/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Id strings of RAM blocks. */
#ifndef MEMCORE_RAM_RAM_NAME_H
#define MEMCORE_RAM_RAM_NAME_H

#include "exec/ramblock.h"

/* The block leaves the list: its id string may be used again (R-RAM-14).  The text stays in the block. */
void ram_block_name_forget(RAMBlock *block);

#endif
