/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reader of a mapped-ram file must find in it: a plain parser over bytes in memory,
 * written from conformance/spec/migration.md, chapters 1 to 3.  It goes through the
 * file once and notes whether anything was wrong; what exactly, it does not say.
 */
#ifndef HARNESS_MODEL_MAPPED_RAM_H
#define HARNESS_MODEL_MAPPED_RAM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct mapped_ram_bytes {
    const uint8_t *bytes;
    uint64_t length;            /* of `bytes` */
    uint64_t size;              /* of the file: zero behind `bytes` */
};

struct mapped_ram_seen_block {
    char name[256];
    uint64_t used_length, page_size, bitmap_offset, pages_offset;
};

/* Meanings of the reader's flags, as bits of its interface (R-MLD-3, R-STRM-10, R-MRAM-10). */
struct mapped_ram_leave {
    bool any_page_size, lax, unverified, skip_gpa;
    uint64_t page_size;         /* the target's */
    const char *machine;        /* NULL: any */
};

struct mapped_ram_seen {
    bool complete;
    char machine[256];
    uint32_t page_bits;
    bool ignore_shared, has_uuid;
    uint8_t uuid[16];
    uint64_t total, end;
    GArray *blocks;             /* of struct mapped_ram_seen_block */
};

/* Whether the file is sound; `seen` is to be freed either way. */
bool mapped_ram_model_probe(const struct mapped_ram_bytes *file, uint64_t base, const struct mapped_ram_leave *leave,
                            struct mapped_ram_seen *seen);
void mapped_ram_model_free(struct mapped_ram_seen *seen);

const struct mapped_ram_seen_block *mapped_ram_model_block(const struct mapped_ram_seen *seen, unsigned index);
bool mapped_ram_model_present(const struct mapped_ram_bytes *file, const struct mapped_ram_seen_block *block,
                              uint64_t page);
/* The block's bytes after a load, `used_length` of them, into `to` (R-MRAM-7, R-MLD-5). */
void mapped_ram_model_fill(const struct mapped_ram_bytes *file, const struct mapped_ram_seen_block *block, uint8_t *to);

/* A block of the process that loads. */
struct mapped_ram_local {
    const char *name;
    uint64_t used_length, max_length;
    bool migratable, resizeable;
    bool readonly, blank;       /* nothing may be written; and nothing but zeros is there */
    uint64_t granule;           /* of its discard manager; 64 at most */
    uint64_t discarded;         /* granules that are not there, one bit each; 0: all are, or there is no manager */
};

/*
 * NULL: a sound file may be loaded into these blocks, `host_page` being the unit of their lengths (R-MLD-3, R-MLD-7).
 * Else the name of the first of its blocks that does not fit, or "" if all do.
 */
const char *mapped_ram_model_misfit(const struct mapped_ram_seen *seen, const struct mapped_ram_bytes *bytes,
                                    const struct mapped_ram_local *locals, unsigned count, bool partial,
                                    uint64_t page_size, uint64_t host_page);

#endif
