/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test devices as model/access.h describes them. */
#include <string.h>

#include "qemu/main-loop.h"
#include "run/player_parts.h"

MemTxAttrs player_attrs(uint32_t packed)
{
    return (MemTxAttrs){
        .unspecified = packed & 1, .secure = packed >> 1 & 1, .user = packed >> 2 & 1, .memory = packed >> 3 & 1,
        .byte_swap = packed >> 4 & 1, .target_tlb_bit0 = packed >> 5 & 1, .target_tlb_bit1 = packed >> 6 & 1,
        .target_tlb_bit2 = packed >> 7 & 1, .requester_id = packed >> 8 & 0xffff,
    };
}

uint32_t player_attrs_packed(MemTxAttrs a)
{
    return (uint32_t)a.unspecified | (uint32_t)a.secure << 1 | (uint32_t)a.user << 2 | (uint32_t)a.memory << 3 |
           (uint32_t)a.byte_swap << 4 | (uint32_t)a.target_tlb_bit0 << 5 | (uint32_t)a.target_tlb_bit1 << 6 |
           (uint32_t)a.target_tlb_bit2 << 7 | (uint32_t)a.requester_id << 8;
}

static void record(struct player_device *d, enum event_kind kind, hwaddr offset, unsigned size, uint32_t attrs,
                   uint64_t data, int number)
{
    struct event e;

    if (!d->player->straight && d->player->seen && !qemu_mutex_iothread_locked()) {
        d->player->seen->violation = "a callback ran without the big lock (R-LCK-1)";
    }
    event_init(&e, kind);
    e.region = (int)d->slot;
    e.offset = offset;
    e.size = size;
    e.attrs = attrs;
    e.data = data;
    e.number = number;
    player_record(d->player, &e);
}

/* Afterwards: what the callback returns instead of its own result, or -1. */
static int64_t run_script(struct player_device *d)
{
    struct player *p = d->player;
    const enum script_kind kind = d->script.kind;
    AddressSpace *as = p->space_live[d->script.space] ? &p->spaces[d->script.space] : NULL;
    bool straight = p->straight;
    uint8_t bytes[8];
    struct event e;

    d->script.kind = SCRIPT_NONE;
    event_init(&e, EVENT_NESTED);
    e.region = (int)d->slot;
    switch (kind) {
    case SCRIPT_READ:
    case SCRIPT_WRITE:
        if (!as) {
            break;
        }
        p->straight = false;
        if (kind == SCRIPT_READ) {
            e.result = address_space_read_full(as, d->script.value, MEMTXATTRS_UNSPECIFIED, bytes, sizeof(bytes));
            for (unsigned i = 0; i < sizeof(bytes); i++) {
                e.data |= (uint64_t)bytes[i] << 8 * i;
            }
        } else {
            for (unsigned i = 0; i < sizeof(bytes); i++) {
                bytes[i] = access_data_byte(0, i);
            }
            e.result = address_space_write(as, d->script.value, MEMTXATTRS_UNSPECIFIED, bytes, sizeof(bytes));
        }
        p->straight = straight;
        player_record(p, &e);
        break;
    case SCRIPT_TOGGLE:
        if (p->region_live[d->script.region]) {
            player_toggle(p, d->script.region);
        }
        break;
    case SCRIPT_FAIL:
        return (uint32_t)d->script.value;
    case SCRIPT_NONE:
        break;
    }
    return -1;
}

/* Byte i of a value of this device's order. */
static unsigned byte_shift(const struct player_device *d, unsigned i, unsigned size)
{
    return 8 * (d->shape.traits & DEVICE_BIG ? size - 1 - i : i);
}

static MemTxResult read_callback(struct player_device *d, hwaddr offset, unsigned size, uint32_t attrs, uint64_t *data)
{
    uint64_t counter = d->counter++;
    int64_t result;

    record(d, EVENT_DEVICE_READ, offset, size, attrs, 0, 0);
    result = run_script(d);
    if (d->shape.traits & DEVICE_BYTES) {
        *data = 0;
        for (unsigned i = 0; i < size; i++) {
            *data |= (uint64_t)d->store[(offset + i) % DEVICE_STORE] << byte_shift(d, i, size);
        }
    } else {
        *data = device_value(d->slot, offset, size, counter);
    }
    return result >= 0 ? (MemTxResult)result : device_result(d->shape.traits, counter);
}

static MemTxResult write_callback(struct player_device *d, hwaddr offset, unsigned size, uint32_t attrs, uint64_t data)
{
    uint64_t counter = d->counter++;
    int64_t result;

    record(d, EVENT_DEVICE_WRITE, offset, size, attrs, data, 0);
    result = run_script(d);
    if (d->shape.traits & DEVICE_BYTES) {
        for (unsigned i = 0; i < size; i++) {
            d->store[(offset + i) % DEVICE_STORE] = (uint8_t)(data >> byte_shift(d, i, size));
        }
    }
    return result >= 0 ? (MemTxResult)result : device_result(d->shape.traits, counter);
}

static uint64_t plain_read(void *opaque, hwaddr offset, unsigned size)
{
    uint64_t data;

    read_callback(opaque, offset, size, 0, &data);
    return data;
}

static void plain_write(void *opaque, hwaddr offset, uint64_t data, unsigned size)
{
    write_callback(opaque, offset, size, 0, data);
}

static MemTxResult attrs_read(void *opaque, hwaddr offset, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    return read_callback(opaque, offset, size, player_attrs_packed(attrs), data);
}

static MemTxResult attrs_write(void *opaque, hwaddr offset, uint64_t data, unsigned size, MemTxAttrs attrs)
{
    return write_callback(opaque, offset, size, player_attrs_packed(attrs), data);
}

static bool accepts(void *opaque, hwaddr offset, unsigned size, bool is_write, MemTxAttrs attrs)
{
    struct player_device *d = opaque;
    bool straight = d->player->straight;

    d->player->straight = true;     /* access_valid calls it with the caller's locks (R-VAL-1) */
    record(d, EVENT_DEVICE_ACCEPTS, offset, size, player_attrs_packed(attrs), 0, is_write);
    d->player->straight = straight;
    return device_accepts(offset, size, is_write, player_attrs_packed(attrs));
}

const MemoryRegionOps *player_device_init(struct player *p, unsigned slot, const struct device_shape *shape)
{
    struct player_device *d = &p->devices[slot];
    const uint32_t traits = shape->traits;

    memset(d, 0, sizeof(*d));
    d->player = p;
    d->slot = slot;
    d->shape = *shape;
    d->script.kind = SCRIPT_NONE;
    d->ops.endianness = traits & DEVICE_BIG ? DEVICE_BIG_ENDIAN
                      : traits & DEVICE_LITTLE ? DEVICE_LITTLE_ENDIAN : DEVICE_NATIVE_ENDIAN;
    if (traits & DEVICE_BOTH_READ || !(traits & DEVICE_ATTRS_READ)) {
        d->ops.read = plain_read;
    }
    if (traits & (DEVICE_BOTH_READ | DEVICE_ATTRS_READ)) {
        d->ops.read_with_attrs = attrs_read;
    }
    if (traits & DEVICE_BOTH_WRITE || !(traits & DEVICE_ATTRS_WRITE)) {
        d->ops.write = plain_write;
    }
    if (traits & (DEVICE_BOTH_WRITE | DEVICE_ATTRS_WRITE)) {
        d->ops.write_with_attrs = attrs_write;
    }
    d->ops.valid.min_access_size = shape->valid_min;
    d->ops.valid.max_access_size = shape->valid_max;
    d->ops.valid.unaligned = traits & DEVICE_UNALIGNED;
    d->ops.valid.accepts = traits & DEVICE_PICKY ? accepts : NULL;
    d->ops.impl.min_access_size = shape->impl_min;
    d->ops.impl.max_access_size = shape->impl_max;
    d->ops.impl.unaligned = traits & DEVICE_IMPL_UNALIGNED;
    return &d->ops;
}
