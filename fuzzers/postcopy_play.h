/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the halves of postcopy.c have in common: two blocks, the kernel's part played by a table, the messages as bytes.
 * A page is one of the host's here: as many of the target's as fit.
 *
 * Parameters:   0  bit 0: a source, else a destination; bit 1: what is missing at the end is sent, and the end;
 *                  bit 2: the source starts with postcopy; bit 3: the guest writes until it is stopped
 *               1  a source's pages: their values
 *               2  with bit 1: this page is left out, counted from 1 over both blocks; 0: none
 *               3  nothing
 *
 * Steps of a destination, by the first byte modulo 16; a, b, c follow.  A message that must be refused is sent where bit 7
 * of a is set, else left out.  Bit 0 of a is the block; bits 1 to 3 all set: one that does not exist.
 *   0-2   page b with value c (0: a zero page); bit 6 of a: CONTINUE
 *   3, 4  a thread touches page b
 *   5     DISCARD of 1 + c modulo 8 pages from b on
 *   6     ADVISE; bit 1 of a: other page sizes
 *   7     the list of blocks; bit 1 of a: other lengths
 *   8     bits 1, 2 of a: LISTEN, RUN, both as a package, OPEN_RETURN_PATH
 *   9     END of the section
 *   10    end of the stream
 *   11    page b with value c comes on another channel
 *   12    while the next page is placed, page b with value c comes on another channel, and a thread touches page c
 *   13    bits 1 to 3 of a: the next call of the kernel's that places is to be tried again; fails; that registers, opens
 *         fails; the next message to the source fails
 *   14    in the next message byte b is changed by c
 *   15    bit 1 of a: PING; else the setup of a right stream, as far as it is missing
 *
 * Steps of a source, each before the next message goes out:
 *   0-3   the guest writes c to page b
 *   4-7   1 + c modulo 4 pages from b on are asked for; bit 6 of a: the short form
 *   8, 9  likewise, 256 times (c | 256 if bit 4 of a) bytes from 256 b on; bit 5 of a: so far before 2^64
 *   10    postcopy is to start
 *   11    the message fails
 *   12    SHUT a
 *   13    the next bytes of the return path are a, b, c
 *   14-15 nothing: the message goes
 */
#ifndef FUZZERS_POSTCOPY_PLAY_H
#define FUZZERS_POSTCOPY_PLAY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "exec/ramblock.h"
#include "model/postcopy.h"
#define FUZZ_TARGET "postcopy"
#include "run/fuzz_check.h"

enum { BLOCKS = POSTCOPY_MODEL_BLOCKS, STEPS_MAX = 96 };

extern struct postcopy_machine {
    RAMBlock *block[BLOCKS];
    unsigned pages[BLOCKS];
    size_t page_size;
} machine;
extern const char *const postcopy_names[BLOCKS];

/* Before the first input: builds the machine.  False: this target has no postcopy on this host. */
bool postcopy_warm_up(void);

typedef struct {
    uint8_t parameters[4];
    const uint8_t *at;          /* 4 bytes each */
    size_t left;
} Steps;
/* The next one; NULL: none. */
const uint8_t *next_step(Steps *steps);

void postcopy_play_destination(Steps *steps);
void postcopy_play_source(Steps *steps);

/* The block and the page of an address; false: none of the machine's. */
bool postcopy_place_of(const void *address, int *block, unsigned *page);

/* --- the kernel (postcopy_kernel.c) --------------------------------------------------------------- */

extern struct postcopy_kernel {
    bool enrolled[BLOCKS];
    bool there[BLOCKS][POSTCOPY_MODEL_PAGES_MAX];       /* of enrolled blocks: who touches it does not wait */
    unsigned open;              /* descriptors */
    bool again, no_memory;      /* the next call that places */
    bool no_enroll, no_open;
    void (*meanwhile)(void);    /* called before a page is placed, once */
} kernel;

/* In use from now on; nothing is enrolled. */
void postcopy_kernel_start(void);

/* --- messages (postcopy_messages.c) ---------------------------------------------------------------- */

void put(GByteArray *bytes, uint64_t value, unsigned size);
void put_name(GByteArray *bytes, const char *name);
void put_command(GByteArray *bytes, unsigned command, unsigned length);     /* its payload comes next */
void put_begin(GByteArray *bytes);
void put_list(GByteArray *bytes, bool other_lengths);
/* Parts of a page; `name` NULL: CONTINUE. */
void put_page(GByteArray *bytes, const char *name, unsigned page, uint8_t value);
void put_section_end(GByteArray *bytes);

/* `size` bytes as a number; moves on. */
uint64_t get(const uint8_t **at, unsigned size);

#endif
