/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What travels with a memory transaction, and how it ended (R-TYP-1..3). */
#ifndef EXEC_MEMATTRS_H
#define EXEC_MEMATTRS_H

#include <stdint.h>

/*
 * Passed by value.  The core itself looks only at `memory` (R-ACC-12) and
 * hands everything else on, unchanged, to valid.accepts, the *_with_attrs
 * callbacks and attrs_to_index.
 */
typedef struct MemTxAttrs {
    unsigned int unspecified : 1;       /* the initiator said nothing; the other fields mean nothing */
    unsigned int secure : 1;
    unsigned int user : 1;
    unsigned int memory : 1;            /* only memory may answer, devices reject */
    unsigned int requester_id : 16;     /* who asks: a PCI requester, say */
    unsigned int byte_swap : 1;
    unsigned int target_tlb_bit0 : 1;
    unsigned int target_tlb_bit1 : 1;
    unsigned int target_tlb_bit2 : 1;
} MemTxAttrs;

#define MEMTXATTRS_UNSPECIFIED ((MemTxAttrs) { .unspecified = 1 })

/* A set of bits: an access made of several parts reports all that happened (R-TYP-1). */
typedef uint32_t MemTxResult;
#define MEMTX_OK 0u
#define MEMTX_ERROR (1u << 0)           /* the device failed it: only *_with_attrs callbacks do (R-TYP-2) */
#define MEMTX_DECODE_ERROR (1u << 1)    /* nothing at this address accepts it */
#define MEMTX_ACCESS_ERROR (1u << 2)    /* the attributes forbid it */

#endif
