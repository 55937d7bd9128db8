/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines that are started, and what firmware and guests can change in them.
 */
#ifndef CONFORMANCE_QEMU_MACHINES_H
#define CONFORMANCE_QEMU_MACHINES_H

#include "qemu/lib/pci.h"
#include "qemu/lib/qemu.h"

enum machine_chipset {
    CHIPSET_NONE,       /* nothing that changes */
    CHIPSET_ISA,        /* a VGA card at most */
    CHIPSET_I440FX,
    CHIPSET_Q35,
    CHIPSET_ECAM,       /* microvm with PCI: configuration space in memory only */
};

struct machine {
    const char *name;
    const char *arguments;
    enum machine_chipset chipset;
    unsigned states;            /* in an ordinary run */
};

extern const struct machine machines[];
extern const size_t machine_count;

/* A running machine and where its random sequence of changes stands. */
struct changer {
    const struct machine *machine;
    struct qemu *qemu;
    struct pci pci;
    uint64_t random;            /* state of the generator: equal seeds, equal changes */
    GString *log;               /* what was changed, one line a change */
    unsigned plugged;           /* devices plugged in so far: their ids are unique */
    uint32_t slots_plugged;     /* PCI slots that hold such a device */
    bool stay_plugged;          /* set by the caller: no PCI device comes or goes */
};

void changer_start(struct changer *c, const struct machine *m, struct qemu *qemu, uint64_t seed);
void changer_end(struct changer *c);

/* One random change; what it was is appended to the log.  Machines without anything to change: false. */
bool changer_step(struct changer *c);

/* All PCI devices that were found are on and in their own places, as firmware leaves them. */
void changer_place_all(struct changer *c);

/* A number below `limit`. */
uint32_t changer_random(struct changer *c, uint32_t limit);

#endif
