/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model's state and its chapters, private to harness/model.
 *
 * Everything is a plain array indexed by trace slot.  Nothing derived is kept:
 * reference counts, "is mapped", who is in a live view, are counted from the
 * state when somebody asks.
 */
#ifndef HARNESS_MODEL_STATE_H
#define HARNESS_MODEL_STATE_H

#include "model/access.h"
#include "model/block.h"
#include "model/model.h"

/*
 * A position or a distance, exact.  Negative positions and positions beyond
 * 2^64 are normal inside alias windows (R-FV-6) and never wrap.
 */
typedef __int128 place;
#define SPACE_END ((place)1 << 64)
#define WHOLE_SPACE ((wide)1 << 64)

enum { NO_SLOT = OBSERVED_NONE };

/* What the numbers of operand.def's words mean. */
enum naming { NAMING_PLAIN, NAMING_SHARED, NAMING_ESCAPED, NAMING_UNNAMED };

struct slot_list {
    uint16_t *slots;
    size_t count, capacity;
};

struct coalesced_list {
    struct coalesced_range {
        uint64_t offset, size;
    } *ranges;
    size_t count, capacity;
};

/* In a region's list `address` is an offset in the region, in a space's list an address of the space. */
struct eventfd {
    uint64_t address;
    unsigned size;              /* 0, 1, 2, 4, 8 */
    bool match_data;
    uint64_t data;              /* as listeners see it (R-EFD-2) */
    int notifier;
};
struct eventfd_list {
    struct eventfd *entries;
    size_t count, capacity;
};

/* The bytes of a memory: pages that were written to. */
struct stored {
    struct stored_page **pages;
    size_t count, capacity;
};

struct script {
    enum script_kind kind;
    unsigned region, space;
    uint64_t address;
};

struct region {
    bool live;
    bool enabled, readonly, nonvolatile, romd;
    bool terminating;
    enum region_kind kind;
    wide size;
    int target;                 /* of an alias */
    uint64_t alias_offset;
    struct slot_list children;  /* in sibling order (R-TREE-2) */
    uint64_t address;
    int32_t priority;
    int container;

    int owner;                  /* the given owner (R-OBJ-4) */
    enum naming naming;
    bool big_endian;            /* of its ops */
    bool has_block, migratable;
    uint64_t block_length;      /* used_length of its RAM block */
    uint64_t alignment;
    uint8_t vga_log_count;
    bool vga_logged;            /* dirty log bit 0 */
    struct coalesced_list coalesced;
    struct eventfd_list eventfds;
    uint64_t block_max;         /* max_length of the block */
    uint64_t block_offset;      /* ram_addr of its first byte */
    bool resizeable, shared, noreserve, protected, uf_zeroable, mapped_readonly;
    enum id_name id;
    struct {
        bool there;
        uint64_t length, offset;        /* offset: of the block's first byte */
        uint8_t marks[BLOCK_FILE_MARKS];        /* what these pages begin with, as far as no shared block shows them */
    } file;
    struct stored memory;       /* of a block of its own */
    struct manager *manager;    /* of what is populated; NULL: none */
    struct device_shape shape;  /* of a device or ROM device */
    uint64_t counter;           /* data callbacks until now */
    uint8_t store[DEVICE_STORE];
    struct script script;       /* kind SCRIPT_NONE: none */
    bool flushes;               /* flush_coalesced_mmio, R-COAL-2 */
    uint8_t *pages;             /* a set of enum page_bit for each target page; memory is kept for the next block */
    size_t page_count, page_max, page_capacity;     /* in use, and of max_length; both 0 if they are too many */
    bool has_bmap;
    unsigned chunk_shift;       /* of clear_bmap; 0: none */
    unsigned references;        /* `ref` steps not undone */
    unsigned waiting;           /* times it is a range or root of a view that waits for a grace period */
};

/* A FlatView: never changes once made. */
struct flat_view {
    struct view view;
    uint64_t base;              /* address of the root's byte 0 (R-FV-2) */
    bool used, marked;
};

struct space {
    bool live;
    int root;
    struct flat_view *view;     /* published */
    struct eventfd_list eventfds;
};

struct listener {
    bool registered;
    int space;
    unsigned priority;
    uint32_t hears;             /* bits by enum event_kind */
    int armed;                  /* region to toggle at the next commit callback */
};

struct owner {
    bool live;
    bool released;              /* the creator's reference is gone */
};

struct copy {
    bool live;
    int region;
    struct flat_view *view;
};

struct mapping {
    bool live, bounced, is_write;
    int space, region;          /* region: NO_SLOT where nothing is */
    uint64_t address, length;
    uint64_t offset;            /* in the region, of a direct one */
    uint64_t number;            /* how many were made before */
    uint32_t attrs;
};

struct cache {
    bool live, is_write;
    bool has_pointer;           /* R-CCH-4 */
    int region;                 /* an IOMMU itself, not what is behind it; NO_SLOT: a hole */
    uint64_t offset;            /* in the region; in a hole the address */
    uint64_t length;
    struct flat_view *view;
};

struct iommu {
    unsigned space;
    uint64_t granule;
    uint32_t traits;
    unsigned flags;             /* what its class was last told (R-IOM-4) */
    size_t count;
    struct iommu_block {
        unsigned index;
        uint64_t iova, to, mask;
        unsigned space, perm;
    } blocks[IOMMU_BLOCKS];     /* newest first */
};

struct iommu_notifier {
    bool live;
    int region;
    uint64_t start, end;
    unsigned flags, index;
};

struct ram_notifier {
    bool live;
    unsigned kind;
};

/* R-BDM: a set of granules. */
struct manager {
    uint64_t granule;
    size_t count;
    unsigned hooks;
    bool populated[];
};

struct discard_listener {
    bool live, twice;           /* R-RDM-10: one discard may cover what is discarded already */
    unsigned region;
    uint64_t offset, size;
    unsigned objects_at;        /* its n-th populate from now on; 0: none */
};

enum { LISTENER_SLOTS = TRACE_LISTENERS + TRACE_SPACES };

struct model {
    enum model_profile profile;
    struct event_log *out;      /* where the current step's events go */
    struct observation *expected;       /* of the step, while it is an access */
    unsigned signals[TRACE_NOTIFIERS];  /* of eventfds, in this step */
    struct stored shared_memory;        /* what all ram_ptr regions show */

    struct region regions[TRACE_REGIONS];
    struct space spaces[TRACE_SPACES];
    struct listener listeners[LISTENER_SLOTS];
    struct owner owners[TRACE_OWNERS];
    struct copy copies[TRACE_COPIES];
    struct mapping mappings[TRACE_MAPPINGS];
    uint64_t mappings_made;
    struct cache caches[TRACE_CACHES];
    struct iommu iommus[TRACE_REGIONS];         /* of regions of that kind */
    struct iommu_notifier iommu_notifiers[TRACE_IOMMU_NOTIFIERS];
    struct ram_notifier ram_notifiers[TRACE_RAM_NOTIFIERS];
    struct discard_listener discard_listeners[TRACE_DISCARD_LISTENERS];
    unsigned policy[POLICIES];                  /* R-DISC-1; what managers count is not in it */
    unsigned clients_waiting[TRACE_CLIENTS];    /* for the bounce buffer: how often each */
    bool clients_due[TRACE_CLIENTS];            /* to be called when the step ends */

    /* Live slots, ascending. */
    struct slot_list live_regions, live_spaces, live_listeners, live_owners, live_copies;
    struct slot_list live_mappings, live_caches, live_iommu_notifiers;
    struct slot_list live_ram_notifiers, live_discard_listeners, live_managers;
    struct slot_list block_order;       /* regions that have a block, R-RAM-19 */
    struct slot_list ram_notifier_order, discard_listener_order;        /* newest first */
    uint32_t block_version;             /* R-RAM-11, since the trace began */
    struct slot_list space_order;       /* live spaces in creation order */
    struct slot_list listener_order;    /* ascending by priority, then by registration (R-LST-1) */

    struct slot_list notifier_order;    /* of IOMMUs, oldest first */

    struct slot_list doomed_roots;      /* of destroyed spaces, until a grace period ends (R-TX-9) */

    struct flat_view empty_view;        /* the permanent one (R-FV-12) */
    struct flat_view **views;           /* every FlatView ever made; those not `used` are free */
    size_t view_count, view_capacity;
    unsigned view_serial;
    size_t waiting_views;               /* unreferenced, until a grace period ends */
    struct slot_list cache;             /* qemu-7.2, R-TX-7: indices in `views` */
    bool reading;

    unsigned depth;
    bool topology_pending, eventfds_pending;
    unsigned log_flags, log_postponed;
    uint64_t dirty_rate_pages;          /* R-LEB-6 */
    bool vm_paused;
    enum code_tracking code_tracking;

    /* Scratch memory, kept between uses. */
    uint64_t *breakpoints;
    size_t breakpoint_count, breakpoint_capacity;
    struct eventfd_list resolved;
    struct event *event_list;
    size_t event_list_capacity;
};

/* Makes room for `needed` elements; *capacity follows. */
void *array_reserve(void *array, size_t *capacity, size_t needed, size_t element_size);
void slot_list_insert(struct slot_list *l, size_t index, unsigned slot);
void slot_list_append(struct slot_list *l, unsigned slot);
void slot_list_insert_sorted(struct slot_list *l, unsigned slot);
void slot_list_remove(struct slot_list *l, unsigned slot);      /* it is there */
bool slot_list_has(const struct slot_list *l, unsigned slot);
void slot_list_free(struct slot_list *l);

/* regions.c: objects, kinds, the tree.  Sizes as the API gives them: UINT64_MAX is 2^64 (R-REG-2). */
struct region *region_new(struct model *m, unsigned slot, enum region_kind kind, uint64_t size,
                          unsigned owner, enum naming naming);
/* max: 0 if the block cannot be resized. */
void region_give_block(struct model *m, unsigned slot, uint64_t max, bool migratable, uint64_t alignment);
bool region_is_ram(const struct region *r);
bool region_is_iommu(const struct model *m, unsigned slot);
uint8_t region_dirty_log_mask(const struct model *m, unsigned slot);
bool region_is_mapped(const struct model *m, unsigned slot);
const char *region_name(const struct model *m, int slot, char buffer[16]);  /* NULL if unnamed */
void region_add(struct model *m, unsigned container, unsigned slot, uint64_t address, int32_t priority);
void region_del(struct model *m, unsigned slot);
void region_detach(struct model *m, unsigned slot);
void region_set_enabled(struct model *m, unsigned slot, bool on);
void region_set_address(struct model *m, unsigned slot, uint64_t address);
void region_set_size(struct model *m, unsigned slot, uint64_t size);
void region_set_alias_offset(struct model *m, unsigned slot, uint64_t offset);
void region_set_readonly(struct model *m, unsigned slot, bool on);
void region_set_nonvolatile(struct model *m, unsigned slot, bool on);
void region_set_romd(struct model *m, unsigned slot, bool on);
void region_set_log(struct model *m, unsigned slot, bool on);
void region_forget(struct model *m, unsigned slot);             /* the slot is free afterwards */

/* facts.c */
void region_describe(const struct model *m, unsigned slot, struct region_facts *facts);

/* resolve.c */
struct answer {
    unsigned region;
    uint64_t offset;
    bool readonly, nonvolatile;
};
bool resolve(const struct model *m, unsigned slot, place x, bool readonly, bool nonvolatile,
             struct answer *out);
struct collapsed {
    int root;                   /* D, or NO_SLOT */
    uint64_t base;
};
struct collapsed collapse(const struct model *m, unsigned root);

/* view.c */
struct flat_view *view_render(struct model *m, struct collapsed d);
struct flat_view *view_for_new_space(struct model *m, struct collapsed d);
void views_let_go(struct model *m);     /* unreferenced ones start waiting for a grace period */
void views_grace(struct model *m);
unsigned view_mentions(const struct view *v, unsigned slot);
const struct view_range *view_find_same(const struct view *v, const struct view_range *r);

/* commit.c */
void transaction_begin(struct model *m);
void transaction_commit(struct model *m);
void space_new(struct model *m, unsigned slot, unsigned root);
void space_destroy(struct model *m, unsigned slot);

/* listeners.c */
enum direction { FORWARD, REVERSE };    /* F and R of R-LST-2 */
bool hears(const struct model *m, unsigned listener, enum event_kind kind);
void tell_all(struct model *m, enum event_kind kind, enum direction direction);
void tell_space(struct model *m, unsigned space, const struct event *e, enum direction direction);
bool space_has_listeners(const struct model *m, unsigned space);
void tell_one(struct model *m, unsigned listener, const struct event *e);
void event_for_range(struct event *e, enum event_kind kind, unsigned space, const struct view_range *r);
void listener_register(struct model *m, unsigned slot, unsigned space, unsigned priority,
                       uint32_t hears_mask);
void listener_unregister(struct model *m, unsigned slot);
void listeners_remove(struct model *m, unsigned space);
void listeners_disarm(struct model *m, unsigned region);

/* log.c */
void log_start(struct model *m, unsigned flags);
void log_stop(struct model *m, unsigned flags);
void log_sync(struct model *m, int region);     /* NO_SLOT: of all regions */
void log_clear(struct model *m, unsigned region, uint64_t start, uint64_t length);
void log_vm_state(struct model *m, bool running);

/* dirty.c: bits 0 to 2 are the clients DIRTY_MEMORY_* */
enum page_bit { PAGE_SENT_LATER = 1 << 3, PAGE_STARTS_CHUNK_TO_CLEAR = 1 << 4 };
void dirty_new_block(struct region *r);
/* R-DIRTY-13: bytes were written by somebody who tells, so whoever logs the region sees them, R-CODE-3 too. */
void dirty_written(struct model *m, unsigned region, uint64_t offset, uint64_t length);
void dirty_apply(struct model *m, const struct trace_step *s, struct observation *expected);

/* The pages around that offset of the block. */
void dirty_show(const struct region *r, uint64_t around, FILE *out);
/* R-RES-4: what was used is clean and told so, what is used now is dirty. */
void dirty_resize(struct model *m, unsigned region, uint64_t length);

/* block.c */
uint64_t block_place(const struct model *m, uint64_t max);
/* Whether a region that names its block by itself cannot come, as another has the name (R-RAM-14). */
bool block_refused_by_name(struct model *m, unsigned region, unsigned owner);
void block_added(struct model *m, unsigned region);
void block_removed(struct model *m, unsigned region);
void block_apply(struct model *m, const struct trace_step *s, struct observation *expected);

/* discard.c */
void discard_apply(struct model *m, const struct trace_step *s, struct observation *expected);

/* memory.c */
void memory_zero(struct model *m, unsigned region, uint64_t offset, uint64_t length);   /* whole host pages */
struct stored *memory_of(struct model *m, unsigned region);
uint8_t memory_byte(struct model *m, unsigned region, uint64_t offset);
void memory_store(struct model *m, unsigned region, uint64_t offset, uint8_t byte);
void stored_forget(struct stored *s);
void stored_free(struct stored *s);

/* access_apply.c */
void access_apply(struct model *m, const struct trace_step *s, struct observation *expected);

/* eventfd.c */
bool windows_meet(place start, wide size, const struct view_range *r);
void eventfd_add(struct model *m, unsigned region, struct eventfd e);
void eventfd_del(struct model *m, unsigned region, struct eventfd e);
int eventfd_index(const struct model *m, unsigned region, struct eventfd e);   /* R-EFD-3, or -1 */
struct eventfd eventfd_from_step(const struct trace_step *step);
uint64_t eventfd_data(const struct region *r, unsigned size, uint64_t data);
void eventfds_resolve(struct model *m, unsigned space);     /* and tell what changed */
void event_for_eventfd(struct event *e, enum event_kind kind, unsigned space, const struct eventfd *entry);

/* coalesced.c */
void coalesced_add(struct model *m, unsigned region, uint64_t offset, uint64_t size);
void coalesced_set_all(struct model *m, unsigned region);
void coalesced_clear(struct model *m, unsigned region);
void coalesced_flush(struct model *m);
void coalesced_range_appears(struct model *m, unsigned space, const struct view_range *r);
void coalesced_range_disappears(struct model *m, unsigned space, const struct view_range *r);

/* find.c: *view is where it was found. */
struct observed_section find(const struct model *m, unsigned region, uint64_t address, uint64_t size,
                             struct flat_view **view);

/* references.c */
void owners_bury(struct model *m);      /* owners without references die, and those that die of it */
void region_finalize(struct model *m, unsigned slot);

/* print.c */
void print_mtree(const struct model *m, bool flatview, bool owner, bool disabled, FILE *out);

#endif
