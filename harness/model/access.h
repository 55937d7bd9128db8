/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test devices, IOMMUs and data that accesses in traces meet: definitions
 * that player and model have in common, and nothing else in common.  What the
 * core makes of them is the model's to predict from the specification.
 *
 * Devices.  `device`, `io` (shape: valid any, impl any, no trait but its
 * endianness) and `rom_device` (as `io`, little) regions answer data callbacks:
 *
 *   1. EVENT_DEVICE_READ or EVENT_DEVICE_WRITE is recorded (counter not yet moved).
 *   2. counter = how many data callbacks the region had before, then it is moved on.
 *   3. A script of the region, if there is one, is taken away and runs (see below).
 *   4. Read: `bytes` devices return the bytes [offset, offset + size) of their store in the device's
 *      byte order; the store has DEVICE_STORE bytes, index = offset modulo DEVICE_STORE, 0 when made.
 *      Others return device_value(slot, offset, size, counter): 64 bits, more than size asks for.
 *      Write: `bytes` devices keep the bytes likewise; others do nothing.
 *   5. *_with_attrs callbacks return device_result(); for a `fail` script v's low 32 bits instead.
 *      The data are delivered or kept all the same.  Plain callbacks cannot fail.
 *
 * valid.accepts (trait picky): EVENT_DEVICE_ACCEPTS is recorded, then device_accepts() is the answer.
 * Callbacks of R-DSP-5: `attrs_read`: read_with_attrs instead of read; `both_read`: both exist.
 * `both_read` wins over `attrs_read` where both traits are set: both exist, so the plain one is called.
 *
 * Scripts: one a region, a later `script` replaces it; takes effect in that
 * region's next data callback.  The first operand is a device, io or rom_device region.
 *   read    address_space_read of 8 bytes at v in c, attrs unspecified; afterwards EVENT_NESTED
 *           with the result, and the bytes as a little-endian value
 *   write   address_space_write of 8 bytes access_data_byte(0, i); afterwards EVENT_NESTED, value 0
 *   toggle  the second region's enabled flag is flipped (R-LCK-4)
 *   fail    the callback returns v's low 32 bits
 * A space or region that does not live at that moment: the script does nothing.
 *
 * Events of an access, in order:
 *   EVENT_COALESCED_FLUSH (R-EVM-10): consecutive ones are one, and only those whose next other event is one of
 *   EVENT_DEVICE_*, EVENT_NESTED are compared.  EVENT_EVENTFD_SIGNAL: after everything else of the step,
 *   ascending by notifier, number = how often it was signalled.  EVENT_MAP_CLIENT: bottom halves run at the end
 *   of every step; after the signals, ascending, once each (R-MAP-11: scheduled twice is called once).
 */
#ifndef HARNESS_MODEL_ACCESS_H
#define HARNESS_MODEL_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/trace.h"

enum { DEVICE_STORE = 64 };

/* Bits of operand.def's `traits`. */
enum device_traits {
    DEVICE_BIG = 1 << 0, DEVICE_LITTLE = 1 << 1,        /* both: big; neither: native, which is little (R-TYP-6) */
    DEVICE_UNALIGNED = 1 << 2,                          /* valid.unaligned */
    DEVICE_IMPL_UNALIGNED = 1 << 3,                     /* impl.unaligned */
    DEVICE_BYTES = 1 << 4, DEVICE_PICKY = 1 << 5,
    DEVICE_ATTRS_READ = 1 << 6, DEVICE_ATTRS_WRITE = 1 << 7,
    DEVICE_BOTH_READ = 1 << 8, DEVICE_BOTH_WRITE = 1 << 9,
    DEVICE_FAILING = 1 << 10,
};

struct device_shape {
    unsigned valid_min, valid_max, impl_min, impl_max;
    uint32_t traits;
};
/* From the operands of a `device` step: n, c, w. */
struct device_shape device_shape(unsigned valid_sizes, unsigned impl_sizes, uint64_t traits);

uint64_t device_value(unsigned slot, uint64_t offset, unsigned size, uint64_t counter);
/* Not `failing`: 0.  Else for odd counters ERROR and a bit no one knows: 0x41; for even ones 0. */
uint32_t device_result(uint32_t traits, uint64_t counter);
/* Rejects one access in four, by (offset / 4 + requester + is_write) modulo 4 == 3. */
bool device_accepts(uint64_t offset, unsigned size, bool is_write, uint32_t attrs);

enum script_kind { SCRIPT_READ, SCRIPT_WRITE, SCRIPT_TOGGLE, SCRIPT_FAIL, SCRIPT_NONE = -1 };

/*
 * Attributes as one number, as events carry them:
 *   bit 0 unspecified, 1 secure, 2 user, 3 memory, 4 byte_swap, 5-7 target_tlb_bit0..2, 8-23 requester_id
 */
enum { ATTRS_UNSPECIFIED = 1, ATTRS_SECURE = 2, ATTRS_MEMORY = 8 };
uint32_t access_attrs(unsigned word);       /* of operand.def's `attrs` */

/* Byte i of the data that a step with this seed writes. */
uint8_t access_data_byte(int64_t seed, uint64_t i);

/* What a buffer holds before a read: bytes that nobody wrote are still so (INV-25). */
enum { ACCESS_UNTOUCHED = 0xa5 };

enum scalar_order { SCALAR_NATIVE, SCALAR_LITTLE, SCALAR_BIG };
struct scalar {
    unsigned size;                  /* 1, 2, 4, 8 */
    enum scalar_order order;
};
struct scalar access_scalar(unsigned word); /* of operand.def's `scalar` */
struct scalar access_memop(unsigned word);  /* `memop`: size; order BIG for "_swap" (MO_BSWAP on a little host) */
uint64_t access_cut(uint64_t value, unsigned size);     /* its low `size` bytes */

/* Word indices. */
/*
 * read_8: address_space_read of a constant 8 bytes; the length operand is 8 then (the resolver sees to it).
 * translated: flatview_translate and flatview_read_continue, of at least one byte.
 */
enum { READ_RW, READ_FULL, READ_8, READ_UNLOCKED, READ_TRANSLATED };
enum { WRITE_RW, WRITE_PLAIN, WRITE_UNLOCKED };
enum { MOVE_READ, MOVE_READ_RW, MOVE_WRITE, MOVE_WRITE_RW, MOVE_WRITE_ROM };    /* attrs: plain */
enum { SCALAR_PLAIN, SCALAR_PHYS, SCALAR_UNLOCKED };    /* phys: attrs unspecified, no result: 0 is reported */
enum { CACHE_FAST, CACHE_SLOW };
enum { DIRECTION_READING, DIRECTION_WRITING };

/*
 * Two threads.  A `meanwhile` or `map_meanwhile` step is two others: steps[0] is made as a whole when steps[1] has
 * begun and is about to take its lock.  So steps[0] is before steps[1] for everybody, and that is how the model
 * plays them.  A call that takes no such lock (a direct map, an empty one) does nothing that the other sees: there
 * steps[0] is made when steps[1] is over.
 */
enum { UNMAP_IN_WAIT, UNMAP_IN_CANCEL, WAIT_IN_UNMAP, CANCEL_IN_UNMAP };
bool access_is_meanwhile(enum trace_op op);
void access_meanwhile(const struct trace_step *s, struct trace_step steps[2]);

/*
 * IOMMUs.  A table is a list of at most IOMMU_BLOCKS blocks, newest first:
 * {index, iova, size - 1, to, space, perm}.  `iommu_map` puts one in front (the
 * oldest falls off a full list); `iommu_unmap` takes out all of that index that
 * hold the address.  iova and `to` of a block are stored as v and w & ~mask.
 *
 * translate(offset, flag, index): the newest block of that index that holds the
 * offset.  Its answer: {space, iova, to, mask, perm}.  None: {`to` space of the
 * region, offset & ~g, offset & ~g, g, perm}, g = granule - 1, perm RW where the
 * region has trait identity, else NONE.  `flag` is not heeded.  An entry whose
 * space does not live has perm NONE.
 * Blocks of `everything`: mask 2^64 - 1.
 *
 * trait methods: all class methods exist, else only translate:
 *   get_min_page_size = granule; num_indexes, attrs_to_index: iommu_index(); notify_flag_changed; get_attr = 7;
 *   set_page_size_mask = 0, unless the mask has bit 0 set: -22 (EINVAL) and an Error
 *   notify_flag_changed records EVENT_IOMMU_FLAGS (old_mask, new_mask, result); with trait strict it refuses
 *   with -22 when new has DEVIOTLB_UNMAP, or lacks MAP that old had (so that leaving is refused, too: R-IOM-7), else 0
 *   trait replays: a class replay too, which calls the notifier once with
 *   {NULL, iova 0x123000, to 0, mask 0xfff, IOMMU_RO} and nothing else
 * The event of notify and notify_one has target_as = the region's `to` space, or NULL if that does not live; iova and
 * translated_addr are v and w & ~mask.
 * traits indexed, strict, replays mean something with methods only (the resolver clears them without).
 */
enum { IOMMU_BLOCKS = 16, IOMMU_INDEXES = 3 };
enum iommu_traits {
    IOMMU_IDENTITY = 1 << 0, IOMMU_METHODS = 1 << 1, IOMMU_INDEXED = 1 << 2, IOMMU_STRICT = 1 << 3,
    IOMMU_REPLAYS = 1 << 4,
};
uint64_t iommu_granule(unsigned word);                      /* bytes */
uint64_t iommu_block_mask(uint64_t granule, unsigned word); /* `block`: granule * 1, 4, 16, or 2^64; less 1 */
unsigned iommu_indexes(uint32_t traits);                    /* IOMMU_INDEXES if indexed, else 1 */
unsigned iommu_index(uint32_t traits, uint32_t attrs);      /* indexed: secure 1, else odd requester 2, else 0 */
/* `perm`: bits 0-1 IOMMU_RO, IOMMU_WO; index 2 if bit 3, else 1 if bit 2, else 0; taken modulo the indexes */
unsigned iommu_perm_index(unsigned perm, uint32_t traits);
/* `iommuevent`: the IOMMUNotifierFlag and IOMMUAccessFlags of an event */
void iommu_event(unsigned word, unsigned *type, unsigned *perm);
/* Replays longer than this are not started: the resolver skips them. */
enum { IOMMU_REPLAY_MAX = 1024 };

#endif
