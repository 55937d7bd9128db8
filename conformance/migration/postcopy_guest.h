/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that touch guest memory and may have to wait for it; RAM of every kind; a host that can be made to lie. */
#ifndef CONFORMANCE_MIGRATION_POSTCOPY_GUEST_H
#define CONFORMANCE_MIGRATION_POSTCOPY_GUEST_H

#include <pthread.h>
#include <signal.h>

#include "common/conformance.h"
#include "exec/ramblock.h"
#include "migration/postcopy-host.h"
#include "migration/postcopy-ram.h"

extern size_t host_page;

/* A case, which is skipped and says why where target or host cannot do it. */
void postcopy_case(const char *path, void (*test)(void));

/* Waits until the condition holds; a case that waits ten seconds fails. */
#define WAIT_FOR(condition) \
    do { \
        for (unsigned tries_ = 0; !(condition) && tries_ < 10000; tries_++) { \
            g_usleep(1000); \
        } \
        check_condition_at(G_STRLOC, #condition, (condition)); \
    } while (0)

#define READ_COUNTER(counter) __atomic_load_n(&(counter), __ATOMIC_SEQ_CST)

/* A thread that reads one byte, now. */
typedef struct {
    pthread_t thread;
    const volatile uint8_t *place;
    uint8_t value;
    bool done;              /* atomic */
} GuestRead;

void guest_read(GuestRead *read, const void *place);
bool guest_has_read(GuestRead *read);
uint8_t guest_read_end(GuestRead *read);        /* waits */

typedef enum {
    KIND_ANONYMOUS,
    KIND_SHARED,
    KIND_MEMFD_SHARED,
    KIND_MEMFD_PRIVATE,
    KIND_POINTER,
    KIND_COUNT,
} RamKind;
extern const char *const ram_kinds[KIND_COUNT];

/* Migratable, named `name`, adopted by the stage. */
RAMBlock *stage_block(RamKind kind, const char *name, uint64_t size);

/* Nothing is at that address any more. */
void check_unmapped(const void *page);

/* Threads and descriptors of this process. */
unsigned count_tasks(void);
unsigned count_descriptors(void);

/*
 * Blocks one signal in this thread and no other, so that whoever blocks all, or forgets what was blocked, is seen:
 * by check_one_signal_blocked, which gives the thread back what it had `before`.
 */
void block_one_signal(sigset_t *before);
void check_one_signal_blocked(const sigset_t *before);

/*
 * userfaultfd, with calls that fail or lie: call number fail_at, counted over open, enroll and dismiss,
 * returns fail_with; copy and zero first say what `script` has, one entry a call, 0 ends it.
 */
typedef struct {
    unsigned calls, fail_at;
    int fail_with;
    uint64_t features_without, ioctls_without, range_without;   /* bits that are not told */
    int64_t script[8];      /* -errno, or the bytes that a call does at most */
    unsigned script_at;
    void (*after_enroll)(void), (*before_copy)(void);       /* once */
    uint64_t features, asked;       /* of the last open: what was told, what had been asked for */
    const void *from;               /* of the last copy */
    bool opens_0;           /* descriptors of the host are 0 */
    bool frees_0;           /* descriptor 0 is free for the next one from the second open on */
    unsigned copies, zeroes, wakes, opened, closed;
} LyingHost;
extern LyingHost lying;
void lying_host(void);      /* in use from now on, telling the truth */

#endif
