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

/* buffer.c */
struct place_found {
    int region;                 /* NO_SLOT: nothing is there */
    uint64_t offset;
    uint64_t length;            /* of the wanted bytes, those that follow there */
};
/*
 * stores: by callbacks, where a ROM device's range does not end them; R-RGN-5 leaves that open, and this is
 * memcore's way (buffers end there).
 */
struct place_found place_find(const struct model *m, const struct view *v, uint64_t address, uint64_t length, bool stores);
bool is_memory(const struct model *m, int region);              /* R-TRN-3: what clamps */
bool is_direct(const struct model *m, int region, bool write);
void flush_before(struct model *m, int region);                 /* R-EVM-10 */
void write_memory(struct model *m, unsigned region, uint64_t offset, const uint8_t *bytes, uint64_t count);
uint64_t memory_left(const struct model *m, int region, uint64_t offset);       /* R-ACC-2 */
uint32_t access_buffer(struct model *m, unsigned space, uint64_t address, uint32_t attrs, uint8_t *bytes, uint64_t count,
                       bool write);
void access_write_rom(struct model *m, unsigned space, uint64_t address, const uint8_t *bytes, uint64_t count);
bool access_valid(struct model *m, unsigned space, uint64_t address, uint64_t count, bool write, uint32_t attrs);

#endif
