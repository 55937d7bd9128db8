/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapped-ram, between the files of this folder. */
#ifndef MEMCORE_MIGRATION_MAPPED_RAM_H
#define MEMCORE_MIGRATION_MAPPED_RAM_H

#include "migration/mapped-ram.h"
#include "migration/stream_reader.h"

enum { MAPPED_RAM_VERSION = 1, MAPPED_RAM_HEADER_SIZE = 28 };

/* Words of ram sections (R-STRM-9): the flags need 10 bits, and no page is smaller than 1 KiB. */
#define RAM_FLAG_MASK 0x3ffull
#define RAM_FLAG_MEM_SIZE 0x004ull
#define RAM_FLAG_EOS 0x010ull

/*
 * The block list behind the MEM_SIZE word: all of chapter 2, up to the byte behind
 * the last block.  Blocks are added to `file`, whose total is set.
 */
bool mapped_ram_read_blocks(StreamReader *reader, MappedRamFile *file, unsigned flags, Error **errp);

#endif
