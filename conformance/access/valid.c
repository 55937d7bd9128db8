/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking whether an access would be served (R-VAL). */
#include "common/access.h"

#define LITTLE .order = DEVICE_LITTLE_ENDIAN

static bool valid(Bus bus, hwaddr addr, hwaddr size, bool is_write)
{
    return address_space_access_valid(bus.as, addr, size, is_write, PLAIN);
}

static bool refuse_eight(Device *device, hwaddr addr, unsigned size, bool is_write)
{
    (void)device;
    (void)size;
    return addr == 8 && is_write;
}

static void every_chunk_is_asked(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x20, LITTLE, .accepts = true);

    stage_add(bus.root, 0x1000, stage_ram("ram", 0x1000));
    stage_add(bus.root, 0x2000, d->mr);
    check(valid(bus, 0x1ff0, 0x16, READ));
    check_calls(d, "accepts read 0x0+4\naccepts read 0x4+2\n");
    d->refuses = refuse_eight;
    check(!valid(bus, 0x2000, 0x20, WRITE));
    check_calls(d, "accepts write 0x0+4\naccepts write 0x4+4\naccepts write 0x8+4\n");
    check(valid(bus, 0x2000, 0x20, READ));
    check_number(d->calls, 0);
}

/* Stops at the first failure, which here is in front of the device. */
static void first_failure_ends_it(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x20, LITTLE, .accepts = true);

    stage_add(bus.root, 0x1000, stage_rom("rom", 0x1000));
    stage_add(bus.root, 0x2000, d->mr);
    check(!valid(bus, 0x1ff0, 0x20, WRITE));
    check_calls(d, "");
}

static void under_the_locks_of_the_caller(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x20, LITTLE, .accepts = true);

    stage_add(bus.root, 0, d->mr);
    d->show_lock = true;
    check(valid(bus, 0, 4, READ));
    qemu_mutex_unlock_iothread();
    check(valid(bus, 0, 4, READ));
    check(!qemu_mutex_iothread_locked());
    qemu_mutex_lock_iothread();
    check_calls(d, "accepts read 0x0+4 locked\naccepts read 0x0+4 unlocked\n");
}

static void sizes_count(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0, device("dev", 0x100, LITTLE, .valid_min = 2, .valid_max = 2)->mr);
    check(valid(bus, 0, 4, READ));
    check(!valid(bus, 0, 5, READ));
    check(!valid(bus, 1, 4, WRITE));
}

static void kinds(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x2000, TABLE_PLAIN);
    const MemTxAttrs memory_only = { .memory = 1 };

    stage_add(bus.root, 0x1000, stage_rom("rom", 0x1000));
    stage_add(bus.root, 0x2000, stage_ram("ram", 0x1000));
    stage_add(bus.root, 0x3000, device("dev", 0x1000, LITTLE)->mr);
    stage_add(bus.root, 0x4000, stage_io_ops("mine", 0x1000, NULL, NULL));
    stage_add(bus.root, 0x5000, table_region(t));
    stage_add(target.root, 0, stage_ram("far", 0x2000));
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RO);
    check(valid(bus, 0x1000, 0x1000, READ));
    check(!valid(bus, 0x1000, 1, WRITE));
    check(valid(bus, 0x2000, 0x1000, WRITE));
    check(valid(bus, 0x3000, 0x1000, WRITE));
    check(!valid(bus, 0x4000, 4, READ));
    check(!valid(bus, 0x4000, 4, WRITE));
    check(!valid(bus, 0x100, 4, READ));
    check(valid(bus, 0x5000, 0x1000, READ));
    check(!valid(bus, 0x5000, 4, WRITE));
    check(!valid(bus, 0x5ffc, 8, READ));
    check(valid(bus, 0x100, 0, WRITE));
    check(valid(bus, 0x2ff0, 0x20, READ));
    check(!valid(bus, 0xfff, 2, READ));
    check(address_space_access_valid(bus.as, 0x3000, 4, READ, memory_only));
    check(!address_space_access_valid(bus.as, 0x100, 4, READ, memory_only));
}

/* From the address in 7.2, better from the offset: either, but the buffer functions are clear. */
static void chunks_of_unaligned_devices(void)
{
    Bus bus = bus_new("as");
    Device *exact = device("exact", 0x100, LITTLE, .valid_min = 4, .valid_max = 4);
    Device *upto = device("upto", 0x100, LITTLE, .valid_min = 1, .valid_max = 4);
    bool by_offset;

    stage_add(bus.root, 0x1002, upto->mr);
    stage_add(bus.root, 0x2002, exact->mr);
    by_offset = valid(bus, 0x1004, 4, READ);
    check_number(valid(bus, 0x2002, 4, READ), by_offset);
    check_read(bus.as, 0x1004, 4, OK, "02 03 04 05");
    check_read(bus.as, 0x2002, 4, OK, "00 01 02 03");
    check(!valid(bus, 0x2004, 4, READ));
}

/* What one answer stands for ends with the range, though the region behind it goes on. */
static void windows_of_devices(void)
{
    Bus bus = bus_new("as");
    Device *byte = device("byte", 0x100, LITTLE, .valid_max = 1), *word = device("word", 0x100, LITTLE);

    stage_add(bus.root, 0x1000, stage_alias("byte window", byte->mr, 0, 0x11));
    stage_add(bus.root, 0x2000, stage_alias("word window", word->mr, 0, 4));
    check(valid(bus, 0x1000, 0x11, READ));
    check(!valid(bus, 0x1000, 0x12, READ));
    check(valid(bus, 0x2000, 4, READ));
    check(!valid(bus, 0x2000, 8, READ));
}

/* Each chunk is translated: what one says of the device holds for no more than itself. */
static void chunks_behind_an_iommu(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x2000, TABLE_PLAIN);

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, device("dev", 8, LITTLE)->mr);
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RW);
    check(valid(bus, 0, 8, READ));
    check(!valid(bus, 0, 16, READ));
    check(!valid(bus, 8, 1, WRITE));
    check_number(t->translations, 2 + 3 + 1);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-VAL-1/every-chunk", every_chunk_is_asked);
    conformance_case("/R-VAL-1/first-failure", first_failure_ends_it);
    conformance_case("/R-VAL-1/locks-of-the-caller", under_the_locks_of_the_caller);
    conformance_case("/R-VAL-1/sizes-count", sizes_count);
    conformance_case("/R-VAL-1/behind-an-iommu", chunks_behind_an_iommu);
    conformance_case("/R-VAL-1/windows", windows_of_devices);
    conformance_case("/R-VAL-2/kinds", kinds);
    conformance_case("/R-VAL-3/unaligned-devices", chunks_of_unaligned_devices);
    return g_test_run();
}
