/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stream that a destination reads, between the files of this folder. */
#ifndef MEMCORE_MIGRATION_POSTCOPY_RECEIVE_H
#define MEMCORE_MIGRATION_POSTCOPY_RECEIVE_H

#include "exec/ramblock.h"
#include "migration/postcopy_incoming.h"

typedef struct {
    MigrationIncomingState *mis;
    bool configuring;           /* subsections of the configuration may still come */
    unsigned subsections;       /* a bit for each that has come */
    bool started, ended;        /* the ram section */
    uint32_t ram_section;
    RAMBlock *last_block;       /* what CONTINUE means; across sections (R-WIRE-4) */
    /* The page of the backing of which parts have arrived, in the temporary page (R-WIRE-5). */
    RAMBlock *whole_block;      /* NULL: none */
    uint64_t whole_offset;
    uint64_t whole_count;
    bool whole_zero;
    unsigned long *whole_parts; /* one bit a target page */
} Receiver;

/* Each reads exactly what it says, and fails with an Error that names `what`. */
bool receive_bytes(Receiver *receiver, void *to, size_t length, const char *what, Error **errp);
bool receive_be(Receiver *receiver, size_t size, uint64_t *value, const char *what, Error **errp);
/* A counted name of 1 to 255 bytes without NUL, into 256 bytes. */
bool receive_name(Receiver *receiver, char *name, const char *what, Error **errp);

/* --- postcopy_receive_ram.c: payloads of the ram section, behind what names the section --- */

bool receive_ram_start(Receiver *receiver, Error **errp);
bool receive_ram_pages(Receiver *receiver, Error **errp);

#endif
