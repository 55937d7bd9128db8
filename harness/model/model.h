/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference model: what the specification says a core does, written so
 * that it can be checked by reading.  It answers "who serves address a?" one
 * address at a time (R-FV-1), knows regions by trace slot, keeps its state in
 * plain arrays, and shares no code and no algorithm with memcore.
 *
 * The model never fails and never skips: it is given *resolved* steps (exact
 * live slots, absolute values, preconditions met; see run/resolve.h) and
 * predicts the observation.  Its state is also what steps are resolved against.
 */
#ifndef HARNESS_MODEL_MODEL_H
#define HARNESS_MODEL_MODEL_H

#include "model/observation.h"
#include "trace/trace.h"

/* Which of two allowed behaviours a QUIRK shows. */
enum model_profile {
    MODEL_PROFILE_MEMCORE,      /* the documented improvements ("better ok") */
    MODEL_PROFILE_QEMU_7_2,     /* the reference implementation */
};

/* Blocks are made of these, whatever a target page is (R-RAM-1). */
#define HOST_PAGE UINT64_C(4096)

enum region_kind {
    KIND_CONTAINER, KIND_IO, KIND_RESERVATION, KIND_ALIAS, KIND_RAM, KIND_RAM_PTR, KIND_RAM_DEVICE, KIND_ROM_DEVICE,
    KIND_IOMMU,
};

struct model;

struct model *model_new(enum model_profile profile);
void model_free(struct model *m);
void model_reset(struct model *m);      /* back to new, memory kept: cheap enough for every input */
enum model_profile model_profile(const struct model *m);

/*
 * Apply one resolved step; fills *expected (cleared by the caller).  Flushes of
 * the accelerator and deaths of owners come in an order of the model's own:
 * they are to be compared as run/check.c does.
 */
void model_apply(struct model *m, const struct trace_step *step, struct observation *expected);

/* --- questions about state: for resolving, checking and drawing ------------ */

/* Live objects, ascending by slot.  Arrays belong to the model, valid until the next apply. */
size_t model_regions(const struct model *m, const uint16_t **slots);
size_t model_spaces(const struct model *m, const uint16_t **slots);
size_t model_listeners(const struct model *m, const uint16_t **slots);  /* registered ones, witnesses included */
size_t model_owners(const struct model *m, const uint16_t **slots);     /* alive: not finalized */
size_t model_copies(const struct model *m, const uint16_t **slots);

struct model_region {           /* a copy of what the model knows of a live region */
    enum region_kind kind;
    wide size;
    uint64_t address;           /* kept after removal (R-TREE-6) */
    int32_t priority;
    int container;              /* slot or OBSERVED_NONE */
    int target;                 /* alias target slot or OBSERVED_NONE */
    uint64_t alias_offset;
    int owner;                  /* given owner or OBSERVED_NONE */
    bool enabled, readonly, nonvolatile, romd, terminating, has_block, migratable;
    bool named;
    unsigned vga_log_count;
    unsigned references;        /* `ref` steps not yet undone */
    size_t children, coalesced, eventfds;
    uint64_t block_length;      /* bytes of its block in use */
    uint64_t block_max;         /* and those reserved */
    bool resizeable;
    bool block_has_name;        /* an id string */
    bool file, mapped_readonly; /* the block has a file; the host cannot write to it */
    uint64_t granule;           /* of its discard manager; 0: it has none */
    size_t pages;               /* of the target, whose dirty bits are modelled; 0: its block is large, or none */
    bool has_bmap, has_chunks;  /* migration bitmap, and its clear_bmap */
};
bool model_region(const struct model *m, unsigned slot, struct model_region *out);  /* false: not live */

/* The i-th subregion in sibling order (R-TREE-2). */
int model_child(const struct model *m, unsigned slot, size_t index);

/* The i-th registered eventfd of a region, as an `eventfd` step would name it. */
bool model_eventfd(const struct model *m, unsigned slot, size_t index, struct trace_step *out);
/* Would an eventfd_del with these operands find an entry (R-EFD-3)? */
bool model_eventfd_matches(const struct model *m, const struct trace_step *step);

unsigned model_transaction_depth(const struct model *m);
bool model_space_live(const struct model *m, unsigned slot);
int model_space_root(const struct model *m, unsigned slot);
int model_listener_space(const struct model *m, unsigned slot);     /* OBSERVED_NONE: not registered */
int model_listener_armed(const struct model *m, unsigned slot);     /* region slot or OBSERVED_NONE */
bool model_owner_released(const struct model *m, unsigned slot);    /* the creator's reference is gone */
/* R-CODE: off, on, or on with a hook that drops all code of the pages it is called for, so marks them. */
enum code_tracking { CODE_TRACKING_OFF, CODE_TRACKING_ON, CODE_TRACKING_DROPPING };
enum code_tracking model_code_tracking(const struct model *m);
unsigned model_log_flags(const struct model *m);        /* global tracking flags */
unsigned model_log_postponed(const struct model *m);    /* flags whose stop waits for the VM (R-LOG-3) */
bool model_vm_running(const struct model *m);
bool model_reader_active(const struct model *m);

/* The region is a range or the root of a live view: published, held by a copy or reader, or awaiting a grace period. */
bool model_in_live_view(const struct model *m, unsigned slot);
/* The region is the root of a space, or of one whose deferred destruction has not run. */
bool model_is_space_root(const struct model *m, unsigned slot);

/* The last published view of a live space. */
const struct view *model_view(const struct model *m, unsigned space);
/* What serves address a in the space's tree as it is now (not as published); NULL-safe. */
bool model_resolve(const struct model *m, unsigned space, uint64_t address, struct view_range *byte);

/* R-OBJ-6: how many references an owner must have now, exactly (profile memcore). */
unsigned model_owner_references(const struct model *m, unsigned slot);
/* Live FlatView objects, the permanent empty one not counted: published + held + awaiting a grace period. */
size_t model_live_views(const struct model *m);
/* All eventfds resolved for a space now: for shadow checks (I-17). */
size_t model_space_eventfds(const struct model *m, unsigned space, const struct event **list);

/* --- blocks and discard managers ------------------------------------------ */

/* Live ones, ascending by slot; managers by their region. */
size_t model_ram_notifiers(const struct model *m, const uint16_t **slots);
size_t model_managers(const struct model *m, const uint16_t **slots);
size_t model_discard_listeners(const struct model *m, const uint16_t **slots);
int model_discard_listener_region(const struct model *m, unsigned slot);    /* OBSERVED_NONE: not registered */
/* How often the trace has counted one of operand.def's `discardpolicy` up. */
unsigned model_policy(const struct model *m, unsigned which);
/* Some block has this id string; idname is a word of operand.def. */
bool model_id_taken(const struct model *m, unsigned idname);

/*
 * The step failed because the host was made to fail (model/block.h): nothing changes, but what is repeated happens.
 */
void model_refuse(struct model *m, const struct trace_step *step, struct observation *expected);

/* --- accesses, maps, caches, IOMMUs: what model/access.h says of devices is part of these ------------------- */

/* Live ones, ascending by slot, as above. */
size_t model_mappings(const struct model *m, const uint16_t **slots);
size_t model_caches(const struct model *m, const uint16_t **slots);
size_t model_iommu_notifiers(const struct model *m, const uint16_t **slots);   /* registered ones */

struct model_mapping {
    int space, region;          /* region: whom the mapping keeps alive, OBSERVED_NONE for unassigned */
    uint64_t length;            /* plen */
    bool bounced, is_write;
};
bool model_mapping(const struct model *m, unsigned slot, struct model_mapping *out);    /* false: not live */
bool model_client_waits(const struct model *m, unsigned slot);

struct model_cache {
    uint64_t length;            /* L */
    int region;                 /* the cached region; OBSERVED_NONE for a hole */
    uint64_t offset;            /* of the cache's byte 0 in it */
    bool is_write;
};
bool model_cache(const struct model *m, unsigned slot, struct model_cache *out);

struct model_iommu {
    uint64_t granule;
    uint64_t page_size;         /* the smallest, as the core is told (R-IOM-1) */
    uint32_t traits;
};
bool model_iommu(const struct model *m, unsigned region, struct model_iommu *out);      /* false: not a live IOMMU */

struct model_iommu_notifier {
    int region;                 /* the IOMMU itself, aliases followed */
    uint64_t start, end;        /* both included */
    unsigned flags, index;
};
bool model_iommu_notifier(const struct model *m, unsigned slot, struct model_iommu_notifier *out);

/*
 * What RAM holds at [offset, offset + length) of a region that has a block: the bytes of its memory, as all steps
 * until now left them.  New RAM is zero.  All `ram_ptr` regions (of both kinds) share one memory, offset by
 * offset, which is zero when a trace begins and outlives the regions.  False: no such region or not within it.
 */
bool model_ram(const struct model *m, unsigned region, uint64_t offset, size_t length, uint8_t *bytes);

/*
 * References (R-OBJ-6): a mapping holds one of its region's owner, a cache one of its region's owner and its view;
 * model_owner_references, model_live_views and model_in_live_view count them.
 * Steps that end a life (unparent, destroy) are resolved so that no mapping or cache is left on what dies.
 */

#endif
