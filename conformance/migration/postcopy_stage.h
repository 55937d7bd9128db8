/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A destination with one block, "ram", on the host that lies. */
#ifndef CONFORMANCE_MIGRATION_POSTCOPY_STAGE_H
#define CONFORMANCE_MIGRATION_POSTCOPY_STAGE_H

#include "postcopy_guest.h"

enum { DESTINATION_PAGES = 8 };

extern MigrationIncomingState mis;
extern RAMBlock *ram;

extern struct destination_asked {
    int64_t pages[64];                          /* asked for, in order */
    unsigned count;                             /* atomic */
    int result;                                 /* atomic: of asking */
} destination_asked;

/* mis.request_page */
int destination_ask(void *opaque, RAMBlock *block, uint64_t start, uint64_t length);

/* A block full of 0x11, and nothing set up. */
void destination_begin(RamKind kind);
/* All is missing, and somebody would wait for it. */
void destination_listen(RamKind kind);

uint8_t *destination_page(unsigned page);
int destination_place(unsigned page, uint8_t value);
bool destination_received(unsigned page);

/* Gives all up: whoever still waits reads zeroes. */
void destination_end(void);
/* Places all pages that are not there, and ends as it should. */
void destination_complete(void);

#endif
