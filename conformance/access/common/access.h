/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs of the access chapter share, besides conformance.h.
 *
 *   device_*   a device that writes down how it is called, and answers what the case programmed
 *   table_*    an IOMMU whose translations are a table
 *   check_*    bytes read and written, and translations, as text
 */
#ifndef CONFORMANCE_ACCESS_H
#define CONFORMANCE_ACCESS_H

#include "../../common/conformance.h"

#include "exec/cpu-common.h"
#include "qemu/main-loop.h"

enum {
    OK = MEMTX_OK,
    FAILED = MEMTX_ERROR,
    DECODE = MEMTX_DECODE_ERROR,
    FORBIDDEN = MEMTX_ACCESS_ERROR,
};
#define PLAIN MEMTXATTRS_UNSPECIFIED
enum { READ = false, WRITE = true };

/* ---- the recording device ---- */

/*
 * All zero: native order, the defaults of an ops table that says nothing, and
 * the plain callbacks.  `plain_too` has an effect with with_attrs only.
 */
typedef struct {
    enum device_endian order;
    unsigned valid_min, valid_max;
    bool valid_unaligned;
    unsigned impl_min, impl_max;
    bool impl_unaligned;
    bool with_attrs;        /* *_with_attrs instead of the plain callbacks */
    bool plain_too;         /* both */
    bool plain_read;        /* read, and write_with_attrs */
    bool accepts;           /* valid.accepts is set; it is logged, and says yes unless `refuses` */
} DeviceOptions;

typedef struct {
    uint64_t value;
    MemTxResult result;
} DeviceAnswer;

/*
 * One line a call:
 *     accepts read 0x4+4        accepts write 0x4+4
 *     read 0x4+4                write 0x4+4=0x1234
 * then, as the flags say, " attrs(...)" and " locked" or " unlocked"; and the name
 * in front.
 *
 * Reads give the programmed answers, and after the last one what is in `bytes`,
 * which writes change: in the device's own order, whatever width it is called
 * with.  At first bytes[i] is i modulo 256.
 */
typedef struct Device Device;
struct Device {
    MemoryRegion *mr;
    MemoryRegionOps ops;
    const char *name;
    GString *log;               /* its own; a case may set another one */
    bool show_name, show_attrs, show_lock;
    bool quiet;
    DeviceAnswer answers[16];
    unsigned answer_count, answered;
    MemTxResult result;         /* of *_with_attrs without programmed answers */
    unsigned calls;             /* of data callbacks */
    /* Runs in each data callback, after it was written down. */
    void (*hook)(Device *device, hwaddr addr, unsigned size, bool is_write);
    bool (*refuses)(Device *device, hwaddr addr, unsigned size, bool is_write);
    void *opaque;               /* the case's own */
    uint8_t bytes[0x1000];      /* offsets wrap */
};

Device *device_new(const char *name, uint64_t size, DeviceOptions options);
#define device(name, size, ...) device_new((name), (size), (DeviceOptions) { __VA_ARGS__ })
/* Without a region: for a ROM device, or a region that the case makes. */
Device *device_bare(const char *name, DeviceOptions options);
Device *device_rom(const char *name, uint64_t size, DeviceOptions options);
void device_answer(Device *device, uint64_t value, MemTxResult result);
#define check_calls(device, expected) check_log_at(G_STRLOC, (device)->log, (expected))

/* ---- the IOMMU ---- */

/* [iova, iova + size) of the region is found at `to` in `as`, in blocks of mask + 1 bytes. */
typedef struct {
    hwaddr iova, size;
    AddressSpace *as;
    hwaddr to;
    hwaddr mask;
    IOMMUAccessFlags perm;
    int index;
} TableEntry;

typedef struct {
    IOMMUMemoryRegion iommu;
    TableEntry entries[24];     /* the first that contains the offset counts */
    unsigned count;
    GString *log;
    bool log_translate, show_lock;
    bool sloppy;                /* entries with a wrong iova and with bits below the mask */
    unsigned translations;      /* calls of translate */
    uint64_t min_page_size;     /* the last five: TABLE_FULL and TABLE_REPLAY only */
    int index;                  /* if not 0: of all attributes */
    int flag_changed_result;
    void (*flag_changed_hook)(void *opaque);
    void *opaque;
} TableIommu;

/*
 * Which methods the class has: `translate` alone; all but replay; all; none.  Lines:
 *     translate 0x1000 w 0        (offset; - r w rw; index)
 *     flags 2->6   replay   attr 0   page_mask 0x1000
 * attrs_to_index gives 1 for secure accesses, num_indexes 2.
 */
typedef enum { TABLE_PLAIN, TABLE_FULL, TABLE_REPLAY, TABLE_MUTE } TableKind;
TableIommu *table_new(const char *name, uint64_t size, TableKind kind);
#define table_region(table) (&(table)->iommu.parent_obj)
void table_map(TableIommu *table, hwaddr iova, hwaddr size, AddressSpace *as, hwaddr to, hwaddr mask,
               IOMMUAccessFlags perm);

/* ---- memory ---- */

/* Bytes first, first + 1, ... modulo 256. */
void fill_counting(void *place, size_t size, unsigned first);
/* RAM or ROM with such bytes. */
MemoryRegion *ram_counting(const char *name, uint64_t size, unsigned first);
uint8_t *ram_bytes(MemoryRegion *mr);
/* A root of 2^64 bytes, with a space. */
typedef struct {
    MemoryRegion *root;
    AddressSpace *as;
} Bus;
Bus bus_new(const char *name);
/* address_space_map() with attributes PLAIN; *got is how much of `wanted` was mapped. */
void *bus_map(Bus bus, hwaddr addr, hwaddr wanted, bool is_write, hwaddr *got);

/* ---- checks ---- */

/* "00 01 ff" */
char *text_of_bytes(const void *bytes, size_t size);
#define check_bytes(place, size, expected) \
    check_text_taken_at(G_STRLOC, #place, text_of_bytes((place), (size)), (expected))

/* Reads `size` bytes into a heap buffer of that size, filled with cc, and compares "bytes". */
#define check_read(as, addr, size, result, expected) \
    check_read_at(G_STRLOC, (as), (addr), PLAIN, (size), (result), (expected))
#define check_read_attrs(as, addr, attrs, size, result, expected) \
    check_read_at(G_STRLOC, (as), (addr), (attrs), (size), (result), (expected))
void check_read_at(const char *where, AddressSpace *as, hwaddr addr, MemTxAttrs attrs, size_t size,
                   MemTxResult result, const char *expected);
/* Writes the bytes first, first + 1, ... */
#define check_write(as, addr, size, first, result) \
    check_write_at(G_STRLOC, (as), (addr), PLAIN, (size), (first), (result))
void check_write_at(const char *where, AddressSpace *as, hwaddr addr, MemTxAttrs attrs, size_t size,
                    unsigned first, MemTxResult result);

/* NAME@XLAT+LEN; U is the region that serves holes. */
char *text_of_translation(AddressSpace *as, hwaddr addr, hwaddr size, bool is_write, MemTxAttrs attrs);
#define check_translate(as, addr, size, is_write, expected) \
    check_text_taken_at(G_STRLOC, "translate(" #addr ", " #size ")", \
                        text_of_translation((as), (addr), (size), (is_write), PLAIN), (expected))
bool is_unassigned(MemoryRegion *mr);

/* Value and result of a load. */
#define check_load(function, place, addr, value, expected_result) \
    do { \
        MemTxResult load_result_ = 0x55; \
        check_number_at(G_STRLOC, #function " " #addr, function((place), (addr), PLAIN, &load_result_), \
                        (value)); \
        check_number_at(G_STRLOC, #function " " #addr ": result", load_result_, (expected_result)); \
    } while (0)
#define check_store(function, place, addr, value, expected_result) \
    do { \
        MemTxResult store_result_ = 0x55; \
        function((place), (addr), (value), PLAIN, &store_result_); \
        check_number_at(G_STRLOC, #function " " #addr ": result", store_result_, (expected_result)); \
    } while (0)

/* iova, translated_addr, mask, perm: "as 0x52000 -> 0x102000 mask 0x1fff rw". */
char *text_of_entry(const IOMMUTLBEntry *entry, AddressSpace *as, const char *as_name);

/* xorshift; the same numbers everywhere.  The state must not be 0. */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t bound);

#endif
