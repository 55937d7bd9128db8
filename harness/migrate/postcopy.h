/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays an input of fuzzers/postcopy.c: a destination or a source of memcore's against the model
 * (model/postcopy.h).  The machine has two blocks, userfaultfd's part is played by a table, and the other side by
 * the input.  A broken invariant is printed and aborts.  A page is one of the host's here: as many of the
 * target's as fit.
 *
 * An input is 4 bytes of parameters, then 4 bytes a step; what is longer than POSTCOPY_STEPS_MAX steps is left out.
 *
 * Parameters:   0  bit 0: a source, else a destination; bit 1: what is missing at the end is sent, and the end;
 *                  bit 2: the source starts with postcopy; bit 3: the guest writes until it is stopped
 *               1  a source's pages: their values
 *               2  with bit 1: this page is left out, counted from 1 over both blocks; 0: none
 *               3  bits 0, 1: a destination's block for which the kernel makes no pages of zeroes; bit 2: its memory is
 *                  not empty before; bits 4 to 7: pages of the second block that are discarded by a manager
 *
 * Steps of a destination, by the first byte modulo 16; a, b, c follow.  A message that must be refused is sent where
 * bit 7 of a is set, else left out.  Bit 0 of a is the block; bits 1 to 3 all set: one that does not exist.
 *   0-2   page b with value c (0: a zero page); bit 6 of a: CONTINUE
 *   3, 4  a thread touches page b; bit 0 of c: also if it is there, as who says so may come late
 *   5     DISCARD of 1 + c modulo 8 pages from b on
 *   6     ADVISE; bit 1 of a: other page sizes
 *   7     the list of blocks; bit 1 of a: other lengths
 *   8     bits 1, 2 of a: LISTEN, RUN, both as a package, OPEN_RETURN_PATH
 *   9     END of the section
 *   10    end of the stream
 *   11    page b with value c comes on another channel
 *   12    while the next page is placed, page b with value c comes on another channel, and a thread touches page c
 *   13    bits 1 to 3 of a: the next call of the kernel's that places is to be tried again; stops half-way; fails; that
 *         registers, opens fails; the next message to the source fails; the first block gets c modulo 33 pages
 *   14    in the next message byte b is changed by c
 *   15    bit 1 of a: PING; else the setup of a right stream, as far as it is missing
 *
 * Steps of a source, each before the next message goes out:
 *   0-3   the guest writes c to page b
 *   4-7   1 + c modulo 4 pages from b on are asked for; bit 6 of a: the short form
 *   8, 9  likewise, 256 times (c | 256 if bit 4 of a) bytes from 256 b on; bit 5 of a: so far before 2^64
 *   10    postcopy is to start; bit 7 of a: instead the first block grows, if the guest still runs
 *   11    the message fails
 *   12    SHUT a
 *   13    the next bytes of the return path are a, b, c
 *   14-15 nothing: the message goes
 */
#ifndef HARNESS_MIGRATE_POSTCOPY_H
#define HARNESS_MIGRATE_POSTCOPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POSTCOPY_STEPS_MAX = 96 };

/* Before the first input: builds the machine.  False: no input can be played, as this host's pages are too small. */
bool postcopy_warm_up(void);

/* Less than 4 bytes are no input.  Called with the big lock held; leaves the machine as it was. */
void postcopy_play(const uint8_t *data, size_t size);

#endif
