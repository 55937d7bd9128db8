/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays an input of fuzzers/mapped_ram_live.c; a broken invariant is printed and aborts.
 *
 * Parameters:   0  bit 0: zero pages are kept; bit 1: the file has older content;
 *                  bit 2: holes are punched; bit 3: logs are cleared in small chunks; bits 4 to 6: the stream has a
 *                  uuid, target-page-bits, records of devices
 *               1  low 4 bits: `enough`; bits 4, 5: pages that are not plugged, of the block that has a discard manager
 *               2  low 4 bits: `max_rounds`; high 4 bits: the alignment in pages, a power of two up to 8
 *               3  where the stream starts, in units of 0x1c bytes
 *
 * Steps, by the first byte modulo 16; a, b, c follow:
 *   0-2   block a: pages from b on, 1 + c modulo 8 of them, get value c / 8 (0: they become zero)
 *   3     block a: 8 bytes at page b, byte 16 c, or the last ones where c is odd, through the address space
 *   4-6   iterate, up to a pages
 *   7     the host's call number a from now on fails, with an errno that b chooses
 *   8     cancel
 *   9     the resizeable block gets 1 + a modulo 8 pages
 *   10    another block comes, or goes
 *   11    another save is set up meanwhile
 *   12    complete; the guest writes to page b of block a until the very end; c modulo 4 of devices: 1 cancels,
 *         2 resizes the resizeable block
 *   13    the save is freed
 *   14    before the host's call number c from now on the guest writes to page b of block a
 *   15    before the host's call number c from now on the save is cancelled
 * Steps that need a save begin one, a few times an input.  What is active at the end is completed.
 */
#ifndef HARNESS_MIGRATE_LIVE_H
#define HARNESS_MIGRATE_LIVE_H

#include <stddef.h>
#include <stdint.h>

/* Before the first input: builds the machine. */
void live_warm_up(void);

void live_play(const uint8_t *data, size_t size);

#endif
