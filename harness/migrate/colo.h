/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays an input of fuzzers/colo_cache.c; a broken invariant is printed and aborts.
 *
 * Parameters:   0  added to the values that memory begins with; 1 to 3 do not matter
 *
 * Steps, by the first byte modulo 16; a, b, c follow, a block is a modulo 3, a page b modulo those it has:
 *   0-3   the guest writes 1 + c modulo 4 pages with the value c / 4
 *   4     the guest stores 8 bytes at byte 16 c of the page, through the address space
 *   5-8   1 + c modulo 4 pages, of the value c / 4, come into the cache, also pages that the block has not got;
 *         b above 250: the place is within a page
 *   9     write-through
 *   10-11 flush
 *   12    init; or release if there are caches
 *   13    init, of whose calls to the host the a-th fails; a block has a bitmap already if a is above 250
 *   14    the resizeable block gets 1 + a modulo 8 pages
 *   15    another block comes, or goes
 */
#ifndef HARNESS_MIGRATE_COLO_H
#define HARNESS_MIGRATE_COLO_H

#include <stddef.h>
#include <stdint.h>

/* Before the first input: builds the machine. */
void colo_warm_up(void);

void colo_play(const uint8_t *data, size_t size);

#endif
