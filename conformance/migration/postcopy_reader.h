/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A destination with one block, "ram", that reads a stream which the case has put together. */
#ifndef CONFORMANCE_MIGRATION_POSTCOPY_READER_H
#define CONFORMANCE_MIGRATION_POSTCOPY_READER_H

#include "postcopy_guest.h"
#include "postcopy_stream.h"

enum { READER_PAGES = 4 };

extern struct reader {
    size_t host_page;               /* of the backing */
    RAMBlock *ram;
    MigrationIncomingState mis;
    Tape tape;
    struct {
        unsigned runs;
        char devices[64];
        size_t faults[4];           /* pages that a thread touches in `run`, plus 1; 0: none */
        unsigned char resident[READER_PAGES];      /* in `run`: bit 0, nobody who touches the page has to wait */
    } guest;
} reader;

/* The block is full of 0x11; the stream is empty. */
void reader_begin(void);
/* A page of the backing has `page` bytes, as the host must say. */
void reader_begin_with(RamKind kind, size_t page);
int reader_receive(void);
/* The stream fails with a message that says `text`. */
void reader_refused(const char *text);
/* Everything given back, whatever came of it. */
void reader_end(void);

/* Parts of a good stream, in this order.  put_whole: a page of the backing, in target pages. */
void put_whole(const char *name, unsigned page, int fill);
void put_setup(void);
void put_precopy(void);
void put_switch(void);
void put_postcopy(void);
void put_all(void);

#endif
