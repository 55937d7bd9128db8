/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a dispatch to the callbacks of a device (R-DSP). */
#include "common/access.h"

#define LITTLE .order = DEVICE_LITTLE_ENDIAN
#define BIG .order = DEVICE_BIG_ENDIAN

/* In the order of the device, so that no order is converted. */
static MemOp own_op(const Device *d, unsigned size)
{
    return size_memop(size) | devend_memop(d->ops.endianness);
}

static uint64_t dispatch_read(Device *d, hwaddr addr, unsigned size, MemTxResult expected)
{
    uint64_t value = 0x5555555555555555;

    check_number(memory_region_dispatch_read(d->mr, addr, &value, own_op(d, size), PLAIN), expected);
    return value;
}

static void dispatch_write(Device *d, hwaddr addr, uint64_t data, unsigned size, MemTxResult expected)
{
    check_number(memory_region_dispatch_write(d->mr, addr, data, own_op(d, size), PLAIN), expected);
}

/* ---- R-DSP-1: aliases ---- */

static void aliases_add_their_offsets(void)
{
    Device *d = device("dev", 0x1000, LITTLE);
    MemoryRegion *inner = stage_alias("inner", d->mr, 0x100, 0x10);
    MemoryRegion *outer = stage_alias("outer", inner, 0x20, 0x10);
    uint64_t value = 0;

    memory_region_set_enabled(inner, false);
    memory_region_set_readonly(outer, true);
    check_number(memory_region_dispatch_read(outer, 4, &value, MO_LE | MO_32, PLAIN), OK);
    check_number(value, 0x27262524);
    check_number(memory_region_dispatch_write(outer, 0x200, 7, MO_LE | MO_16, PLAIN), OK);
    check_calls(d, "read 0x124+4\nwrite 0x320+2=0x7\n");
}

static void alias_chains_are_sums(void)
{
    uint64_t state = 19;

    for (int round = 0; round < 50; round++) {
        Device *d = device("dev", 0x10000, LITTLE, .impl_max = 2, .valid_unaligned = true);
        MemoryRegion *mr = d->mr;
        hwaddr sum = 0;
        uint64_t through = 0, straight = 1;
        hwaddr addr = random_below(&state, 0x1000);
        unsigned size = 1u << random_below(&state, 4);

        for (uint64_t depth = 1 + random_below(&state, 4); depth; depth--) {
            hwaddr offset = random_below(&state, 0x1000);

            mr = stage_alias("alias", mr, offset, 0x1000);
            sum += offset;
        }
        memory_region_dispatch_read(mr, addr, &through, MO_LE | size_memop(size), PLAIN);
        char *calls = g_strdup(d->log->str);
        g_string_truncate(d->log, 0);
        memory_region_dispatch_read(d->mr, addr + sum, &straight, MO_LE | size_memop(size), PLAIN);
        check_calls(d, calls);
        check_number(through, straight);
        g_free(calls);
    }
}

/* ---- R-DSP-2 to R-DSP-4: validity ---- */

static bool refuse_everything(Device *device, hwaddr addr, unsigned size, bool is_write)
{
    (void)device;
    (void)addr;
    (void)size;
    (void)is_write;
    return true;
}

static void accepts_is_asked_first(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .valid_max = 2, .accepts = true);

    dispatch_read(d, 0, 4, DECODE);
    check_calls(d, "accepts read 0x0+4\n");
    dispatch_write(d, 1, 0, 2, DECODE);
    check_calls(d, "accepts write 0x1+2\n");
    dispatch_read(d, 2, 2, OK);
    check_calls(d, "accepts read 0x2+2\nread 0x2+2\n");
    d->refuses = refuse_everything;
    dispatch_read(d, 2, 2, DECODE);
    check_calls(d, "accepts read 0x2+2\n");
}

static void sizes_and_alignment(void)
{
    static const struct {
        unsigned min, max;
        bool unaligned;
        hwaddr addr;
        unsigned size;
        MemTxResult result;
    } cases[] = {
        { 4, 0, false, 0, 1, OK },          /* max 0: min does not count */
        { 4, 0, false, 1, 2, DECODE },      /* but alignment does */
        { 0, 0, false, 0, 8, OK },
        { 0, 0, false, 4, 8, DECODE },
        { 0, 0, true, 4, 8, OK },
        { 2, 4, false, 0, 1, DECODE },
        { 2, 4, false, 0, 2, OK },
        { 2, 4, false, 0, 4, OK },
        { 2, 4, false, 0, 8, DECODE },
        { 2, 4, true, 3, 4, OK },
        { 2, 4, true, 3, 8, DECODE },
        { 0, 1, false, 7, 1, OK },
        { 0, 1, false, 6, 2, DECODE },
        { 8, 8, false, 8, 8, OK },
        { 8, 8, false, 8, 4, DECODE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Device *d = device("dev", 0x1000, LITTLE, .valid_min = cases[i].min, .valid_max = cases[i].max,
                           .valid_unaligned = cases[i].unaligned);

        dispatch_read(d, cases[i].addr, cases[i].size, cases[i].result);
        check_number(d->calls != 0, cases[i].result == OK);
        d->calls = 0;
        dispatch_write(d, cases[i].addr, 0, cases[i].size, cases[i].result);
        if (!check_number(d->calls != 0, cases[i].result == OK)) {
            g_printerr("  case %zu\n", i);
        }
    }
}

static void min_alone_does_not_count(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .valid_min = 4);

    check_number(dispatch_read(d, 0, 1, OK), 0);
    check_calls(d, "read 0x0+1\n");
}

static void rejected_means_nothing_happens(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .valid_max = 2);
    EventNotifier *e = stage_notifier("e");

    memory_region_add_eventfd(d->mr, 0, 4, false, 0, e);
    memory_region_add_eventfd(d->mr, 0, 0, false, 0, e);
    check_number(dispatch_read(d, 0, 4, DECODE), 0);
    dispatch_write(d, 0, 0x11223344, 4, DECODE);
    check_calls(d, "");
    check_number(d->bytes[1], 1);
    check_number(event_notifier_test_and_clear(e), 0);
    memory_region_del_eventfd(d->mr, 0, 4, false, 0, e);
    memory_region_del_eventfd(d->mr, 0, 0, false, 0, e);
}

static void accepts_is_asked_once(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .impl_max = 1, .accepts = true);

    dispatch_read(d, 4, 4, OK);
    check_calls(d, "accepts read 0x4+4\nread 0x4+1\nread 0x5+1\nread 0x6+1\nread 0x7+1\n");
    dispatch_write(d, 4, 0x04030201, 4, OK);
    check_calls(d,
                "accepts write 0x4+4\nwrite 0x4+1=0x1\nwrite 0x5+1=0x2\nwrite 0x6+1=0x3\nwrite 0x7+1=0x4\n");
}

/* ---- R-DSP-5: which callback ---- */

static void plain_wins(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .with_attrs = true, .plain_too = true);

    d->show_attrs = true;
    d->result = FAILED;
    dispatch_read(d, 0, 4, OK);
    dispatch_write(d, 0, 0, 4, OK);
    check_calls(d, "read 0x0+4\nwrite 0x0+4=0x0\n");
}

static void chosen_for_each_direction(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .plain_read = true);
    Device *other = device("other", 0x1000, LITTLE, .with_attrs = true);

    d->show_attrs = true;
    d->result = other->result = FAILED;
    dispatch_read(d, 0, 4, OK);
    dispatch_write(d, 0, 0, 4, FAILED);
    check_calls(d, "read 0x0+4\nwrite 0x0+4=0x0 attrs(unspecified 0)\n");
    check_number(dispatch_read(other, 4, 4, FAILED), 0x07060504);
    dispatch_write(other, 0, 0, 4, FAILED);
}

/* ---- R-DSP-6 to R-DSP-8: pieces ---- */

static void widths(void)
{
    static const struct {
        unsigned size, min, max;
        hwaddr addr;
        const char *reads;
    } cases[] = {
        { 8, 0, 0, 8, "read 0x8+4\nread 0xc+4\n" },
        { 4, 0, 0, 8, "read 0x8+4\n" },
        { 1, 0, 0, 9, "read 0x9+1\n" },
        { 8, 0, 8, 8, "read 0x8+8\n" },
        { 8, 0, 2, 8, "read 0x8+2\nread 0xa+2\nread 0xc+2\nread 0xe+2\n" },
        { 4, 0, 1, 4, "read 0x4+1\nread 0x5+1\nread 0x6+1\nread 0x7+1\n" },
        { 4, 8, 2, 4, "read 0x4+8\n" },         /* min wins */
        { 1, 4, 0, 3, "read 0x3+4\n" },
        { 2, 4, 4, 2, "read 0x2+4\n" },
        { 8, 4, 4, 0, "read 0x0+4\nread 0x4+4\n" },
        { 2, 0, 1, 2, "read 0x2+1\nread 0x3+1\n" },
        { 8, 8, 8, 0, "read 0x0+8\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Device *d = device("dev", 0x1000, LITTLE, .impl_min = cases[i].min, .impl_max = cases[i].max);

        dispatch_read(d, cases[i].addr, cases[i].size, OK);
        check_calls(d, cases[i].reads);
    }
}

static void valid_does_not_change_widths(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .valid_min = 8, .valid_max = 8);

    dispatch_read(d, 0, 8, OK);
    check_calls(d, "read 0x0+4\nread 0x4+4\n");
}

static void order_of_pieces(void)
{
    Device *little = device("little", 0x1000, LITTLE), *big = device("big", 0x1000, BIG);
    Device *native = device("native", 0x1000);

    dispatch_write(little, 0, 0x1122334455667788, 8, OK);
    check_calls(little, "write 0x0+4=0x55667788\nwrite 0x4+4=0x11223344\n");
    dispatch_write(native, 0, 0x1122334455667788, 8, OK);
    check_calls(native, "write 0x0+4=0x55667788\nwrite 0x4+4=0x11223344\n");
    dispatch_write(big, 0, 0x1122334455667788, 8, OK);
    check_calls(big, "write 0x0+4=0x11223344\nwrite 0x4+4=0x55667788\n");
    device_answer(little, 0x55667788, OK);
    device_answer(little, 0x11223344, OK);
    check_number(dispatch_read(little, 0, 8, OK), 0x1122334455667788);
    device_answer(big, 0x11223344, OK);
    device_answer(big, 0x55667788, OK);
    check_number(dispatch_read(big, 0, 8, OK), 0x1122334455667788);
}

/* A device that says more than it was asked for does not spoil the other pieces; nor is one told more. */
static void pieces_are_masked(void)
{
    Device *little = device("little", 0x1000, LITTLE, .impl_max = 1);
    Device *big = device("big", 0x1000, BIG, .impl_max = 1);

    for (unsigned i = 0; i < 4; i++) {
        device_answer(little, 0xffffff00 | (i + 1), OK);
        device_answer(big, 0xffffff00 | (i + 1), OK);
    }
    check_number(dispatch_read(little, 0, 4, OK), 0x04030201);
    check_number(dispatch_read(big, 0, 4, OK), 0x01020304);
    dispatch_write(little, 0, 0x1234, 1, OK);
    dispatch_write(little, 0, 0x99aabbccdd, 2, OK);
    dispatch_write(big, 0, 0x99aabbccdd, 2, OK);
    dispatch_write(big, 0, 0x1234, 1, OK);
    check_calls(little, "read 0x0+1\nread 0x1+1\nread 0x2+1\nread 0x3+1\n"
                "write 0x0+1=0x34\nwrite 0x0+1=0xdd\nwrite 0x1+1=0xcc\n");
    check_calls(big, "read 0x0+1\nread 0x1+1\nread 0x2+1\nread 0x3+1\n"
                "write 0x0+1=0xcc\nwrite 0x1+1=0xdd\nwrite 0x0+1=0x34\n");
}

static void widened_reads(void)
{
    Bus bus = bus_new("as");
    Device *little = device("little", 4, LITTLE, .impl_min = 4), *big = device("big", 4, BIG, .impl_min = 4);

    stage_add(bus.root, 0, little->mr);
    stage_add(bus.root, 0x10, big->mr);
    device_answer(little, 0x44332211, OK);
    device_answer(big, 0x44332211, OK);
    check_load(address_space_ldub, bus.as, 3, 0x11, OK);
    check_load(address_space_ldub, bus.as, 0x13, 0x44, OK);
    check_calls(little, "read 0x3+4\n");
    check_calls(big, "read 0x3+4\n");
    device_answer(big, 0x44332211, OK);
    check_load(address_space_lduw_be, bus.as, 0x12, 0x4433, OK);
    device_answer(little, 0x44332211, OK);
    check_load(address_space_lduw_le, bus.as, 2, 0x2211, OK);
    check_calls(big, "read 0x2+4\n");
}

static void widened_writes(void)
{
    Bus bus = bus_new("as");
    Device *little = device("little", 4, LITTLE, .impl_min = 4), *big = device("big", 4, BIG, .impl_min = 4);

    stage_add(bus.root, 0, little->mr);
    stage_add(bus.root, 0x10, big->mr);
    check_store(address_space_stb, bus.as, 1, 0x12, OK);
    check_store(address_space_stb, bus.as, 0x11, 0x12, OK);
    check_calls(little, "write 0x1+4=0x12\n");
    check_calls(big, "write 0x1+4=0x12000000\n");
    check_bytes(little->bytes, 6, "00 12 00 00 00 05");
    check_bytes(big->bytes, 6, "00 12 00 00 00 05");
}

/* Bits above the size of a widened direct dispatch are cut off, which 7.2 does not do. */
static void bits_above_a_widened_access(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .impl_min = 4);
    Bus bus = bus_new("as");

    stage_add(bus.root, 0, d->mr);
    device_answer(d, 0x55443322, OK);
    check_number(dispatch_read(d, 0, 1, OK), 0x22);
    device_answer(d, 0x55443322, OK);
    check_load(address_space_ldub, bus.as, 0, 0x22, OK);
    g_string_truncate(d->log, 0);
    d->answered = d->answer_count = 0;
    dispatch_write(d, 0, 0x1234, 1, OK);
    check_number(d->bytes[0], 0x34);
    check_calls(d, "write 0x0+4=0x34\n");
}

static void impl_unaligned_does_not_align(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x1000, LITTLE, .valid_unaligned = true);

    stage_add(bus.root, 0, d->mr);
    check_load(address_space_ldl_le, bus.as, 1, 0x04030201, OK);
    check_calls(d, "read 0x1+4\n");
    check_store(address_space_stl_le, bus.as, 3, 0x1, OK);
    check_calls(d, "write 0x3+4=0x1\n");
}

static void errors_do_not_stop_pieces(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .impl_max = 2, .with_attrs = true);

    device_answer(d, 0x0100, FAILED);
    device_answer(d, 0x0302, FAILED);
    check_number(dispatch_read(d, 0, 4, FAILED), 0x03020100);
    check_calls(d, "read 0x0+2\nread 0x2+2\n");
    device_answer(d, 0x0100, FAILED);
    device_answer(d, 0x0302, 0x40);
    check_number(dispatch_read(d, 0, 4, FAILED | 0x40), 0x03020100);
    device_answer(d, 0, 0);
    device_answer(d, 0, 0);
    dispatch_write(d, 0, 0x03020100, 4, OK);
    d->result = FAILED;
    g_string_truncate(d->log, 0);
    dispatch_write(d, 0, 0x03020100, 4, FAILED);
    check_calls(d, "write 0x0+2=0x100\nwrite 0x2+2=0x302\n");
}

/* A device that fails may leave the value alone: then it is 0, not what the piece before it was. */
static MemTxResult give_the_first_only(void *opaque, hwaddr addr, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    (void)opaque;
    (void)size;
    (void)attrs;
    if (addr > 0) {
        return FAILED;
    }
    *data = 0x11;
    return OK;
}

static void pieces_without_a_value(void)
{
    static const MemoryRegionOps ops = {
        .read_with_attrs = give_the_first_only,
        .endianness = DEVICE_LITTLE_ENDIAN,
        .impl.max_access_size = 1,
    };
    MemoryRegion *mr = stage_io_ops("half", 0x10, &ops, NULL);
    uint64_t value = 0x5555;

    check_number(memory_region_dispatch_read(mr, 0, &value, MO_LE | MO_32, PLAIN), FAILED);
    check_number(value, 0x11);
    check_number(memory_region_dispatch_read(mr, 4, &value, MO_LE | MO_8, PLAIN), FAILED);
    check_number(value, 0);
}

/* ---- R-DSP-12, R-DSP-13: order ---- */

static void order_is_fixed_up(void)
{
    static const struct {
        enum device_endian device;
        MemOp op;
        uint64_t read;
        const char *write;      /* of 0x11223344 in the order of op */
    } cases[] = {
        { DEVICE_LITTLE_ENDIAN, MO_LE | MO_32, 0x03020100, "write 0x0+4=0x11223344\n" },
        { DEVICE_LITTLE_ENDIAN, MO_BE | MO_32, 0x00010203, "write 0x0+4=0x44332211\n" },
        { DEVICE_BIG_ENDIAN, MO_BE | MO_32, 0x03020100, "write 0x0+4=0x11223344\n" },
        { DEVICE_BIG_ENDIAN, MO_LE | MO_32, 0x00010203, "write 0x0+4=0x44332211\n" },
        { DEVICE_NATIVE_ENDIAN, MO_LE | MO_32, 0x03020100, "write 0x0+4=0x11223344\n" },
        { DEVICE_NATIVE_ENDIAN, MO_BE | MO_32, 0x00010203, "write 0x0+4=0x44332211\n" },
        { DEVICE_LITTLE_ENDIAN, MO_BE | MO_16, 0x0001, "write 0x0+2=0x4433\n" },
        { DEVICE_LITTLE_ENDIAN, MO_BE | MO_8, 0x00, "write 0x0+1=0x44\n" },
        { DEVICE_BIG_ENDIAN, MO_LE | MO_8, 0x00, "write 0x0+1=0x44\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Device *d = device("dev", 0x1000, .order = cases[i].device);
        uint64_t value = 0;

        device_answer(d, 0x03020100, OK);
        memory_region_dispatch_read(d->mr, 0, &value, cases[i].op, PLAIN);
        check_number(value, cases[i].read);
        g_string_truncate(d->log, 0);
        memory_region_dispatch_write(d->mr, 0,
                                     0x11223344 & (UINT64_MAX >> (64 - 8 * memop_size(cases[i].op))),
                                     cases[i].op, PLAIN);
        check_calls(d, cases[i].write);
    }
}

static void order_is_fixed_before_splitting(void)
{
    Device *d = device("dev", 0x1000, LITTLE, .impl_max = 2);

    check_number(memory_region_dispatch_write(d->mr, 0, 0x11223344, MO_BE | MO_32, PLAIN), OK);
    check_calls(d, "write 0x0+2=0x2211\nwrite 0x2+2=0x4433\n");
}

static void byte_images(void)
{
    Bus bus = bus_new("as");
    Device *little = device("little", 0x10, LITTLE), *big = device("big", 0x10, BIG);

    stage_add(bus.root, 0, little->mr);
    stage_add(bus.root, 0x10, big->mr);
    for (int i = 0; i < 3; i++) {
        device_answer(little, 0x03020100, OK);
        device_answer(big, 0x03020100, OK);
    }
    check_read(bus.as, 0, 4, OK, "00 01 02 03");
    check_load(address_space_ldl_le, bus.as, 0, 0x03020100, OK);
    check_load(address_space_ldl_be, bus.as, 0, 0x00010203, OK);
    check_read(bus.as, 0x10, 4, OK, "03 02 01 00");
    check_load(address_space_ldl_be, bus.as, 0x10, 0x03020100, OK);
    check_load(address_space_ldl_le, bus.as, 0x10, 0x00010203, OK);
}

static void byte_image_of_two_pieces(void)
{
    Bus bus = bus_new("as");
    Device *big = device("big", 0x10, BIG, .valid_max = 8, .impl_max = 4);

    stage_add(bus.root, 0, big->mr);
    device_answer(big, 0x03020100, OK);
    device_answer(big, 0x07060504, OK);
    check_read(bus.as, 0, 8, OK, "03 02 01 00 07 06 05 04");
    device_answer(big, 0x03020100, OK);
    device_answer(big, 0x07060504, OK);
    check_load(address_space_ldq_be, bus.as, 0, 0x0302010007060504, OK);
    check_calls(big, "read 0x0+4\nread 0x4+4\nread 0x0+4\nread 0x4+4\n");
}

/* ---- R-DSP-14 ---- */

static void note_flush(void *opaque)
{
    g_string_append(opaque, "flush\n");
}

static void dispatch_does_nothing_else(void)
{
    Device *d = device("dev", 4, LITTLE, .with_attrs = true);
    const MemTxAttrs memory_only = { .memory = 1 };
    uint64_t value = 0;

    d->show_lock = true;
    memory_region_set_flush_coalesced(d->mr);
    memory_region_set_enabled(d->mr, false);
    memcore_set_coalesced_flush(note_flush, d->log);
    qemu_mutex_unlock_iothread();
    rcu_read_lock();
    check_number(memory_region_dispatch_read(d->mr, 0x100, &value, MO_LE | MO_32, memory_only), OK);
    check_number(memory_region_dispatch_write(d->mr, 0x200, 1, MO_LE | MO_32, memory_only), OK);
    rcu_read_unlock();
    qemu_mutex_lock_iothread();
    check_calls(d, "read 0x100+4 unlocked\nwrite 0x200+4=0x1 unlocked\n");
    memory_region_dispatch_read(d->mr, 0, &value, MO_LE | MO_32, PLAIN);
    check_calls(d, "read 0x0+4 locked\n");
    check_number(value, 0x03020100);
}

/* ---- INV-5, INV-6: a device made of bytes ---- */

static const enum device_endian orders[] = { DEVICE_LITTLE_ENDIAN, DEVICE_BIG_ENDIAN, DEVICE_NATIVE_ENDIAN };

static void order_of_the_device_is_invisible(void)
{
    for (size_t o = 0; o < G_N_ELEMENTS(orders); o++) {
        for (unsigned max = 1; max <= 8; max *= 2) {
            Bus bus = bus_new("as");
            Device *d = device("dev", 0x100, .order = orders[o], .impl_max = max);

            stage_add(bus.root, 0, d->mr);
            check_load(address_space_ldq_le, bus.as, 8, 0x0f0e0d0c0b0a0908, OK);
            check_load(address_space_ldq_be, bus.as, 8, 0x08090a0b0c0d0e0f, OK);
            check_load(address_space_lduw_be, bus.as, 2, 0x0203, OK);
            check_store(address_space_stq_le, bus.as, 0x10, 0x1122334455667788, OK);
            check_load(address_space_ldq_le, bus.as, 0x10, 0x1122334455667788, OK);
            check_read(bus.as, 0x10, 8, OK, "88 77 66 55 44 33 22 11");
            check_store(address_space_stl_be, bus.as, 0x20, 0x11223344, OK);
            check_read(bus.as, 0x20, 4, OK, "11 22 33 44");
            check_bytes(d->bytes + 0x20, 4, "11 22 33 44");
        }
    }
}

static void impl_is_invisible_to_reads(void)
{
    uint64_t state = 6;

    for (int round = 0; round < 60; round++) {
        Bus bus = bus_new("as");
        unsigned min = 1u << random_below(&state, 4), max = 1u << random_below(&state, 4);
        Device *d = device("dev", 0x100, .order = orders[random_below(&state, 3)], .impl_min = min,
                           .impl_max = max, .valid_max = 8);
        unsigned size = 1 + (unsigned)random_below(&state, 24);
        hwaddr addr = random_below(&state, 0x80);
        uint8_t expected[24];
        char *text;

        stage_add(bus.root, 0, d->mr);
        fill_counting(expected, size, (unsigned)addr);
        text = text_of_bytes(expected, size);
        check_read(bus.as, addr, size, OK, text);
        g_free(text);
        if (min == 1) {
            fill_counting(expected, size, 0x90);
            text = text_of_bytes(expected, size);
            check_write(bus.as, addr, size, 0x90, OK);
            check_bytes(d->bytes + addr, size, text);
            check_number(d->bytes[addr + size], addr + size);
            g_free(text);
        }
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-DSP-1/aliases-add-their-offsets", aliases_add_their_offsets);
    conformance_case("/INV-19/alias-chains-are-sums", alias_chains_are_sums);
    conformance_case("/R-DSP-2/accepts-is-asked-first", accepts_is_asked_first);
    conformance_case("/R-DSP-2/sizes-and-alignment", sizes_and_alignment);
    conformance_case("/R-DSP-2/min-alone-does-not-count", min_alone_does_not_count);
    conformance_case("/R-DSP-3/nothing-happens", rejected_means_nothing_happens);
    conformance_case("/R-DSP-4/once-a-dispatch", accepts_is_asked_once);
    conformance_case("/R-DSP-5/plain-wins", plain_wins);
    conformance_case("/R-DSP-5/for-each-direction", chosen_for_each_direction);
    conformance_case("/R-DSP-6/widths", widths);
    conformance_case("/R-DSP-6/valid-does-not-matter", valid_does_not_change_widths);
    conformance_case("/R-DSP-7/order-of-pieces", order_of_pieces);
    conformance_case("/R-DSP-7/pieces-are-masked", pieces_are_masked);
    conformance_case("/R-DSP-8/reads", widened_reads);
    conformance_case("/R-DSP-8/writes", widened_writes);
    conformance_case("/R-DSP-9/bits-above", bits_above_a_widened_access);
    conformance_case("/R-DSP-10/one-unaligned-callback", impl_unaligned_does_not_align);
    conformance_case("/R-DSP-11/errors-do-not-stop", errors_do_not_stop_pieces);
    conformance_case("/R-DSP-12/order-is-fixed-up", order_is_fixed_up);
    conformance_case("/R-DSP-12/before-splitting", order_is_fixed_before_splitting);
    conformance_case("/R-DSP-5/pieces-without-a-value", pieces_without_a_value);
    conformance_case("/R-DSP-13/byte-images", byte_images);
    conformance_case("/R-DSP-13/two-pieces", byte_image_of_two_pieces);
    conformance_case("/R-DSP-14/nothing-else", dispatch_does_nothing_else);
    conformance_case("/INV-5/order-of-the-device-is-invisible", order_of_the_device_is_invisible);
    conformance_case("/INV-6/impl-is-invisible", impl_is_invisible_to_reads);
    return g_test_run();
}
