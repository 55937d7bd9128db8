/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses, private to harness/model: what its files of that chapter call of each other. */
#ifndef HARNESS_MODEL_ACCESS_STATE_H
#define HARNESS_MODEL_ACCESS_STATE_H

#include "model/access.h"
#include "model/state.h"

enum { DECODE_ERROR = 2, ACCESS_ERROR = 4 };

/* dispatch.c: `region` may be NO_SLOT, for a hole.  swap: the operation's order is not little (MO_BSWAP). */
bool dispatch_valid(struct model *m, unsigned region, uint64_t offset, unsigned size, uint32_t attrs, bool write);
uint32_t dispatch(struct model *m, int region, uint64_t offset, unsigned size, bool swap, uint32_t attrs, bool write,
                  uint64_t *value);
/* R-RGN-6, R-RGN-7: by its size now, which the views know of only after the commit. */
bool ram_device_serves(const struct region *r, uint64_t offset, uint64_t size);

/* translate.c */
enum purpose {
    TO_READ, TO_WRITE,
    /*
     * Like TO_WRITE, by callbacks, where a ROM device's range does not end them; R-RGN-5 leaves that open, and this
     * is memcore's way (buffers end there).
     */
    TO_STORE,
};
struct place_found {
    int region;                 /* NO_SLOT: nothing is there; never an IOMMU */
    uint64_t offset;
    uint64_t length;            /* of the wanted bytes, those that follow there */
    int space;                  /* whose view it is in; NO_SLOT: no IOMMU was crossed */
    uint64_t address;           /* in that space */
    uint64_t mask;              /* of the block around it that goes the same way (R-TRN-12, R-TRN-15) */
    bool loop;                  /* the way did not end (R-TRN-9) */
};
struct place_found place_find(const struct model *m, const struct view *v, uint64_t address, uint64_t length,
                              enum purpose purpose, uint32_t attrs);
/* The same without what IOMMUs make of it: an IOMMU may be the answer. */
struct place_found place_before(const struct model *m, const struct view *v, uint64_t address, uint64_t length,
                                enum purpose purpose);
/* What is behind `p`, if that is an IOMMU. */
struct place_found place_behind(const struct model *m, struct place_found p, enum purpose purpose, uint32_t attrs);
bool is_memory(const struct model *m, int region);              /* R-TRN-3: what clamps */
bool is_direct(const struct model *m, int region, bool write);
/* R-MAP-2: how far the direct `p`, found at `address`, goes on in one piece of its region's memory. */
uint64_t place_whole(const struct model *m, const struct view *v, struct place_found p, uint64_t address,
                     uint64_t length, bool write, uint32_t attrs);

/* buffer.c */
void flush_before(struct model *m, int region);                 /* R-EVM-10 */
void write_memory(struct model *m, unsigned region, uint64_t offset, const uint8_t *bytes, uint64_t count);
uint64_t piece_size(const struct model *m, int region, uint64_t offset, uint64_t length);       /* R-ACC-3 */
uint32_t one_chunk(struct model *m, const struct place_found *p, uint32_t attrs, uint8_t *bytes, uint64_t count,
                   bool write);
uint32_t access_buffer(struct model *m, unsigned space, uint64_t address, uint32_t attrs, uint8_t *bytes,
                       uint64_t count, bool write);
uint32_t access_read_translated(struct model *m, unsigned space, uint64_t address, uint32_t attrs, uint8_t *bytes,
                                uint64_t count);                /* R-ACC-18 */
void access_write_rom(struct model *m, unsigned space, uint64_t address, uint32_t attrs, uint8_t *bytes,
                      uint64_t count);
uint32_t access_move(struct model *m, const struct trace_step *s);      /* of a `move` */
bool access_valid(struct model *m, unsigned space, uint64_t address, uint64_t count, bool write, uint32_t attrs);

/* access_apply.c */
uint32_t access_scalar_at(struct model *m, const struct place_found *p, struct scalar how, uint32_t attrs, bool write,
                          uint64_t *value);
uint8_t *access_data(int64_t seed, uint64_t count);             /* to be freed */

/* The steps of the other groups: mapping.c, cache.c, iommu.c */
void mapping_apply(struct model *m, const struct trace_step *s, struct observation *expected);
void clients_run(struct model *m);                              /* R-MAP-11, at the end of each step */
void cache_apply(struct model *m, const struct trace_step *s, struct observation *expected);
void iommu_apply(struct model *m, const struct trace_step *s, struct observation *expected);

struct iommu_entry {
    int space;                  /* NO_SLOT: none that lives */
    uint64_t iova, to, mask;
    unsigned perm;
};
struct iommu_entry table_translate(const struct model *m, unsigned region, uint64_t offset, unsigned index);
enum { IOMMU_READ = 1, IOMMU_WRITE = 2 };

#endif
