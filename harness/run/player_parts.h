/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the player share: its state, and who plays what. */
#ifndef HARNESS_RUN_PLAYER_PARTS_H
#define HARNESS_RUN_PLAYER_PARTS_H

#include "exec/memory.h"
#include "exec/ramlist.h"
#include "model/access.h"
#include "model/block.h"
#include "qemu/event_notifier.h"
#include "run/player.h"
#include "run/subject.h"

enum { PLAYER_LISTENERS = TRACE_LISTENERS + TRACE_SPACES };

struct recorder {
    MemoryListener listener;
    struct player *player;
    int slot, space;
    bool registered;
    int armed;                  /* region slot or OBSERVED_NONE */
};

/* A region's storage: its first member is a MemoryRegion either way. */
union player_region {
    MemoryRegion mr;
    IOMMUMemoryRegion iommu;
};

/* What answers the callbacks of a device region: model/access.h. */
struct player_device {
    struct player *player;
    unsigned slot;
    MemoryRegionOps ops;
    struct device_shape shape;
    uint64_t counter;
    uint8_t store[DEVICE_STORE];
    struct {
        enum script_kind kind;
        unsigned region, space;
        uint64_t value;
    } script;
};

struct player_iommu_block {
    unsigned index, perm;
    int space;
    uint64_t iova, to, mask;
};
struct player_iommu {
    struct player *player;
    unsigned slot;
    int space;
    uint64_t granule;
    uint32_t traits;
    size_t count;
    struct player_iommu_block blocks[IOMMU_BLOCKS];     /* newest first */
};

struct player_notifier {
    IOMMUNotifier notifier;     /* first: the callback knows nothing else */
    struct player *player;
    unsigned slot;
    IOMMUMemoryRegion *iommu;
    MemoryRegion *region;       /* it is registered on; the IOMMU itself once that alias is gone */
};

struct player_client {
    struct player *player;
    unsigned slot;
    QEMUBH *bottom_half;
};

struct player_ram_notifier {
    RAMBlockNotifier seed;
    RAMBlockNotifierExtended extended;
    struct player *player;
    unsigned slot, kind;
};

struct player_discard_listener {
    RamDiscardListener listener;        /* first: the callback knows nothing else */
    struct player *player;
    unsigned slot, region, objects_at;
};

struct player_manager {
    struct subject_manager *manager;    /* NULL: none */
    unsigned hooks;
};

struct player {
    struct observation *seen;   /* of the step being played */
    bool replaying;             /* inside a (un)registration: armed listeners wait */

    union player_region regions[TRACE_REGIONS];
    struct player_device devices[TRACE_REGIONS];
    struct player_iommu iommus[TRACE_REGIONS];
    bool region_live[TRACE_REGIONS];
    unsigned region_limit;      /* slots from here on were not used since the reset */
    bool region_named[TRACE_REGIONS];
    bool region_enabled[TRACE_REGIONS];
    int region_owner[TRACE_REGIONS];
    int region_container[TRACE_REGIONS];    /* slots: the fields of a MemoryRegion are private */
    int region_target[TRACE_REGIONS];
    char region_names[TRACE_REGIONS][16];
    uint64_t region_block_length[TRACE_REGIONS];    /* of the block it was made with */
    unsigned long *bmaps[TRACE_REGIONS], *clear_bmaps[TRACE_REGIONS];   /* given to its block; NULL: none */

    AddressSpace spaces[TRACE_SPACES];
    bool space_live[TRACE_SPACES];

    struct recorder recorders[PLAYER_LISTENERS];
    char recorder_names[PLAYER_LISTENERS][16];

    struct player_owner {
        struct player *player;
        int slot;
        Object *object;         /* NULL: dead */
        char name[16];
    } owners[TRACE_OWNERS];

    EventNotifier notifiers[TRACE_NOTIFIERS];
    MemoryRegionSection *copies[TRACE_COPIES];

    FlatView *reader_view;      /* held inside an RCU read section */
    struct view reader_saw;

    uint8_t *reserved;          /* address space for ram_ptr regions; without access until a step accesses memory */
    bool reserved_used;
    bool eventfds_used;         /* since the reset */

    struct {
        void *pointer;
        AddressSpace *space;
        hwaddr length;
    } mappings[TRACE_MAPPINGS];
    struct player_client clients[TRACE_CLIENTS];
    MemoryRegionCache caches[TRACE_CACHES];
    struct player_notifier iommu_notifiers[TRACE_IOMMU_NOTIFIERS];
    struct player_ram_notifier ram_notifiers[TRACE_RAM_NOTIFIERS];
    bool reporting_blocks;      /* existing ones are reported to a notifier */
    uint32_t block_version;     /* when the trace began */
    struct player_discard_listener discard_listeners[TRACE_DISCARD_LISTENERS];
    struct player_manager managers[TRACE_REGIONS];
    unsigned policy[4];         /* how often each was counted up */
    bool drops_code;            /* CODE_TRACKING_DROPPING */
    struct {
        unsigned times;         /* it strikes steps that make the call; 0: it does not wait for any */
        size_t nth, left;       /* left: calls until it strikes */
        int error;
    } failure;
    bool straight;              /* a dispatch without a space: callbacks have the caller's locks */
};

int player_region_slot(const struct player *p, const MemoryRegion *mr);
int player_notifier_slot(const struct player *p, const EventNotifier *e);
void player_observe_section(const struct player *p, const MemoryRegionSection *section, int space,
                            struct observed_section *out);
void player_toggle(struct player *p, unsigned region);

/* The block of the region's own, or NULL. */
RAMBlock *player_block(struct player *p, unsigned region);
void player_reserved_use(struct player *p);     /* the memory of ram_ptr regions can be accessed from now on */

/* Poisoned for AddressSanitizer: storage that is not in use. */
void player_poison(const void *address, size_t size);
void player_unpoison(const void *address, size_t size);

/* player_region.c: makes a region; false: the initialiser reported an Error, which only RAM_FILE writes to `out`. */
bool player_region_init(struct player *p, const struct trace_step *s, FILE *out);
void player_region(struct player *p, const struct trace_step *s);
/* player_space.c */
void player_space(struct player *p, const struct trace_step *s);
/* player_query.c */
void player_query(struct player *p, const struct trace_step *s, const struct observation *expected);
/* device.c */
const MemoryRegionOps *player_device_init(struct player *p, unsigned slot, const struct device_shape *shape);
/* player_access.c, player_iommu.c */
void player_access_init(struct player *p);
void player_access_free(struct player *p);
void player_access(struct player *p, const struct trace_step *s, const struct observation *expected);
void player_iommu(struct player *p, const struct trace_step *s);
void player_forget_alias(struct player *p, unsigned slot);  /* of an IOMMU: notifiers on it are on the IOMMU */
void player_iommu_init(struct player *p, unsigned slot, const struct trace_step *s, Object *owner, const char *name);
MemTxAttrs player_attrs(uint32_t packed);
uint32_t player_attrs_packed(MemTxAttrs attrs);
int player_space_slot(const struct player *p, const AddressSpace *as);

/* Fills the callbacks of `mask` (bits by enum event_kind) into the recorder's listener. */
void recorder_init(struct recorder *r, struct player *p, unsigned slot, unsigned space, uint64_t mask,
                   unsigned priority, const char *name);
void player_record(struct player *p, const struct event *e);

#endif
