/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration space of a running QEMU, found and written as firmware does.
 */
#ifndef CONFORMANCE_QEMU_PCI_H
#define CONFORMANCE_QEMU_PCI_H

#include "qemu/lib/qemu.h"

enum { PCI_DEVICES_MAX = 64, PCI_BARS_MAX = 7 /* the last one is the ROM's */ };

struct pci_bar {
    unsigned offset;            /* of its register */
    uint64_t size;              /* 0: none */
    bool is_io, is_64, is_rom;
};

struct pci_device {
    uint8_t bus, devfn;
    uint16_t vendor, device;
    bool is_bridge;
    uint8_t secondary;          /* bus behind a bridge */
    struct pci_bar bars[PCI_BARS_MAX];
};

struct pci {
    struct qemu *qemu;
    uint64_t ecam;              /* 0: ports 0xcf8 and 0xcfc */
    struct pci_device devices[PCI_DEVICES_MAX];
    size_t count;
    unsigned buses;
};

uint32_t pci_read(struct pci *p, const struct pci_device *d, unsigned offset, int width);
void pci_write(struct pci *p, const struct pci_device *d, unsigned offset, int width, uint32_t value);

/* Numbers all buses and lists all devices with the sizes of their BARs, which are left unprogrammed. */
void pci_scan(struct pci *p);

#endif
