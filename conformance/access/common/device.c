/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "access.h"

#include <string.h>

static void note(Device *d, const char *event, hwaddr addr, unsigned size, const uint64_t *value,
                 const MemTxAttrs *attrs)
{
    if (d->quiet) {
        return;
    }
    if (d->show_name) {
        g_string_append_printf(d->log, "%s: ", d->name);
    }
    g_string_append_printf(d->log, "%s 0x%" PRIx64 "+%u", event, (uint64_t)addr, size);
    if (value) {
        g_string_append_printf(d->log, "=0x%" PRIx64, *value);
    }
    if (d->show_attrs && attrs) {
        g_string_append_printf(d->log, " attrs(%s%s%s%s%x%s%s%s%s)", attrs->unspecified ? "unspecified " : "",
                               attrs->secure ? "secure " : "", attrs->user ? "user " : "",
                               attrs->memory ? "memory " : "", attrs->requester_id,
                               attrs->byte_swap ? " byte_swap" : "", attrs->target_tlb_bit0 ? " bit0" : "",
                               attrs->target_tlb_bit1 ? " bit1" : "", attrs->target_tlb_bit2 ? " bit2" : "");
    }
    if (d->show_lock) {
        g_string_append(d->log, qemu_mutex_iothread_locked() ? " locked" : " unlocked");
    }
    g_string_append_c(d->log, '\n');
}

static DeviceAnswer *next_answer(Device *d)
{
    return d->answered < d->answer_count ? &d->answers[d->answered++] : NULL;
}

static unsigned byte_shift(const Device *d, unsigned size, unsigned i)
{
    return 8 * (d->ops.endianness == DEVICE_BIG_ENDIAN ? size - 1 - i : i);
}

static MemTxResult give(Device *d, hwaddr addr, uint64_t *value, unsigned size, const MemTxAttrs *attrs)
{
    DeviceAnswer *answer;

    note(d, "read", addr, size, NULL, attrs);
    d->calls++;
    if (d->hook) {
        d->hook(d, addr, size, false);
    }
    answer = next_answer(d);
    if (answer) {
        *value = answer->value;
        return answer->result;
    }
    *value = 0;
    for (unsigned i = 0; i < size; i++) {
        *value |= (uint64_t)d->bytes[(addr + i) % sizeof(d->bytes)] << byte_shift(d, size, i);
    }
    return d->result;
}

static MemTxResult take(Device *d, hwaddr addr, uint64_t value, unsigned size, const MemTxAttrs *attrs)
{
    DeviceAnswer *answer;

    note(d, "write", addr, size, &value, attrs);
    d->calls++;
    for (unsigned i = 0; i < size; i++) {
        d->bytes[(addr + i) % sizeof(d->bytes)] = (uint8_t)(value >> byte_shift(d, size, i));
    }
    if (d->hook) {
        d->hook(d, addr, size, true);
    }
    answer = next_answer(d);
    return answer ? answer->result : d->result;
}

static uint64_t device_read(void *opaque, hwaddr addr, unsigned size)
{
    uint64_t value;

    give(opaque, addr, &value, size, NULL);
    return value;
}

static void device_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    take(opaque, addr, data, size, NULL);
}

static MemTxResult device_read_with_attrs(void *opaque, hwaddr addr, uint64_t *data, unsigned size,
                                          MemTxAttrs attrs)
{
    return give(opaque, addr, data, size, &attrs);
}

static MemTxResult device_write_with_attrs(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                                           MemTxAttrs attrs)
{
    return take(opaque, addr, data, size, &attrs);
}

static bool device_accepts(void *opaque, hwaddr addr, unsigned size, bool is_write, MemTxAttrs attrs)
{
    Device *d = opaque;

    note(d, is_write ? "accepts write" : "accepts read", addr, size, NULL, &attrs);
    return !d->refuses || !d->refuses(d, addr, size, is_write);
}

Device *device_bare(const char *name, DeviceOptions options)
{
    Device *d = stage_storage(sizeof(*d));
    const bool attrs_only = options.with_attrs && !options.plain_too;

    *d = (Device) {
        .ops = {
            .read = attrs_only ? NULL : device_read,
            .write = attrs_only || options.plain_read ? NULL : device_write,
            .read_with_attrs = options.with_attrs ? device_read_with_attrs : NULL,
            .write_with_attrs = options.with_attrs || options.plain_read ? device_write_with_attrs : NULL,
            .endianness = options.order,
            .valid = {
                .min_access_size = options.valid_min,
                .max_access_size = options.valid_max,
                .unaligned = options.valid_unaligned,
                .accepts = options.accepts ? device_accepts : NULL,
            },
            .impl = {
                .min_access_size = options.impl_min,
                .max_access_size = options.impl_max,
                .unaligned = options.impl_unaligned,
            },
        },
        .name = name,
        .log = stage_log(),
    };
    fill_counting(d->bytes, sizeof(d->bytes), 0);
    return d;
}

Device *device_new(const char *name, uint64_t size, DeviceOptions options)
{
    Device *d = device_bare(name, options);

    d->mr = stage_io_ops(name, size, &d->ops, d);
    return d;
}

Device *device_rom(const char *name, uint64_t size, DeviceOptions options)
{
    Device *d = device_bare(name, options);

    d->mr = stage_storage(sizeof(MemoryRegion));
    memory_region_init_rom_device_nomigrate(d->mr, NULL, &d->ops, d, name, size, &error_fatal);
    stage_adopt(d->mr, NULL);
    return d;
}

void device_answer(Device *d, uint64_t value, MemTxResult result)
{
    g_assert_cmpuint(d->answer_count, <, G_N_ELEMENTS(d->answers));
    d->answers[d->answer_count++] = (DeviceAnswer) { value, result };
}
