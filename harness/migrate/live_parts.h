/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the player of live.h share: the machine, the input that is played, the checks. */
#ifndef HARNESS_MIGRATE_LIVE_PARTS_H
#define HARNESS_MIGRATE_LIVE_PARTS_H

#include "exec/memory.h"
#include "migration/ram-save.h"
#include "model/ram_save.h"
#define FUZZ_TARGET "mapped_ram_live"
#include "run/fuzz_check.h"

enum { BLOCKS = 4, FLASH = 1, CALLERS = 2, PLUGGED = 3, PLUGGED_ALL = 3 };
enum { CALLERS_LAST = 496, BEHIND = 0xaa };   /* bytes of the host's last page that are the caller's; behind */
#define APART (UINT64_C(64) << 20)      /* of the blocks in the address space */
#define FILE_MAX (UINT64_C(64) << 20)

/* --- the machine and its guest (live_machine.c) --------------------------------------------------- */

/* In the order of the block list, longest first (R-RAM-19). */
extern const char *const live_names[BLOCKS];

extern struct live_machine {
    MemoryRegion root, mr[BLOCKS], extra;
    AddressSpace as;
    RAMBlock *block[BLOCKS];
    struct subject_manager *manager;    /* of PLUGGED: each page may be there or not */
    uint64_t unit;              /* of lengths */
    bool has_extra;
    int fd;
    const uint8_t *file;        /* mapped; as far as the file goes */
    uint8_t *at_stop[BLOCKS];
    MemoryListener log;         /* such a log as KVM keeps: dirty pages stay in it until they are cleared */
} live_machine;

/* Once. */
void live_build(void);
/* Pages of the target in a block, now. */
unsigned live_pages_of(unsigned block);
/* Bytes of a block that may be looked at, now. */
uint64_t live_bytes_of(unsigned block);
/* The guest gives pages a value, or stores a few bytes through the address space; the model is told. */
void live_guest_writes(unsigned block, unsigned page, unsigned count, uint8_t value);
void live_guest_stores(unsigned block, unsigned page, unsigned byte);
/* Another block comes, or goes. */
void live_toggle_extra(void);
/* The resizeable block gets another length. */
void live_resize(uint64_t pages);
/* Which pages of PLUGGED are there, one bit each. */
void live_plug(unsigned pages);
/* All that an input changes is as it was before it. */
void live_restore(void);

/* --- the input that is played (live.c) ------------------------------------------------------------ */

extern struct live_play {
    RamSaveParameters parameters;
    RamSave *save;
    struct save_model model;
    unsigned saves;
    bool blocks_changed, cancelled, stopped, resumed;
    bool without_devices;       /* they were not to be had */
    unsigned plugged;           /* pages of PLUGGED, one bit each */
    uint64_t uncleared[BLOCKS][SAVE_MODEL_PAGES_MAX / 64];      /* found by the last look, still in the log: bits */
    bool in_the_middle;         /* the guest wrote during a step: what the step saw is not known */
    /* steps 7, 14, 15 */
    size_t fail_in;
    int error;
    struct {
        bool cancels;
        uint8_t block, page;
        size_t in;
    } interruption;
    uint8_t last_block, last_page, devices;     /* of step 12 */
} live;

/* What the parameters' bits 4 and 6 put into the stream. */
extern const uint8_t live_uuid[16];
extern const char live_devices[16];

/* --- checks (live_check.c) ------------------------------------------------------------------------ */

/* Whether readers would take the file for one. */
bool live_file_is_marked(void);
void live_check_counters(void);
/* Whoever takes a page has cleared its log before, else a store in between is lost (R-CLR-3). */
void live_check_logs(void);
/* Between the steps of a save. */
void live_check_active(void);
/* Behind a save, which was completed, or not. */
void live_check_left(bool complete);
void live_check_complete(void);
/* What a step must answer, by what happened before and during it; `good`: if nothing did.  Frees the Error. */
void live_check_result(int result, int good, bool failed, Error *error);

#endif
