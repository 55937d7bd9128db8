/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing any number of bytes (R-ACC). */
#include <string.h>

#include "access/access.h"

/* R-ACC-12: the attributes may ask for memory and nothing else. */
static bool attrs_allow(const MemoryRegion *mr, MemTxAttrs attrs)
{
    return !attrs.memory || mr->ram;
}

/*
 * Buffers meet devices as little-endian values; what order the device has is
 * the dispatcher's business (R-DSP-13).
 */
static MemOp chunk_op(unsigned size)
{
    return size_memop(size) | MO_LE;
}

static void value_to_bytes(uint8_t *bytes, uint64_t value, unsigned size)
{
    value = cpu_to_le64(value);
    memcpy(bytes, &value, size);
}

static uint64_t value_from_bytes(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, bytes, size);
    return le64_to_cpu(value);
}

/* Moves the first bytes of the place, and cuts place->length down to how many that were. */
static MemTxResult read_some(Place *place, MemTxAttrs attrs, uint8_t *buffer)
{
    DeviceSection section;
    MemTxResult result;
    uint64_t value;
    unsigned size;

    if (!attrs_allow(place->mr, attrs)) {
        return MEMTX_ACCESS_ERROR;
    }
    if (memory_access_is_direct(place->mr, false)) {
        memmove(buffer, place_host(place), place->length);
        return MEMTX_OK;
    }
    size = chunk_size(place->mr, place->offset, place->length);
    section = device_enter(place->mr);
    result = memory_region_dispatch_read(place->mr, place->offset, &value, chunk_op(size), attrs);
    device_leave(section);
    value_to_bytes(buffer, value, size);        /* also what a failing device said (R-ACC-7) */
    place->length = size;
    return result;
}

static MemTxResult write_some(Place *place, MemTxAttrs attrs, const uint8_t *buffer)
{
    DeviceSection section;
    MemTxResult result;
    unsigned size;

    if (!attrs_allow(place->mr, attrs)) {
        return MEMTX_ACCESS_ERROR;
    }
    if (memory_access_is_direct(place->mr, true)) {
        memmove(place_host(place), buffer, place->length);
        mark_written(place->mr, place->offset, place->length);
        return MEMTX_OK;
    }
    size = chunk_size(place->mr, place->offset, place->length);
    section = device_enter(place->mr);
    result = memory_region_dispatch_write(place->mr, place->offset, value_from_bytes(buffer, size),
                                          chunk_op(size), attrs);
    device_leave(section);
    place->length = size;
    return result;
}

MemTxResult read_from_place(const Origin *origin, Place place, hwaddr address, MemTxAttrs attrs,
                            uint8_t *buffer, hwaddr length)
{
    MemTxResult result = MEMTX_OK;

    for (;;) {
        result |= read_some(&place, attrs, buffer);
        length -= place.length;
        if (length == 0) {
            return result;
        }
        buffer += place.length;
        address += place.length;
        place = place_from(origin, address, length, false, attrs);
    }
}

MemTxResult write_from_place(const Origin *origin, Place place, hwaddr address, MemTxAttrs attrs,
                             const uint8_t *buffer, hwaddr length)
{
    MemTxResult result = MEMTX_OK;

    for (;;) {
        result |= write_some(&place, attrs, buffer);
        length -= place.length;
        if (length == 0) {
            return result;
        }
        buffer += place.length;
        address += place.length;
        place = place_from(origin, address, length, true, attrs);
    }
}

static void require_buffer(const char *function, const void *buffer, hwaddr address, hwaddr length)
{
    if (__builtin_expect(!buffer && length > 0, 0)) {
        memcore_misuse_at(function, "R-LKP-5", "address 0x%" PRIx64 ": no buffer (NULL) for 0x%" PRIx64
                          " bytes", address, length);
    }
}

/* --- address spaces ------------------------------------------------------------ */

MemTxResult flatview_read_continue(FlatView *fv, hwaddr addr, MemTxAttrs attrs, void *buf, hwaddr len,
                                   hwaddr addr1, hwaddr l, MemoryRegion *mr)
{
    const Origin origin = { .view = fv };
    const Place place = { .mr = mr, .offset = addr1, .length = l };

    memcore_require(len > 0 && l > 0 && l <= len, "R-ACC-18", "address 0x%" PRIx64 ": 0x%" PRIx64 " bytes, of which 0x%"
                    PRIx64 " are translated; at least 1 must be, and no more than there are", addr, len, l);
    require_buffer(__func__, buf, addr, len);
    fuzz_dma_read_cb(addr, len, mr);
    return read_from_place(&origin, place, addr, attrs, buf, len);
}

/* Nothing at all is done if the first place is forbidden, even if more follows (R-ACC-12). */
MemTxResult view_read(FlatView *view, hwaddr address, MemTxAttrs attrs, void *buffer, hwaddr length)
{
    const Origin origin = { .view = view };
    const Place place = place_translate(view, address, length, false, attrs);

    if (!attrs_allow(place.mr, attrs)) {
        return MEMTX_ACCESS_ERROR;
    }
    fuzz_dma_read_cb(address, length, place.mr);
    return read_from_place(&origin, place, address, attrs, buffer, length);
}

MemTxResult view_write(FlatView *view, hwaddr address, MemTxAttrs attrs, const void *buffer, hwaddr length)
{
    const Origin origin = { .view = view };
    const Place place = place_translate(view, address, length, true, attrs);

    return attrs_allow(place.mr, attrs) ? write_from_place(&origin, place, address, attrs, buffer, length)
                                        : MEMTX_ACCESS_ERROR;
}

/* `function` is the public one that was called. */
static MemTxResult read_space(const char *function, AddressSpace *as, hwaddr address, MemTxAttrs attrs,
                              void *buffer, hwaddr length)
{
    MemTxResult result;

    if (length == 0) {
        return MEMTX_OK;
    }
    require_buffer(function, buffer, address, length);
    rcu_read_lock();
    result = view_read(view_of(as, function, "R-ACC-1"), address, attrs, buffer, length);
    rcu_read_unlock();
    return result;
}

static MemTxResult write_space(const char *function, AddressSpace *as, hwaddr address, MemTxAttrs attrs,
                               const void *buffer, hwaddr length)
{
    MemTxResult result;

    if (length == 0) {
        return MEMTX_OK;
    }
    require_buffer(function, buffer, address, length);
    rcu_read_lock();
    result = view_write(view_of(as, function, "R-ACC-1"), address, attrs, buffer, length);
    rcu_read_unlock();
    return result;
}

MemTxResult address_space_read_full(AddressSpace *as, hwaddr address, MemTxAttrs attrs, void *buffer,
                                    hwaddr length)
{
    return read_space(__func__, as, address, attrs, buffer, length);
}

MemTxResult address_space_write(AddressSpace *as, hwaddr address, MemTxAttrs attrs, const void *buffer,
                                hwaddr length)
{
    return write_space(__func__, as, address, attrs, buffer, length);
}

MemTxResult address_space_rw(AddressSpace *as, hwaddr address, MemTxAttrs attrs, void *buffer,
                             hwaddr length, bool is_write)
{
    return is_write ? write_space(__func__, as, address, attrs, buffer, length)
                    : read_space(__func__, as, address, attrs, buffer, length);
}

MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t c, hwaddr len, MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    uint8_t pattern[512];

    memset(pattern, c, sizeof(pattern));
    while (len > 0) {
        const hwaddr piece = len < sizeof(pattern) ? len : sizeof(pattern);

        result |= write_space(__func__, as, addr, attrs, pattern, piece);
        addr += piece;
        len -= piece;
    }
    return result;
}

/* --- past who would refuse ------------------------------------------------------- */

MemTxResult address_space_write_rom(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, const void *buf,
                                    hwaddr len)
{
    const uint8_t *bytes = buf;

    RCU_READ_LOCK_GUARD();
    require_buffer(__func__, buf, addr, len);
    while (len > 0) {
        /* The view of now, each time (R-ACC-16). */
        Place place = place_translate(view_of(as, __func__, "R-ACC-14"), addr, len, true, attrs);

        if (!is_ram_kind(place.mr)) {
            place.length = chunk_size(place.mr, place.offset, place.length);
        } else if (!place.mr->ram_block->readonly) {        /* the host would fault (R-ACC-14) */
            memmove(place_host(&place), bytes, place.length);
            mark_written(place.mr, place.offset, place.length);
        }
        bytes += place.length;
        addr += place.length;
        len -= place.length;
    }
    return MEMTX_OK;
}

void memory_region_flush_rom_device(MemoryRegion *mr, hwaddr addr, hwaddr size)
{
    memcore_require(memory_region_is_romd(mr), "R-DIRTY-14", "region '%s' is not a ROM device in ROMD mode",
                    region_label(mr));
    memcore_require(addr <= mr->ram_block->max_length && size <= mr->ram_block->max_length - addr, "R-DIRTY-14",
                    "region '%s' has 0x%" PRIx64 " bytes of memory, not 0x%" PRIx64 " at 0x%" PRIx64,
                    region_label(mr), mr->ram_block->max_length, size, addr);
    mark_written(mr, addr, size);
}

/* --- would it be served? --------------------------------------------------------- */

/*
 * How many bytes, from `address` on, one answer of the device stands for; 0: it
 * says no.  Without `accepts` only size and alignment matter: one answer holds
 * for all full chunks that begin in this range, be they 2^61.
 */
static hwaddr accepted_length(FlatView *view, hwaddr address, const Place *place, bool is_write,
                              MemTxAttrs attrs)
{
    const unsigned size = chunk_size(place->mr, place->offset, place->length);
    const unsigned full = chunk_size(place->mr, 0, HWADDR_MAX);
    const FlatRange *range;

    if (!region_accepts(place->mr, place->offset, size, is_write, attrs)) {
        return 0;
    }
    range = flatview_find(view, address);
    memcore_assert(range);      /* a hole accepts nothing */
    if (size < full || place->mr->ops->valid.accepts || range->mr != place->mr) {
        return size;
    }
    return cut_length(place->length & -(hwaddr)full, (range->last - address) | (full - 1));
}

bool address_space_access_valid(AddressSpace *as, hwaddr addr, hwaddr len, bool is_write, MemTxAttrs attrs)
{
    FlatView *view;

    RCU_READ_LOCK_GUARD();
    view = len > 0 ? view_of(as, __func__, "R-VAL-1") : NULL;
    while (len > 0) {
        const Place place = place_translate(view, addr, len, is_write, attrs);
        const hwaddr served = memory_access_is_direct(place.mr, is_write)
                                  ? place.length : accepted_length(view, addr, &place, is_write, attrs);

        if (served == 0) {
            return false;
        }
        addr += served;
        len -= served;
    }
    return true;
}
