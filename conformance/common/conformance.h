/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every conformance program shares.
 *
 *   stage_*      builds the objects of one case and gives them back after it
 *   recorder_*   a MemoryListener that writes what it hears as text
 *   text_*       views, sections and sizes as text
 *   check_*      compares; a failed check is reported with both sides, fails the case and goes on,
 *                so that the case still reaches its end and gives everything back
 *
 * A program:
 *
 *     static void merge_aliases(void)
 *     {
 *         MemoryRegion *root = stage_container("root", UINT64_MAX);
 *         ...
 *         AddressSpace *as = stage_space(root, "as");
 *         check_view(as, "ram[0x1000,0x3000)");
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         conformance_start(&argc, &argv);
 *         conformance_case("/R-FV-3/merge-aliases", merge_aliases);
 *         return g_test_run();
 *     }
 *
 * The path's first part is the rule (conformance/rules/check_rules.py counts on
 * it).  Everything a case leaves standing is taken down after it: recorders,
 * address spaces, the tree, regions and owners, in an order that is always
 * legal.  Then memcore_statistics() must be all zero, every region and owner
 * must be finalized, and global dirty tracking must be off.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "exec/memory.h"
#include "hw/qdev-core.h"
#include "memcore/memcore.h"
#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "qom/object.h"

/* ---- programs and cases ---- */

/* g_test_init, memcore_init(MEMCORE_RECLAIM_MANUAL).  An argument that is not glib's ends the program: status 2. */
void conformance_start(int *argc, char ***argv);
void conformance_case(const char *path, void (*test)(void));

/*
 * A case whose numbers are the specification's, which are for 4 KiB target
 * pages: with others it is skipped, and says so.
 */
void conformance_case_4k(const char *path, void (*test)(void));

/*
 * A case that must end in misuse: `test` runs in a child process, which must die
 * by abort() with exactly one line on stderr, "memcore: `function`: " and a text that
 * ends with `says`: what it names, with * and ? as in a file name, and the rule:
 * "victim*(R-TREE-5)".  In cases of /base/ it may name a header instead: then `says` is
 * anywhere in the text.  A child that survives, or dies in any other way (a sanitizer's
 * report, a signal), fails.
 */
void conformance_misuse(const char *path, void (*test)(void), const char *function, const char *says);
/* A table of them. */
typedef struct {
    const char *path;
    void (*test)(void);
    const char *function;
    const char *says;
} Misuse;
#define conformance_misuses(table) conformance_misuses_in((table), G_N_ELEMENTS(table))
void conformance_misuses_in(const Misuse *table, size_t count);

/* ---- the stage: objects of one case ---- */

/*
 * Regions of every kind in heap memory of exactly their size, filled with
 * garbage before init (R-OBJ-1).  Owner NULL (no owner), or set by
 * stage_set_owner for the regions built after it.  A NULL name gives an unnamed
 * region (R-OBJ-3).  RAM kinds stop the program if they cannot be allocated.
 */
void stage_set_owner(Object *owner);
MemoryRegion *stage_container(const char *name, uint64_t size);
MemoryRegion *stage_io(const char *name, uint64_t size);                /* stage_ops, opaque = the region */
MemoryRegion *stage_io_ops(const char *name, uint64_t size, const MemoryRegionOps *ops, void *opaque);
MemoryRegion *stage_ram(const char *name, uint64_t size);               /* _ram_nomigrate */
MemoryRegion *stage_ram_migratable(const char *name, uint64_t size);    /* _ram */
/* _resizeable_ram; `resized` may be NULL. */
MemoryRegion *stage_resizeable(const char *name, uint64_t size, uint64_t maximum,
                               void (*resized)(const char *idstr, uint64_t length, void *host));
MemoryRegion *stage_rom(const char *name, uint64_t size);               /* _rom_nomigrate */
MemoryRegion *stage_rom_device(const char *name, uint64_t size);        /* _rom_device_nomigrate, stage_ops */
MemoryRegion *stage_ram_ptr(const char *name, uint64_t size, void *host);
MemoryRegion *stage_alias(const char *name, MemoryRegion *target, hwaddr offset, uint64_t size);
/* Adopts a region which the case initialised itself, in stage_storage; `owner` as given to its init. */
MemoryRegion *stage_adopt(MemoryRegion *mr, Object *owner);
/* Garbage-filled memory for structs the case initialises itself; freed after the case. */
void *stage_storage(size_t size);
/* Names the region's block and makes it migratable, for what is built without; gives it back. */
RAMBlock *stage_migratable(MemoryRegion *mr, const char *idstr);
/* Little-endian ops that accept everything and do nothing; reads answer 0. */
extern const MemoryRegionOps stage_ops;

/*
 * Tree changes that the stage knows of.  A case that calls the API's
 * add/del_subregion itself must leave the tree as the stage knows it, or tell it
 * with stage_note_container.
 */
void stage_add(MemoryRegion *container, hwaddr offset, MemoryRegion *child);
void stage_add_overlap(MemoryRegion *container, hwaddr offset, MemoryRegion *child, int priority);
void stage_del(MemoryRegion *container, MemoryRegion *child);
void stage_note_container(MemoryRegion *child, MemoryRegion *container);    /* NULL: in none */
/* Gives a region back early: unparented, or unreferenced if it has no name. */
void stage_release(MemoryRegion *mr);
/* The core has finalized it already (as a failed init does): nothing to do after the case. */
void stage_forget(MemoryRegion *mr);

/* memcore_statistics(), for one field: stage_statistics().flat_views */
MemcoreStatistics stage_statistics(void);

/* A topology commit that changes nothing: listeners hear begin, their region_nops and commit (R-TREE-11). */
void stage_force_commit(void);

AddressSpace *stage_space(MemoryRegion *root, const char *name);
void stage_space_destroy(AddressSpace *as);     /* the deferred part waits for memcore_drain */

/*
 * A device object that can own regions.  The stage holds its one reference, until
 * stage_owner_drop or the case's end.  `finalized` (may be NULL) runs in its finalizer.
 */
Object *stage_owner(const char *id);
Object *stage_owner_watched(const char *id, void (*finalized)(void *opaque), void *opaque);
unsigned stage_owner_references(Object *owner);
bool stage_owner_gone(Object *owner);           /* may be asked after its death */
void stage_owner_drop(Object *owner);

/* Names for the recorders' texts; never fired by the stage. */
EventNotifier *stage_notifier(const char *name);

/* mtree_info's text; free with g_free. */
char *stage_mtree(bool flatview, bool dispatch_tree, bool owner, bool disabled);

/* ---- recording listeners ---- */

typedef struct Recorder Recorder;
struct Recorder {
    MemoryListener listener;        /* callbacks may be set to NULL, or replaced, before recorder_register */
    const char *name;
    GString *log;
    bool quiet;                     /* writes nothing (the hook still runs) */
    /* Runs in every callback, after it was written down.  `event` names the callback; section may be NULL. */
    void (*hook)(Recorder *recorder, const char *event, MemoryRegionSection *section);
    void *opaque;                   /* the case's own, for the hook */
};

/*
 * Every callback but log_sync_global is set.  One line an event; a name is
 * written behind " : ", and listeners that hear the same event one after the other
 * share the line (R-LST-2, R-LST-3):
 *
 *     begin : P0 x y
 *     region_del b[0x2000,0x3000) : y x P0
 *     log_start a[0,0x1000) 0->1
 *     eventfd_add 0x2000+0x4 data 0x11 match e0          (without " match" if match_data is false)
 *     coalesced_io_add 0x2010+0x20 in b[0x2000,0x3000)
 *     log_global_start
 *
 * Without a name (NULL) each event has its own line, without " : ".
 */
Recorder *recorder_new(const char *name, unsigned priority, GString *log);
void recorder_register(Recorder *recorder, AddressSpace *as);
void recorder_unregister(Recorder *recorder);
/* Both in one, and without what the registration itself replays. */
Recorder *recorder_watch(AddressSpace *as, const char *name, unsigned priority, GString *log);
GString *stage_log(void);           /* an empty log that lives as long as the case */

/* ---- a host that refuses ---- */

/*
 * What memcore asks the host for (memcore_set_fault), of one kind or ANYTHING, fails with errno `number` (0: it is
 * counted only): always, the nth time only (from 0), or the first `times`; until host_agrees, or another of these.
 */
enum { ANYTHING = -1 };
void host_refuses(int kind, int number);
void host_refuses_nth(int kind, int number, unsigned nth);
void host_refuses_first(int kind, int number, unsigned times);
unsigned host_was_asked(void);      /* so often since, refused or not */
unsigned host_agrees(void);         /* as host_was_asked */

/* ---- text ---- */

/* Hex: 0, 0x1000, 0x10000000000000000; negative: -0x10.  Free with g_free, as all of these. */
char *text_of_int128(Int128 value);
/* NAME[START,END)@OFFSET and the words " ro", " nv"; no "@0"; a NULL mr is "-", a NULL name "(null)". */
char *text_of_section(const MemoryRegionSection *section);
/* The published view: sections joined by ", ", with " log=MASK" where the dirty mask is not 0. */
char *text_of_view(AddressSpace *as);
/* The same from flatview_for_each_range alone, hence without the words. */
char *text_of_flatview(FlatView *fv);
/* find, then unref; "-" if nothing was found. */
char *text_of_find(MemoryRegion *mr, hwaddr addr, uint64_t size);

/* ---- checks: actual first, expected second ---- */

#define check(condition) check_condition_at(G_STRLOC, #condition, (condition))
#define check_number(actual, expected) \
    check_number_at(G_STRLOC, #actual, (uint64_t)(actual), (uint64_t)(expected))
#define check_pointer(actual, expected) check_pointer_at(G_STRLOC, #actual, (actual), (expected))
#define check_text(actual, expected) check_text_at(G_STRLOC, #actual, (actual), (expected))
/* Takes the text over and frees it. */
#define check_text_taken(actual, expected) check_text_taken_at(G_STRLOC, #actual, (actual), (expected))
/* As text_of_view; flatview_for_each_range must agree with what a listener is told. */
#define check_view(as, expected) check_view_at(G_STRLOC, #as, (as), (expected))
#define check_find(mr, addr, size, expected) \
    check_text_taken_at(G_STRLOC, "find(" #mr ", " #addr ", " #size ")", text_of_find((mr), (addr), (size)), \
                        (expected))
#define check_section(section, expected) \
    check_text_taken_at(G_STRLOC, #section, text_of_section(section), (expected))
/* What was logged since the last check_log; `expected` is lines, each with its "\n".  Empties the log. */
#define check_log(log, expected) check_log_at(G_STRLOC, (log), (expected))

/* The init gave `error` (which stays the caller's) and no region; if it gave a region, the stage adopts it. */
#define check_init_failed(mr, owner, error) check_init_failed_at(G_STRLOC, (mr), (owner), (error))

bool check_condition_at(const char *where, const char *what, bool condition);
bool check_init_failed_at(const char *where, MemoryRegion *mr, Object *owner, const Error *error);
bool check_number_at(const char *where, const char *what, uint64_t actual, uint64_t expected);
bool check_pointer_at(const char *where, const char *what, const void *actual, const void *expected);
bool check_text_at(const char *where, const char *what, const char *actual, const char *expected);
bool check_text_taken_at(const char *where, const char *what, char *actual, const char *expected);
bool check_view_at(const char *where, const char *what, AddressSpace *as, const char *expected);
bool check_log_at(const char *where, GString *log, const char *expected);

/* ---- between the files of common/ ---- */

void stage_strike(void);            /* takes everything down and checks that it is gone */
const char *stage_notifier_name(EventNotifier *e);
void recorder_fill(Recorder *recorder, const char *name, unsigned priority, GString *log);

#endif
