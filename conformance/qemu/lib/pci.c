/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/pci.h"

enum {
    VENDOR = 0x00, COMMAND = 0x04, HEADER_TYPE = 0x0e, BAR0 = 0x10, PRIMARY_BUS = 0x18, SECONDARY_BUS = 0x19,
    SUBORDINATE_BUS = 0x1a, ROM = 0x30, BRIDGE_ROM = 0x38,
    ADDRESS_PORT = 0xcf8, DATA_PORT = 0xcfc,
    SLOTS = 32,
};

static uint64_t ecam_address(const struct pci *p, const struct pci_device *d, unsigned offset)
{
    return p->ecam + ((uint64_t)d->bus << 20 | (uint64_t)d->devfn << 12 | offset);
}

static uint16_t select_register(struct pci *p, const struct pci_device *d, unsigned offset)
{
    qemu_out(p->qemu, 4, ADDRESS_PORT,
             0x80000000u | (uint32_t)d->bus << 16 | (uint32_t)d->devfn << 8 | (offset & 0xfc));
    return (uint16_t)(DATA_PORT + (offset & 3));
}

uint32_t pci_read(struct pci *p, const struct pci_device *d, unsigned offset, int width)
{
    if (p->ecam) {
        return (uint32_t)qemu_read(p->qemu, width, ecam_address(p, d, offset));
    }
    return (uint32_t)qemu_in(p->qemu, width, select_register(p, d, offset));
}

void pci_write(struct pci *p, const struct pci_device *d, unsigned offset, int width, uint32_t value)
{
    if (p->ecam) {
        qemu_write(p->qemu, width, ecam_address(p, d, offset), value);
    } else {
        qemu_out(p->qemu, width, select_register(p, d, offset), value);
    }
}

/* All ones into the register: the bits that stay zero are the size.  Decoding is off meanwhile. */
static void measure_bar(struct pci *p, struct pci_device *d, unsigned index, unsigned offset)
{
    struct pci_bar *bar = &d->bars[index];
    uint32_t before = pci_read(p, d, offset, 4), low, flags;
    uint64_t mask;

    pci_write(p, d, offset, 4, offset == ROM || offset == BRIDGE_ROM ? 0xfffff800u : 0xffffffffu);
    low = pci_read(p, d, offset, 4);
    bar->offset = offset;
    bar->is_rom = offset == ROM || offset == BRIDGE_ROM;
    bar->is_io = !bar->is_rom && (low & 1);
    flags = bar->is_rom ? 0x7ff : bar->is_io ? 0x3 : 0xf;
    bar->is_64 = !bar->is_rom && !bar->is_io && (low & 6) == 4;
    mask = UINT64_C(0xffffffff00000000) | (low & ~flags);
    if (bar->is_64) {
        pci_write(p, d, offset + 4, 4, 0xffffffffu);
        mask = (uint64_t)pci_read(p, d, offset + 4, 4) << 32 | (uint32_t)mask;
        pci_write(p, d, offset + 4, 4, 0);
    }
    bar->size = (uint32_t)mask || bar->is_64 ? ~mask + 1 : 0;
    if (bar->is_io) {
        bar->size &= 0xffff;
    }
    pci_write(p, d, offset, 4, before);
}

static void measure(struct pci *p, struct pci_device *d)
{
    unsigned count = d->is_bridge ? 2 : 6;
    uint32_t command = pci_read(p, d, COMMAND, 2);

    pci_write(p, d, COMMAND, 2, command & ~3u);
    for (unsigned i = 0; i < count; i++) {
        measure_bar(p, d, i, BAR0 + 4 * i);
        i += d->bars[i].is_64;
    }
    measure_bar(p, d, PCI_BARS_MAX - 1, d->is_bridge ? BRIDGE_ROM : ROM);
    pci_write(p, d, COMMAND, 2, command);
}

static void scan_bus(struct pci *p, uint8_t bus);

/* The bridge passes on everything while its buses are numbered, depth first. */
static void scan_bridge(struct pci *p, size_t index)
{
    struct pci_device *d = &p->devices[index];

    d->secondary = (uint8_t)++p->buses;
    pci_write(p, d, PRIMARY_BUS, 1, d->bus);
    pci_write(p, d, SECONDARY_BUS, 1, d->secondary);
    pci_write(p, d, SUBORDINATE_BUS, 1, 0xff);
    scan_bus(p, d->secondary);
    pci_write(p, d, SUBORDINATE_BUS, 1, p->buses);
}

static bool scan_function(struct pci *p, uint8_t bus, uint8_t devfn)
{
    struct pci_device d = { .bus = bus, .devfn = devfn };
    uint32_t id = pci_read(p, &d, VENDOR, 4);
    uint32_t header;

    if (p->count == PCI_DEVICES_MAX || (uint16_t)id == 0xffff || id == 0 || qemu_trouble(p->qemu)) {
        return false;
    }
    header = pci_read(p, &d, HEADER_TYPE, 1);
    d.vendor = (uint16_t)id;
    d.device = (uint16_t)(id >> 16);
    d.is_bridge = (header & 0x7f) == 1;
    measure(p, &d);
    p->devices[p->count++] = d;
    if (d.is_bridge) {
        scan_bridge(p, p->count - 1);
    }
    return header & 0x80;
}

static void scan_bus(struct pci *p, uint8_t bus)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        bool several = scan_function(p, bus, (uint8_t)(slot << 3));

        for (unsigned function = 1; function < 8 && several; function++) {
            scan_function(p, bus, (uint8_t)(slot << 3 | function));
        }
    }
}

void pci_scan(struct pci *p)
{
    p->count = 0;
    p->buses = 0;
    scan_bus(p, 0);
}
