/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest physical memory: regions, address spaces, and who is told of changes.
 *
 *   MemoryRegion    something that answers accesses, or holds regions that do, or shows part of another one
 *   AddressSpace    what one root region and everything below it looks like from outside
 *   FlatView        the ranges of an address space as they were at one moment: immutable, read under RCU
 *   MemoryListener  hears how the view of its address space changes
 *
 * Chapters in headers of their own, included at the end: exec/memory_ram.h,
 * exec/memory_dirty.h, exec/memory_discard.h, exec/memory_iommu.h,
 * exec/memory_access.h, exec/memory_cache.h.
 *
 * Units: addresses, offsets and sizes are bytes.  A `size` argument of
 * UINT64_MAX stands for 2^64 when a region is made or resized, and
 * memory_region_size() answers with it (R-REG-2); nowhere else.
 *
 * Locking: everything that changes something needs the big lock
 * (qemu/main-loop.h).  Views are read under RCU or the big lock.
 *
 * Errors: `errp` reports bad input and leaves everything as it was.  Breaking
 * a precondition is misuse: one line on stderr, then abort().
 *
 * R-... are rules of conformance/spec/.
 */
#ifndef EXEC_MEMORY_H
#define EXEC_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exec/cpu-common.h"
#include "exec/hwaddr.h"
#include "exec/memattrs.h"
#include "exec/memop.h"
#include "exec/ramlist.h"
#include "qemu/bswap.h"
#include "qemu/int128.h"
#include "qemu/notify.h"
#include "qemu/rcu.h"
#include "qom/object.h"

#pragma GCC visibility push(default)

#define RAM_ADDR_INVALID (~(ram_addr_t)0)

#define MAX_PHYS_ADDR_SPACE_BITS 62
#define MAX_PHYS_ADDR (((hwaddr)1 << MAX_PHYS_ADDR_SPACE_BITS) - 1)

#define TYPE_MEMORY_REGION "memory-region"
DECLARE_INSTANCE_CHECKER(MemoryRegion, MEMORY_REGION, TYPE_MEMORY_REGION)

#define TYPE_IOMMU_MEMORY_REGION "iommu-memory-region"
typedef struct IOMMUMemoryRegionClass IOMMUMemoryRegionClass;

/* --- flags ----------------------------------------------------------------- */

/* Why all RAM is being logged; a set of these is an argument of memory_global_dirty_log_start(). */
#define GLOBAL_DIRTY_MIGRATION (1U << 0)
#define GLOBAL_DIRTY_DIRTY_RATE (1U << 1)
#define GLOBAL_DIRTY_MASK (0x3)

/* The purposes active now; 0 means that no global logging goes on.  Changes under the big lock; atomic to read. */
extern unsigned int global_dirty_tracking;

/* RAMBlock.flags (R-RAM-3, R-RAM-4). */
#define RAM_PREALLOC (1 << 0)           /* memory of the caller, never unmapped here */
#define RAM_SHARED (1 << 1)             /* mapped MAP_SHARED */
#define RAM_RESIZEABLE (1 << 2)         /* the used part may change, up to what was reserved */
#define RAM_UF_ZEROPAGE (1 << 3)        /* set during postcopy: userfaultfd can place zero pages */
#define RAM_MIGRATABLE (1 << 4)         /* has an id string; goes into migration streams */
#define RAM_PMEM (1 << 5)               /* persistent memory */
#define RAM_UF_WRITEPROTECT (1 << 6)    /* set by write-tracking migration: userfaultfd write protection */
#define RAM_NORESERVE (1 << 7)          /* no swap space is set aside */
#define RAM_PROTECTED (1 << 8)          /* cannot be accessed by the usual means, DMA for one */

/* --- regions --------------------------------------------------------------- */

/*
 * What a device does when it is accessed.  `addr` is relative to the region,
 * `size` is in bytes.  Either of read and read_with_attrs will do, and
 * likewise for writes; where both exist the plain one is called.
 */
typedef struct MemoryRegionOps MemoryRegionOps;
struct MemoryRegionOps {
    uint64_t (*read)(void *opaque, hwaddr addr, unsigned size);
    void (*write)(void *opaque, hwaddr addr, uint64_t data, unsigned size);
    MemTxResult (*read_with_attrs)(void *opaque, hwaddr addr, uint64_t *data, unsigned size,
                                   MemTxAttrs attrs);
    MemTxResult (*write_with_attrs)(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                                    MemTxAttrs attrs);

    enum device_endian endianness;

    /* What the guest may do; anything else is rejected (R-DSP-2). */
    struct {
        unsigned min_access_size;
        unsigned max_access_size;       /* 0: any size */
        bool unaligned;
        bool (*accepts)(void *opaque, hwaddr addr, unsigned size, bool is_write, MemTxAttrs attrs);
    } valid;

    /* What the callbacks are written for; accesses are split or widened to fit (R-DSP-6). 0: 1 and 4. */
    struct {
        unsigned min_access_size;
        unsigned max_access_size;
        bool unaligned;
    } impl;
};

typedef struct MemoryRegionClass {
    /* private: */
    ObjectClass parent_class;
} MemoryRegionClass;

typedef struct CoalescedMemoryRange CoalescedMemoryRange;
typedef struct MemoryRegionIoeventfd MemoryRegionIoeventfd;

/*
 * Embedded in the caller's storage, which must stay until the region is
 * finalized and no view shows it any more.  All fields are private; those a
 * rendering touches stand together.
 */
struct MemoryRegion {
    Object parent_obj;

    /* private: */
    bool enabled;
    bool terminates;                            /* answers accesses itself */
    bool readonly;
    bool nonvolatile;
    bool romd_mode;
    bool ram;
    bool rom_device;
    bool ram_device;
    bool is_iommu;
    bool flush_coalesced_mmio;
    uint8_t dirty_log_mask;                     /* stored bits: VGA only */
    uint8_t vga_logging_count;
    int32_t priority;
    hwaddr addr;                                /* in the container; kept after removal (R-TREE-6) */
    Int128 size;                                /* 0 to 2^64 */
    MemoryRegion *alias;
    hwaddr alias_offset;
    struct cds_list_head subregions;            /* sibling order (R-TREE-2) */
    struct cds_list_head subregions_link;
    RAMBlock *ram_block;
    Object *owner;                              /* as given (R-OBJ-4) */
    MemoryRegion *container;

    struct cds_list_head priority_groups;       /* the first subregion of each priority, highest first */
    struct cds_list_head priority_group_link;   /* empty unless first of its priority */
    struct cds_list_head aliases;               /* alias regions that name this one */
    struct cds_list_head aliases_link;
    unsigned mapped_via_alias;                  /* mapped alias regions whose chain passes here (R-TREE-12) */
    unsigned view_uses;                         /* ranges of live views, and live views whose root this is */
    unsigned space_uses;                        /* address spaces whose root this is */
    uint64_t visit;                             /* last search that came by */

    const MemoryRegionOps *ops;
    void *opaque;
    uint64_t align;
    const char *name;
    unsigned ioeventfd_nb;
    MemoryRegionIoeventfd *ioeventfds;          /* sorted (R-EFD-1) */
    struct cds_list_head coalesced;             /* in the order they were added */
    RamDiscardManager *rdm;
};

/*
 * A piece of a region, and where it lies in an address space.  mr NULL and
 * size 0: nothing.  Holds references only as a copy made by
 * memory_region_section_new_copy().
 */
struct MemoryRegionSection {
    Int128 size;                        /* up to 2^64 */
    MemoryRegion *mr;
    FlatView *fv;
    hwaddr offset_within_region;
    hwaddr offset_within_address_space;
    bool readonly;                      /* the region, or a container or alias on the way to it */
    bool nonvolatile;
};

/* R-SEC-2: equal geometry in two views is not equal. */
static inline bool MemoryRegionSection_eq(MemoryRegionSection *a, MemoryRegionSection *b)
{
    return a->fv == b->fv && a->mr == b->mr && a->size == b->size &&
           a->offset_within_address_space == b->offset_within_address_space &&
           a->offset_within_region == b->offset_within_region &&
           a->nonvolatile == b->nonvolatile && a->readonly == b->readonly;
}

/* --- making regions -------------------------------------------------------- */

/*
 * Common to all memory_region_init functions:
 *   region  storage of the caller; zeroed here, so a region must have been
 *           finalized before it is made anew
 *   owner   may be NULL; the region becomes its child (of "/machine/unattached"
 *           without owner) and dies with it.  References that others take to
 *           the region are counted on it (R-OBJ-5)
 *   name    copied; for people, and under it the region hangs in the object
 *           tree (R-OBJ-2).  NULL: the region has no parent; the caller keeps
 *           the one reference to it and ends it with object_unref() (R-OBJ-3)
 *   size    0 is fine except for RAM (R-REG-5)
 * The result is enabled, in no container, with defaults as in R-REG-1.
 *
 * Functions with errp: if the memory cannot be had, the region is finalized
 * again, its size is 0, and the struct may only be initialised anew (R-REG-4).
 */

/* A container: answers nothing itself. */
void memory_region_init(MemoryRegion *region, Object *owner, const char *name, uint64_t size);

/*
 * A device region.  `device` is handed to the callbacks as their `opaque`;
 * `ops` is not copied, NULL makes a reservation, which occupies its place and
 * rejects all accesses.  Subregions in front of it are allowed, like in any
 * kind that is not an alias.
 */
void memory_region_init_io(MemoryRegion *region, Object *owner, const MemoryRegionOps *ops, void *device,
                           const char *name, uint64_t size);

/* RAM that migration does not know; zero filled. */
void memory_region_init_ram_nomigrate(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                      Error **errp);

/* The same with RAM_SHARED and RAM_NORESERVE as wanted; other flags are an error. */
void memory_region_init_ram_flags_nomigrate(MemoryRegion *region, Object *owner, const char *name,
                                            uint64_t size, uint32_t flags, Error **errp);

/*
 * RAM of which `size` bytes are used now and up to `maximum` after resizing;
 * `resized` (may be NULL) is called after each change with the block's id
 * string, the new size and the memory.
 */
void memory_region_init_resizeable_ram(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                       uint64_t maximum,
                                       void (*resized)(const char *, uint64_t length, void *host),
                                       Error **errp);

/* RAM in `size` bytes at `ptr`, which stay the caller's (R-RAM-7).  Misuse: ptr NULL; size 0 or 2^64. */
void memory_region_init_ram_ptr(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                void *ptr);

/* The same for memory of a device: accessed in the sizes the guest uses, never marked dirty (R-RGN-6). */
void memory_region_init_ram_device_ptr(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                       void *ptr);

/*
 * Shows bytes [offset, offset + size) of `target`, as far as it has them, in
 * another place (R-TREE-13).  target may be an alias itself; its own address and
 * container do not matter, its being enabled and its attributes do.  It must
 * live longer than the alias (R-OBJ-10).
 */
void memory_region_init_alias(MemoryRegion *region, Object *owner, const char *name, MemoryRegion *target,
                              hwaddr offset, uint64_t size);

/* RAM that is read-only from the start. */
void memory_region_init_rom_nomigrate(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                      Error **errp);

/* Reads come from RAM while in ROMD mode (the default), writes go to ops->write.  Misuse: ops NULL. */
void memory_region_init_rom_device_nomigrate(MemoryRegion *region, Object *owner, const MemoryRegionOps *ops,
                                             void *device, const char *name, uint64_t size, Error **errp);

/*
 * As their _nomigrate twins, and the block gets an id string, under which
 * migration finds it (R-RAM-12).  Errors besides: another block has the id string
 * already (R-RAM-14), the owner is neither NULL nor a device.  Misuse: no name.
 */
void memory_region_init_ram(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                            Error **errp);
void memory_region_init_rom(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                            Error **errp);
void memory_region_init_rom_device(MemoryRegion *region, Object *owner, const MemoryRegionOps *ops,
                                   void *device, const char *name, uint64_t size, Error **errp);

/* --- asking regions -------------------------------------------------------- */

/*
 * Keep the region's owner, and with it the region, alive; both accept NULL and
 * regions without owner.  The last unref may finalize the owner at once
 * (R-OBJ-5).  ref is safe from any thread that sees the region under RCU.
 */
void memory_region_ref(MemoryRegion *mr);
void memory_region_unref(MemoryRegion *mr);

/* The parent in the object tree: not NULL for a named region without owner (R-OBJ-4).  Not referenced. */
Object *memory_region_owner(MemoryRegion *mr);

/* As given to init, NULL if none was; belongs to the region. */
const char *memory_region_name(const MemoryRegion *mr);

/* In bytes; UINT64_MAX is 2^64 (R-REG-2). */
uint64_t memory_region_size(MemoryRegion *mr);

/* The predicates look at the region itself: for an alias of RAM is_ram says false (R-REG-6). */
static inline bool memory_region_is_ram(MemoryRegion *mr)
{
    return mr->ram;
}

static inline bool memory_region_is_rom(MemoryRegion *mr)
{
    return mr->readonly && mr->ram;
}

/* A ROM device whose reads come from memory at present. */
static inline bool memory_region_is_romd(MemoryRegion *mr)
{
    return mr->romd_mode && mr->rom_device;
}

static inline bool memory_region_is_nonvolatile(MemoryRegion *mr)
{
    return mr->nonvolatile;
}

/* Memory of a device, accessed by loads and stores of the guest's own sizes (R-RGN-6). */
bool memory_region_is_ram_device(MemoryRegion *mr);

/* RAM that was made RAM_PROTECTED. */
bool memory_region_is_protected(MemoryRegion *mr);

/* The IOMMU region, also through aliases; NULL for other kinds. */
static inline IOMMUMemoryRegion *memory_region_get_iommu(MemoryRegion *mr)
{
    while (mr->alias) {
        mr = mr->alias;
    }
    return mr->is_iommu ? (IOMMUMemoryRegion *)mr : NULL;
}

/* No type check: for paths where it would cost too much. */
static inline IOMMUMemoryRegionClass *memory_region_get_iommu_class_nocheck(IOMMUMemoryRegion *iommu_mr)
{
    return (IOMMUMemoryRegionClass *)((Object *)iommu_mr)->class;
}

#define memory_region_is_iommu(mr) (memory_region_get_iommu(mr) != NULL)

/*
 * Who wants to know about writes: a set of bits 1 << DIRTY_MEMORY_*.  The VGA
 * bit comes from memory_region_set_log(), MIGRATION from global tracking, CODE
 * from memcore_set_code_tracking() (R-REG-7).  Aliases are not followed.
 */
uint8_t memory_region_get_dirty_log_mask(MemoryRegion *mr);
bool memory_region_is_logging(MemoryRegion *mr, uint8_t client);

/* Has a container, or an alias that has one leads to it, maybe through others (R-TREE-12). */
bool memory_region_is_mapped(MemoryRegion *mr);

/* The file behind the RAM, also through aliases; -1 without one.  The fd stays the block's. */
int memory_region_get_fd(MemoryRegion *mr);

/*
 * Host address of the region's first byte, also through aliases, whose offsets
 * add up; alias sizes are not looked at (R-RAM-24).  Misuse: no RAM there, or
 * the sum lies beyond the used part of the block.  Valid under RCU, the big
 * lock or a reference.
 */
void *memory_region_get_ram_ptr(MemoryRegion *mr);

/* Where the region's own block starts in ram_addr space; RAM_ADDR_INVALID without one, so for aliases. */
ram_addr_t memory_region_get_ram_addr(MemoryRegion *mr);

/*
 * The region whose RAM holds `ptr`, and where in it; NULL, *offset untouched,
 * if none does.  Never an alias.  Not referenced: call it under RCU or the big lock.
 */
MemoryRegion *memory_region_from_host(void *ptr, ram_addr_t *offset);

/* What the start of the memory is a multiple of; 0 where nothing is known (R-RAM-5). */
uint64_t memory_region_get_alignment(const MemoryRegion *mr);

/* --- the tree -------------------------------------------------------------- */

/*
 * Puts `subregion` into the container `mr`, `offset` bytes from its start.
 * Parts that stick out are invisible, overlaps are fine: the higher priority
 * is in front, among equals the newest (R-TREE-2).  Priorities compare between
 * siblings only; the plain form means priority 0.
 *
 * A region that has no memory or device behind every byte is transparent
 * there: a container in front hides what is behind it only where something in
 * it answers (R-FV-4).
 *
 * Misuse: subregion is in a container already (use an alias); mr is an alias
 * (R-TREE-4); mr can be reached from subregion (R-TREE-5).
 */
void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *subregion);
void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *subregion,
                                         int priority);

/* Takes it out again; it keeps address and priority.  Misuse: it is not in mr. */
void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *subregion);

/*
 * The setters below change what address spaces show from the next commit on,
 * which is immediate outside transactions.  Setting what is set already does
 * nothing at all (R-TREE-8).
 */

/* A disabled region, with all below it, is as if it were not there. */
void memory_region_set_enabled(MemoryRegion *mr, bool enabled);

/* Moves it in its container, to the front of the siblings of its priority (R-TREE-7). */
void memory_region_set_address(MemoryRegion *mr, hwaddr addr);

/* How much of it is seen.  Does not touch RAM behind it. */
void memory_region_set_size(MemoryRegion *mr, uint64_t size);

/* Misuse: mr is not an alias. */
void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset);

/*
 * Attributes of the region and all that is seen through it; meaningful for memory.  Misuse: writing to
 * what was made read-only by memory_region_init_ram_from_file().
 */
void memory_region_set_readonly(MemoryRegion *mr, bool readonly);
void memory_region_set_nonvolatile(MemoryRegion *mr, bool nonvolatile);

/* Reads of a ROM device come from memory (true) or from ops->read. */
void memory_region_rom_device_set_romd(MemoryRegion *mr, bool romd_mode);

/*
 * One more (or one fewer) user of the VGA dirty log of this region; only the
 * first and the last make a difference.  Misuse: another client, more "off"
 * than "on", more than 255 users (R-TREE-10).
 */
void memory_region_set_log(MemoryRegion *mr, bool log, unsigned client);

/* --- ioeventfds ------------------------------------------------------------ */

/*
 * A write of `size` bytes (0: any size) at `addr` signals `e` instead of
 * calling the device; with match_data only if `data` is written, given in the
 * target's byte order.  The notifier stays the caller's and must outlive the
 * entry.  Equal entries may be added more than once.  Misuse: size not 0, 1,
 * 2, 4 or 8.
 */
void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size, bool match_data, uint64_t data,
                               EventNotifier *e);

/*
 * Removes the first entry that was added with the same arguments; without one,
 * the first at this address where the entry's or the given size is 0 (R-EFD-3).
 * Misuse: there is neither.
 */
void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size, bool match_data, uint64_t data,
                               EventNotifier *e);

/* --- coalesced MMIO -------------------------------------------------------- */

/*
 * Writes to [offset, offset + size) may be delayed by the accelerator until
 * something else is accessed.  Listeners hear of it at once, for what address
 * spaces show now.  Size 0 is ignored (R-COAL-5).
 */
void memory_region_add_coalescing(MemoryRegion *mr, hwaddr offset, uint64_t size);

/* The whole region and nothing else.  Misuse: its size is 2^64. */
void memory_region_set_coalescing(MemoryRegion *mr);

/* Ends what the two above began.  Without coalesced ranges nothing happens (R-COAL-2). */
void memory_region_clear_coalescing(MemoryRegion *mr);

/* Delayed writes are carried out before each access to this region; automatic with coalesced ranges. */
void memory_region_set_flush_coalesced(MemoryRegion *mr);
void memory_region_clear_flush_coalesced(MemoryRegion *mr);

/* --- transactions ---------------------------------------------------------- */

/*
 * Changes between begin and commit become visible together, when the outermost
 * transaction commits.  Until then address spaces show, and memory_region_find()
 * finds, the last committed state; getters of regions answer with the new one
 * (R-TX-5).  Misuse: commit without begin, or without the big lock.
 */
void memory_region_transaction_begin(void);
void memory_region_transaction_commit(void);

/* --- address spaces and their views ---------------------------------------- */

typedef struct AddressSpaceDispatch AddressSpaceDispatch;
typedef struct FlatRange FlatRange;

struct AddressSpace {
    /* private: */
    struct rcu_head rcu;
    char *name;
    MemoryRegion *root;
    FlatView *current_map;                  /* the published view; read under RCU */
    FlatView *next_map;                     /* during a commit: the view to publish */
    int ioeventfd_nb;
    MemoryRegionIoeventfd *ioeventfds;      /* resolved to addresses, sorted (R-EFD-4) */
    struct cds_list_head listeners;         /* R-LST-1 */
    struct cds_list_head address_spaces_link;
};

/*
 * Makes an address space in the caller's storage, which shows `root` and what
 * is below it.  A view is published at once, even inside a transaction
 * (R-TX-7).  Holds a reference to root's owner.  The name is copied; NULL
 * means "anonymous".  Misuse: root NULL; `as` in use.
 */
void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name);

/*
 * No listener is called.  The rest, dropping view and root, happens after a
 * grace period; until it has run the storage must stay, and by then all
 * listeners must be unregistered (R-TX-9).
 */
void address_space_destroy(AddressSpace *as);

/* Unregisters every listener of the space, lowest priority first. */
void address_space_remove_listeners(AddressSpace *as);

/*
 * The published view.  Under RCU: valid until the read section ends.  Under
 * the big lock: until the next commit.
 */
static inline FlatView *address_space_to_flatview(AddressSpace *as)
{
    return qatomic_rcu_read(&as->current_map);
}

/* One range: addresses [start, start + len) are bytes of mr from offset_in_region on.  True: stop. */
typedef bool (*flatview_cb)(Int128 start, Int128 len, const MemoryRegion *mr, hwaddr offset_in_region,
                            void *opaque);

/* Ascending, until cb returns true (R-SEC-1).  The caller keeps fv alive.  Misuse: fv or cb NULL. */
void flatview_for_each_range(FlatView *fv, flatview_cb cb, void *opaque);

/*
 * The lowest range that intersects [addr, addr + size), cut to it, in the
 * first address space whose root is the topmost container of `mr`; addr is
 * relative to mr.  The hit need not be inside mr (R-FIND-4).
 *
 * Returns a section with a reference to the region found, which the caller
 * drops with memory_region_unref(section.mr); its `fv` is not referenced.
 * Nothing found, or size 0: everything zero (R-FIND-5).  Needs the big lock.
 */
MemoryRegionSection memory_region_find(MemoryRegion *mr, hwaddr addr, uint64_t size);

/* Whether memory_region_find(container, addr, 1) hits another region.  No reference.  Needs the big lock. */
bool memory_region_present(MemoryRegion *container, hwaddr addr);

/*
 * A copy on the heap that holds one reference to the region's owner and one to
 * the view, each unless NULL.  Misuse: the view is not live any more.
 */
MemoryRegionSection *memory_region_section_new_copy(MemoryRegionSection *s);
void memory_region_section_free_copy(MemoryRegionSection *s);

/* --- listeners ------------------------------------------------------------- */

/*
 * Hears changes of one address space.  Zero the struct, then set the callbacks
 * wanted, priority and name; it must stay until unregistered.
 *
 * "Forward" calls low priorities first, "reverse" high ones; equal priorities
 * go in order of registration, or its reverse.  One range is brought to all
 * listeners before the next.
 *
 * Sections are valid during the call only.  In a commit their `fv` is the
 * outgoing view for region, log and coalescing callbacks (R-LST-7).  Nothing
 * may be changed from a callback, except from `commit`, where a change runs a
 * complete cycle of its own; listeners must not be (un)registered from any
 * callback (R-LST-13).
 */
struct MemoryListener {
    /* Around a topology commit, for all listeners, also of spaces without a change.  Forward. */
    void (*begin)(MemoryListener *listener);
    void (*commit)(MemoryListener *listener);

    /*
     * The map as ranges: first every range that went (ascending, reverse),
     * then, ascending, those that came (add) and those that stayed as they
     * were (nop), both forward.  A range that changed in any way goes and comes.
     */
    void (*region_add)(MemoryListener *listener, MemoryRegionSection *section);
    void (*region_del)(MemoryListener *listener, MemoryRegionSection *section);
    void (*region_nop)(MemoryListener *listener, MemoryRegionSection *section);

    /*
     * After the nop of a range whose set of logging clients gained (start,
     * forward) or lost (stop, reverse) members; old and new are masks as of
     * memory_region_get_dirty_log_mask().  Ranges that come or go get none in
     * a commit (R-LST-10).
     */
    void (*log_start)(MemoryListener *listener, MemoryRegionSection *section, int old, int new);
    void (*log_stop)(MemoryListener *listener, MemoryRegionSection *section, int old, int new);

    /* Bring what was written here, or anywhere, into the dirty bitmaps; at most one may be set.  Forward. */
    void (*log_sync)(MemoryListener *listener, MemoryRegionSection *section);
    void (*log_sync_global)(MemoryListener *listener);

    /* The section's dirty state was taken: forget it, log anew.  Forward. */
    void (*log_clear)(MemoryListener *listener, MemoryRegionSection *section);

    /* Global logging began (forward), ended (reverse), or was brought up to date (forward). */
    void (*log_global_start)(MemoryListener *listener);
    void (*log_global_stop)(MemoryListener *listener);
    void (*log_global_after_sync)(MemoryListener *listener);

    /*
     * The section names the address and size of the event only, mr is NULL.
     * add is called in reverse, del forward (R-LST-2).  Entries that exist
     * when a listener registers are not announced to it.
     */
    void (*eventfd_add)(MemoryListener *listener, MemoryRegionSection *section, bool match_data,
                        uint64_t data, EventNotifier *e);
    void (*eventfd_del)(MemoryListener *listener, MemoryRegionSection *section, bool match_data,
                        uint64_t data, EventNotifier *e);

    /*
     * [addr, addr + len) of the address space, inside the section, is (no
     * longer) coalesced.  add forward, del reverse; not announced on registration.
     */
    void (*coalesced_io_add)(MemoryListener *listener, MemoryRegionSection *section, hwaddr addr, hwaddr len);
    void (*coalesced_io_del)(MemoryListener *listener, MemoryRegionSection *section, hwaddr addr, hwaddr len);

    unsigned priority;
    const char *name;           /* for people */

    /* private: */
    AddressSpace *address_space;
    struct cds_list_head link;
    struct cds_list_head link_as;
};

/*
 * Links the listener and shows it what the space shows now: begin, [log_global_start],
 * region_add and, where something is logged, log_start(0, mask) for each range, commit
 * (R-LST-4).  Misuse: filter NULL (R-LST-6); already registered; both log_sync and
 * log_sync_global set; called from a listener's callback.
 */
void memory_listener_register(MemoryListener *listener, AddressSpace *filter);

/* The way back: begin, [log_stop,] region_del for each range ascending, commit.  Not registered: nothing. */
void memory_listener_unregister(MemoryListener *listener);

/* --- dirty logging --------------------------------------------------------- */

/*
 * All migratable RAM is logged as long as one of the purposes is active.
 * start ignores those that are; listeners hear of the first start and the last
 * stop only.  While the machine is paused a stop waits until it runs, or until
 * the next start (R-LOG-3).  Misuse: flags 0 or unknown; stopping what is not
 * active by the time the stop is carried out.
 */
void memory_global_dirty_log_start(unsigned int flags);
void memory_global_dirty_log_stop(unsigned int flags);

/* Asks the listeners to bring the dirty bitmaps up to date, for every logged range. */
void memory_global_dirty_log_sync(void);

/* To be called after dirty bitmaps were read and cleared, before the pages are read. */
void memory_global_after_dirty_log_sync(void);

/* Tells the listeners (log_clear) that dirty state of [start, start + len) of mr was taken (R-LOG-5). */
void memory_region_clear_dirty_bitmap(MemoryRegion *mr, hwaddr start, hwaddr len);

/* --- for people ------------------------------------------------------------ */

/*
 * Prints, where memcore_set_print() says, the trees of all address spaces
 * (with disabled regions if asked), or their views (with dispatch details if
 * asked); either with owners if asked.  Format: section 10 of the specification.
 */
void mtree_info(bool flatview, bool dispatch_tree, bool owner, bool disabled);

#pragma GCC visibility pop

/* The other chapters: the memory of RAM; dirty pages; discarding; IOMMU regions; accesses; caches. */
#include "exec/memory_ram.h"
#include "exec/memory_dirty.h"
#include "exec/memory_discard.h"
#include "exec/memory_iommu.h"
#include "exec/memory_access.h"
#include "exec/memory_cache.h"

#endif
