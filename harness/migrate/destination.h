/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A destination against the model: what its parts share.  postcopy.h has the steps. */
#ifndef HARNESS_MIGRATE_DESTINATION_H
#define HARNESS_MIGRATE_DESTINATION_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "migrate/postcopy_parts.h"
#include "migration/postcopy-ram.h"

/* What has to come of the bytes that the core is reading. */
typedef enum { ACCEPTED, REFUSED } Expectation;

extern struct postcopy_destination {
    PostcopySteps *steps;
    MigrationIncomingState mis;
    struct postcopy_model model;
    GByteArray *wire;
    size_t read;                /* of it, by the core */
    Expectation expectation;
    bool trusted;               /* every byte was as the model has it */
    bool section;               /* pages may follow without another header */
    bool finished;              /* what was missing at the end was sent */
    bool broken;                /* the connection */
    bool doomed;                /* the end must be a bad one */
    bool ran_out;               /* the core wanted more than there was */
    bool send_fails, send_failed;
    int last_requested;         /* the block of the short form */
    bool asked;                 /* a request was heard; for which page: */
    int asked_block;
    unsigned asked_page;
    unsigned pongs;
    int shut;                   /* -1: not said */
    uint8_t change[2];          /* step 14: where, what */
    uint8_t meanwhile[3];       /* step 12: block, page and value, other page */
} destination;

/* Whether threads may wait for pages. */
bool destination_listening(void);
/* Whether the core says that it has received a page. */
bool destination_received(int block, unsigned page);

/* --- messages: each is put on the wire, told the model, and has an expectation (destination_say.c) --- */

/* A step 0-2, 5-10 or 15. */
void destination_say(uint8_t what, uint8_t a, uint8_t b, uint8_t c);
/* At the end of the steps: one message more, until the stream has ended well; false: it has. */
bool destination_say_rest(void);

/* --- checks (destination_check.c) ---------------------------------------------------------------- */

/* What the core says to the source: the transport's `send`. */
int destination_hear(void *opaque, const void *from, size_t length);
void destination_check_pages(void);
/* The core has read all there was: it took it. */
void destination_check_taken(void);
void destination_check_good_end(void);
void destination_check_bad_end(void);

#endif
