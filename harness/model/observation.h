/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one step is seen to do: its result and the callbacks it causes, in
 * order.  The model predicts an observation, the player records one from the
 * core, and the runner compares the two field by field.  Objects are named by
 * their trace slots, so nothing here depends on addresses in memory.
 */
#ifndef HARNESS_MODEL_OBSERVATION_H
#define HARNESS_MODEL_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef unsigned __int128 wide;     /* sizes up to 2^64 */

enum { OBSERVED_NONE = -1 };        /* no such object: a NULL pointer */

/* A MemoryRegionSection by slots. */
struct observed_section {
    int region;                     /* slot, or OBSERVED_NONE */
    int space;                      /* whose view: for listeners the listener's space; else OBSERVED_NONE */
    uint64_t offset;                /* offset_within_region */
    uint64_t address;               /* offset_within_address_space */
    wide size;
    bool readonly, nonvolatile;
};

enum event_kind {
    EVENT_BEGIN, EVENT_COMMIT,
    EVENT_REGION_ADD, EVENT_REGION_DEL, EVENT_REGION_NOP,
    EVENT_LOG_START, EVENT_LOG_STOP,
    EVENT_LOG_SYNC, EVENT_LOG_SYNC_GLOBAL, EVENT_LOG_CLEAR,
    EVENT_LOG_GLOBAL_START, EVENT_LOG_GLOBAL_STOP, EVENT_LOG_GLOBAL_AFTER_SYNC,
    EVENT_EVENTFD_ADD, EVENT_EVENTFD_DEL,
    EVENT_COALESCED_ADD, EVENT_COALESCED_DEL,
    /* The order above is that of operand.def's `callbacks`: EVENT_x is bit x of a mask. */
    EVENT_LISTENER_KINDS,
    EVENT_COALESCED_FLUSH = EVENT_LISTENER_KINDS,   /* the accelerator is asked to flush (R-COAL-3) */
    EVENT_OWNER_FINALIZED,                          /* number = owner slot */
    EVENT_DEVICE_READ,              /* region, offset, size, attrs (with_attrs only, else 0) */
    EVENT_DEVICE_WRITE,             /* the same, and data = the value, cut to size */
    EVENT_DEVICE_ACCEPTS,           /* region, offset, size, attrs, number = is_write */
    EVENT_NESTED,                   /* region whose script ran, result, data */
    EVENT_EVENTFD_SIGNAL,           /* notifier, number = how often */
    EVENT_MAP_CLIENT,               /* number = client slot */
    EVENT_IOMMU_FLAGS,              /* notify_flag_changed: region, old_mask, new_mask, number = what it returned */
    EVENT_IOMMU_NOTIFIED,           /* number = notifier slot, address = iova, length = addr_mask, data =
                                       translated_addr, new_mask = perm, section.space = target_as */
    EVENT_BLOCK_ADDED,              /* number = notifier slot, region, length = max_length; extended: address = used */
    EVENT_BLOCK_REMOVED,
    EVENT_BLOCK_RESIZED,            /* address = old, length = new */
    EVENT_BLOCK_CALLBACK,           /* `resized` of the block itself: region, length, number = 1: with its id string */
    EVENT_POPULATE,                 /* number = discard listener slot, section, result = is_populated(section), data =
                                       what it returned */
    EVENT_DISCARD,
    EVENT_CODE_WRITTEN,             /* the hook of R-CODE-3: region, offset, length */
    EVENT_KINDS,
};
extern const char *const event_kind_names[EVENT_KINDS];

struct event {
    enum event_kind kind;
    int listener;                   /* slot; witnesses are TRACE_LISTENERS + space; OBSERVED_NONE if not a listener's */
    struct observed_section section;/* for kinds that get one; else zero with region and space OBSERVED_NONE */
    bool view_published;            /* section.fv is the space's published view at the time of the call (R-LST-7) */
    int old_mask, new_mask;         /* log_start, log_stop */
    bool match_data;                /* eventfds */
    uint64_t data;
    int notifier;
    uint64_t address, length;       /* coalesced ranges */
    int number;
    int region;                     /* device and IOMMU events; else OBSERVED_NONE */
    uint64_t offset;
    unsigned size;
    uint32_t attrs;                 /* as model/access.h packs them */
    uint32_t result;
};

struct event_log {
    struct event *events;
    size_t count, capacity;
};
void event_init(struct event *e, enum event_kind kind);     /* everything zero or OBSERVED_NONE */
void event_log_append(struct event_log *log, const struct event *e);
void event_log_clear(struct event_log *log);                /* keeps the memory */
void event_log_free(struct event_log *log);
bool event_equal(const struct event *x, const struct event *y);
size_t event_print(const struct event *e, char *buffer, size_t capacity);   /* one line, no newline; as snprintf */

/* Everything the getters say of a region: the answer to `query`. */
struct region_facts {
    uint64_t size;                  /* memory_region_size */
    bool is_ram, is_rom, is_romd, is_ram_device, is_nonvolatile, is_protected, is_iommu, is_mapped;
    uint8_t dirty_log_mask;
    bool logging[3];
    bool has_name;                  /* false: memory_region_name() is NULL */
    char name[48];
    bool has_ram_addr;              /* get_ram_addr is not RAM_ADDR_INVALID */
    bool has_ram_ptr;               /* asked only where the chain ends in a block */
    uint64_t ram_ptr_offset;        /* get_ram_ptr minus the host base of the block at the chain's end */
    int from_host_region;           /* memory_region_from_host(get_ram_ptr): slot of the block's region */
    uint64_t from_host_offset;
    uint64_t alignment;
    int fd;                         /* memory_region_get_fd where the chain ends in a block */
    /* memory_region_owner: a slot, OBSERVED_NONE for NULL, OBSERVED_UNATTACHED for the machine-wide parent */
    int owner;
};
enum { OBSERVED_UNATTACHED = -2 };

/* A run of bytes of RAM, by the region that has the block. */
struct ram_range {
    int region;
    uint64_t offset, length;
};

struct observation {
    bool skipped;                   /* the core was not called */
    bool refused;                   /* the step failed since the host was made to fail */
    bool truth;                     /* present, reader_end (view unchanged), ... */
    struct observed_section section;/* find, copy */
    bool view_published;            /* find: section.fv is the published view of the space it was found in */
    struct region_facts facts;      /* query */
    const char *text;               /* what the step answers, if it is a text; the observation's own; else NULL */
    FILE *writer;                   /* observation_text's; kept from step to step */
    char *written;
    size_t written_size;
    struct event_log events;

    /* Accesses; each operation fills what it has, the rest stays 0 or OBSERVED_NONE. */
    uint32_t result;                /* MemTxResult; 0 where the caller gets none */
    uint64_t value;                 /* load, dispatch_read: the value; map: *plen; cache: L; notifier: what register
                                       returned; iotlb: addr_mask; iommu_query: min page size */
    int place_region;               /* translate: the region (none: unassigned); map: whose RAM the pointer is in */
    uint64_t place_offset;          /* translate: xlat; map: offset of the pointer in that region's RAM */
    uint64_t place_length;          /* translate: plen */
    bool bounced;                   /* map: the pointer is not in anybody's RAM */
    bool loop;                      /* model only: a loop of translations (R-TRN-9): place_offset, _length are open */
    int target_space;               /* iotlb: target_as */
    uint64_t numbers[4];            /* iotlb: iova, translated_addr, perm; iommu_query: num_indexes, attrs_to_index,
                                       get_attr (as uint64_t), set_page_size_mask: its result of 0x1001 << 32 |
                                       of 0x1000 */
    const char *violation;          /* player only: a law that broke while the step ran; else NULL */
    uint8_t *bytes;                 /* read, cache_read: the buffer; map for reading with a bounce: its plen bytes */
    size_t byte_count, byte_capacity;
    struct ram_range *touched;      /* model only: RAM the step wrote; the runner compares it with some around */
    size_t touched_count, touched_capacity;
};
/* Room for `count` bytes, all ACCESS_UNTOUCHED. */
uint8_t *observation_bytes(struct observation *o, size_t count);
void observation_touch(struct observation *o, int region, uint64_t offset, uint64_t length);
/* What is printed between the two becomes `text`.  The stream is not to be closed. */
FILE *observation_text(struct observation *o);
void observation_text_end(struct observation *o);
void observation_clear(struct observation *o);  /* keeps the memory of lists and text */
void observation_free(struct observation *o);

/* One range of a flat view, by slots. */
struct view_range {
    uint64_t address;
    wide size;
    int region;
    uint64_t offset;
    bool readonly, nonvolatile, romd;
    uint8_t dirty_log_mask;
};
struct view {
    struct view_range *ranges;
    size_t count, capacity;
    int root;                       /* slot of D (R-FV-9), OBSERVED_NONE for the permanent empty view */
    unsigned identity;              /* equal numbers: the same FlatView object (R-FV-11); 0: the permanent empty one */
};
/*
 * Dirty pages as text, for `dirty`, `bmap` and `snapshot` steps: which pages are
 * shown (those around `page`), and a line for each run of pages that have the
 * same of "vcm" (the clients), "b" (the migration bitmap).
 */
void observed_window(size_t page_count, size_t page, size_t *from, size_t *count);
void observed_pages_print(FILE *out, size_t from, const uint8_t *bits, size_t count);
enum { OBSERVED_WINDOW = 128 };

size_t view_range_print(const struct view_range *r, char *buffer, size_t capacity);

#endif
