/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace language: a program of operations on the memory API.
 *
 * A trace has two forms, lossless both ways:
 *   text    what people read, write, review and commit (*.trace)
 *   binary  what fuzzing engines mutate: an 8-byte header and fixed-size
 *           records, so that inserting, deleting or swapping records keeps the
 *           rest in phase.  Every byte string decodes to a trace.
 *
 * Decoding makes a trace canonical (fields an operation does not use are zero,
 * the others are within their type), so
 *   decode(encode(t)) == t      for every canonical t
 *   parse(print(t)) == t        likewise
 *   encode(decode(bytes))       is a fixed point from then on.
 *
 * Binary header: bytes 0-3 are a little-endian set of the groups in use (bit g
 * is enum trace_group g; TRACE_GROUP_TREE is always in use): the swarm mask.
 * Bytes 4-7 are ignored and written as zero.  Each record is 28 bytes:
 *
 *   0     1      2    4    6    8        12        20        28
 *   +-----+------+----+----+----+--------+---------+---------+
 *   | op  | mode | a  | b  | c  |   n    |    v    |    w    |   little endian
 *   +-----+------+----+----+----+--------+---------+---------+
 *
 * op counts modulo the operations of the groups in use.  mode says how to read
 * the numbers: bits 0-2 for v, 3-5 for w (enum trace_value_mode), bits 6-7 for
 * n: 3 takes n as it is, everything else takes n modulo 5 minus 2, so that
 * random bytes often give equal priorities.  Words and sets of words do not
 * heed mode: they are taken modulo what there is.  A record cut short by the
 * end of the input is dropped; bytes missing from the header are zero.
 *
 * An edge value fills its eight bytes so:
 *
 *   0        2       4       5      8
 *   +--------+-------+-------+------+    scale 0: delta as it is;  1: delta modulo 5 minus 2;
 *   | region | delta | scale |  0   |          2: (delta modulo 17 minus 8) * 0x100;  3: delta is 0
 *   +--------+-------+-------+------+          (only the two low bits of scale count)
 *
 * This part knows nothing of the core: slot numbers and values only.
 */
#ifndef HARNESS_TRACE_TRACE_H
#define HARNESS_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    TRACE_REGIONS = 1024,
    TRACE_SPACES = 8,
    TRACE_LISTENERS = 8,    /* ordinary ones; witnesses of `space ... watched` are extra */
    TRACE_OWNERS = 8,
    TRACE_NOTIFIERS = 8,
    TRACE_COPIES = 8,
    TRACE_MAPPINGS = 8,
    TRACE_CLIENTS = 4,
    TRACE_CACHES = 8,
    TRACE_IOMMU_NOTIFIERS = 8,
    TRACE_RAM_NOTIFIERS = 4,
    TRACE_DISCARD_LISTENERS = 8,
    TRACE_BUFFER_MAX = 0x1040,  /* longest buffer of an access */
    TRACE_HEADER_SIZE = 8,
    TRACE_RECORD_SIZE = 28,
    TRACE_STEPS_MAX = 8192, /* longer inputs are cut */
};
#define TRACE_RAM_SIZE_MAX (UINT64_C(64) << 20)
#define TRACE_FILE_SIZE_MAX (UINT64_C(256) << 10)
#define TRACE_PTR_SIZE_MAX (UINT64_C(1) << 36)

enum trace_group {
    TRACE_GROUP_TREE,
    TRACE_GROUP_MEMORY,
    TRACE_GROUP_QUERY,
    TRACE_GROUP_SPACES,
    TRACE_GROUP_TRANSACTION,
    TRACE_GROUP_LISTENER,
    TRACE_GROUP_LOGGING,
    TRACE_GROUP_EVENTFD,
    TRACE_GROUP_COALESCE,
    TRACE_GROUP_LIFETIME,
    TRACE_GROUP_RECLAIM,
    TRACE_GROUP_PRINT,
    TRACE_GROUP_DIRTY,
    TRACE_GROUP_DEVICE,
    TRACE_GROUP_ACCESS,
    TRACE_GROUP_MAP,
    TRACE_GROUP_CACHE,
    TRACE_GROUP_IOMMU,
    TRACE_GROUP_BLOCK,
    TRACE_GROUP_DISCARD,
    TRACE_GROUP_FAULT,
    TRACE_GROUP_COUNT,
};

enum trace_op {
#define OP(name, mnemonic, group, pattern, summary) TRACE_OP_##name,
#include "ops.def"
#undef OP
    TRACE_OP_COUNT,
};

/* How a 64-bit value is given. */
enum trace_value_mode {
    TRACE_VALUE_ABSOLUTE,   /* the number itself */
    TRACE_VALUE_START,      /* address of region + delta */
    TRACE_VALUE_END,        /* address of region + its size + delta */
    TRACE_VALUE_SIZE,       /* size of region + delta */
    /* The rest exist in binary only and decode to absolute values. */
    TRACE_VALUE_TINY,       /* 0 .. 96: everything collides */
    TRACE_VALUE_GRID,       /* multiples of 0x100, 0x800 and 0x1000 */
    TRACE_VALUE_BOUNDARY,   /* the boundary set of I-23, plus or minus a little */
    TRACE_VALUE_POWER,      /* a power of two, plus or minus a little */
};

/*
 * A value as written in the trace.  Edge modes are relative to the region's
 * own address (in its container) and size at the moment of the step, so that
 * neighbours, collisions and off-by-ones are common; arithmetic is modulo 2^64.
 */
struct trace_value {
    uint8_t mode;       /* ABSOLUTE, START, END or SIZE */
    uint16_t region;    /* slot, for the edge modes; else 0 */
    int32_t delta;      /* for the edge modes; else 0.  -0x8000 .. 0x7fff */
    uint64_t absolute;  /* for ABSOLUTE; else 0 */
};

struct trace_step {
    uint8_t op;         /* enum trace_op */
    uint16_t a, b, c;   /* object operands: slot numbers */
    int32_t n;
    struct trace_value v, w;
    unsigned line;      /* line of the text it came from, 0 from binary; not part of the trace */
};

struct trace {
    uint32_t groups;    /* bit set of enum trace_group in use */
    size_t count;
    struct trace_step *steps;
    size_t capacity;    /* of steps; trace_decode and trace_parse reuse the memory */
};

/* What the table says of one operation. */
struct trace_op_info {
    const char *name;       /* "ADD" */
    const char *mnemonic;   /* "add" */
    enum trace_group group;
    const char *pattern;
    const char *summary;
};
extern const struct trace_op_info trace_op_table[TRACE_OP_COUNT];
extern const char *const trace_group_names[TRACE_GROUP_COUNT];  /* "tree", "memory", ... */

/* Where a text is broken.  `message` says what was expected. */
struct trace_error {
    unsigned line, column;  /* from 1 */
    char message[160];
};

void trace_init(struct trace *t);
void trace_free(struct trace *t);               /* leaves an empty trace */
void trace_append(struct trace *t, const struct trace_step *step);  /* adds the step's group */
bool trace_equal(const struct trace *x, const struct trace *y);     /* lines do not count */

/* Bring every field into its type's range and clear the unused ones. */
void trace_step_canonicalize(struct trace_step *step);

/* Never fails.  Reuses the memory of *t, which must be initialised. */
void trace_decode(struct trace *t, const uint8_t *data, size_t size);

/* Writes up to `capacity` bytes, returns how many the trace needs. */
size_t trace_encode(const struct trace *t, uint8_t *data, size_t capacity);

/*
 * Text: one operation a line, `#` starts a comment, blank lines are free.
 * The first line that says something may be `uses GROUP...`: the groups in use
 * (for the binary form); without it they follow from the operations.
 * Returns false with *error filled at the first mistake; *t is then empty.
 */
bool trace_parse(struct trace *t, const char *text, size_t size, struct trace_error *error);
void trace_print(const struct trace *t, FILE *out);
/* One step without newline, as snprintf counts. */
size_t trace_print_step(const struct trace_step *step, char *buffer, size_t capacity);

/* Parse `r3`, `as0`...: for tools that take an object's name on the command line. */
bool trace_parse_object(const char *text, const char *letter, unsigned *slot);

/*
 * Reads a file of either form; "-" is the standard input.  It is text if it is
 * called *.trace, or if at least three quarters of its bytes are printable
 * ASCII, UTF-8, tabs and line breaks; else binary.  On failure prints one clear
 * line ("FILE:LINE:COLUMN: what was expected", or why the file cannot be read) to
 * stderr, leaves *t empty and returns false.  An empty file is an empty trace.
 */
bool trace_load(struct trace *t, const char *path);

#endif
