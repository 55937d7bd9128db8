/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source with one block, and a destination that hears all that it sends and says what the case wants. */
#ifndef CONFORMANCE_MIGRATION_POSTCOPY_PEER_H
#define CONFORMANCE_MIGRATION_POSTCOPY_PEER_H

#include "postcopy_guest.h"
#include "postcopy_stream.h"

enum { SOURCE_PAGES = 4096 };           /* of the target */

extern RAMBlock *source_ram;            /* "pc.ram": anonymous, zeroes */
extern MigrationState source;           /* starts postcopy at once, counts stops and resumes in `peer` */

extern struct source_peer {
    GByteArray *stream;                 /* what was sent */
    unsigned sends, fail_at;            /* this call of send fails; 0: none */
    bool packaged;                      /* the switch is over */
    uint64_t request_after;             /* when so many pages were sent behind the switch, `requests` are made */
    void (*requests)(void);             /* or NULL; once */
    uint32_t shut;                      /* what SHUT says */
    bool silent;                        /* does not say SHUT */
    unsigned stopped, resumed;
    uint64_t dirty_at_stop;             /* this page, plus 1, is written to when the writers stop; 0: none */
    void (*at_send)(void);              /* at each call of send, before anything else; or NULL */
    void (*at_stop)(void);              /* or NULL */
    void (*at_end)(void);               /* instead of SHUT; or NULL */
} peer;

void source_begin(void);
/* ram_migrate_source without the big lock; what it leaves behind must fit its result, which is given back. */
int source_migrate(void);
void source_end(void);

/* source.resume_writers */
void source_resume(void *opaque);

/* A message on the return path, in the form of its type (R-WIRE-2); the result of ram_migrate_return. */
int peer_say(uint16_t type, const char *name, uint64_t start, uint32_t length);

/* Numbers (uint32_t) of the pages that were sent, in order, each with its bytes of now; `records`: NULL, or g_free. */
GArray *source_pages_sent(char **records);
/* "0-95 3000 2000-2999": ascending runs; g_free. */
char *text_of_runs(const GArray *pages);

#endif
