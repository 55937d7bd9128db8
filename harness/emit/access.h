/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of memtrace emit-c for devices, accesses, maps, caches and IOMMUs: what model/access.h says, as C. */
#ifndef HARNESS_EMIT_ACCESS_H
#define HARNESS_EMIT_ACCESS_H

#include "run/run.h"

struct emit_access {
    bool used, iommus, meanwhile;   /* the trace has accesses (or maps, ...); has IOMMUs; steps of two threads */
    bool device[TRACE_REGIONS];     /* slots that need a `struct device` */
    bool iommu[TRACE_REGIONS];      /* slots that need a `struct table_iommu` */
    bool toggled[TRACE_REGIONS];    /* a script flips it, if it lives then ... */
    bool lives[TRACE_REGIONS];      /* ... as the program was told */
    struct {
        unsigned region, iommu;     /* where it was registered, maybe an alias; and what that led to */
    } notifiers[TRACE_IOMMU_NOTIFIERS];
};

void emit_access_begin(struct emit_access *a, const struct trace *t);

/* Functions and variables that the calls use; before the regions are declared. */
void emit_access_prelude(FILE *out, const struct emit_access *a);
/* What a region needs; false: not even that it is a MemoryRegion was written. */
bool emit_access_declare(FILE *out, const struct emit_access *a, unsigned region);
/* The first lines of main. */
void emit_access_start(FILE *out, const struct emit_access *a);

/* The arguments `ops, opaque` of an init function. */
void emit_access_ops(FILE *out, struct emit_access *a, const struct trace_step *s);

/* The call; afterwards its answer is in variables.  Not DEVICE, which is an init. */
void emit_access_call(FILE *out, struct emit_access *a, const struct model *m, const struct trace_step *s);
/* Says the answer and the RAM around what was written; returns what must have been said (free()), or NULL. */
char *emit_access_answer(FILE *out, const struct model *m, const struct trace_step *s,
                         const struct observation *expected);
/* The same for the RAM of all regions that are not large. */
char *emit_access_ram(FILE *out, const struct model *m);
/* Tells the program which toggled regions came and went. */
void emit_access_lives(FILE *out, struct emit_access *a, const struct model *m);

/* The line of an event as the program says it; false: it is none of this part. */
bool emit_access_event(FILE *out, const struct event *e);

/* iommu.c; true where the operation is its own. */
extern const char emit_iommu_prelude[];
bool emit_iommu_call(FILE *out, struct emit_access *a, const struct model *m, const struct trace_step *s);
void emit_iommu_forget_alias(struct emit_access *a, const struct model *m);
bool emit_iommu_answer(FILE *out, FILE *text, const struct trace_step *s, const struct observation *expected);

#endif
