/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware and guests do to a memory map, in random order: chipset
 * registers, BARs, bridge windows, VGA banks, devices that come and go.
 */
#include "qemu/lib/machines.h"

#include <string.h>

enum {
    COMMAND = 0x04, IO_BASE = 0x1c, MEMORY_BASE = 0x20, PREFETCH_BASE = 0x24, PREFETCH_HIGH = 0x28,
    BRIDGE_CONTROL = 0x3e,
};

/* splitmix64: a few lines, the same everywhere. */
static uint64_t random_number(struct changer *c)
{
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t changer_random(struct changer *c, uint32_t limit)
{
    return (uint32_t)((random_number(c) >> 32) * limit >> 32);
}

/* One call an expression: the order of evaluation must not decide which number goes where. */
#define PICK(c, array) ((array)[changer_random(c, G_N_ELEMENTS(array))])

static void write_config(struct changer *c, const struct pci_device *d, unsigned offset, int width,
                         uint32_t value)
{
    g_string_append_printf(c->log, "%02x:%02x.%x config 0x%02x = 0x%0*x\n", d->bus, d->devfn >> 3,
                           d->devfn & 7, offset, width * 2, value);
    pci_write(&c->pci, d, offset, width, value);
}

static void write_port(struct changer *c, uint16_t port, uint8_t value)
{
    g_string_append_printf(c->log, "port 0x%x = 0x%02x\n", port, value);
    qemu_out(c->qemu, 1, port, value);
}

/* --- chipsets ---------------------------------------------------------------------- */

static const struct pci_device host_bridge = { .bus = 0, .devfn = 0 };

/* PAM: for each 16 KiB from 0xc0000, reads and writes go to RAM or to PCI. */
static void change_pam(struct changer *c)
{
    unsigned first = c->machine->chipset == CHIPSET_Q35 ? 0x90 : 0x59;
    unsigned pam = changer_random(c, 7);

    write_config(c, &host_bridge, first + pam, 1, changer_random(c, 256) & 0x33);
}

/* SMRAM: RAM under the VGA window for system management mode, or for all.  Bit 4 would lock it for good. */
static void change_smram(struct changer *c)
{
    bool q35 = c->machine->chipset == CHIPSET_Q35;

    if (q35 && changer_random(c, 2)) {
        write_config(c, &host_bridge, 0x9e, 1, changer_random(c, 256) & 0x87);
    } else {
        write_config(c, &host_bridge, q35 ? 0x9d : 0x72, 1, 0x02 | (changer_random(c, 256) & 0x68));
    }
}

/* q35's window for configuration space. */
static void change_pciexbar(struct changer *c)
{
    static const uint32_t bases[] = { 0xb0000000, 0xe0000000, 0x80000000, 0xc0000000, 0xf0000000 };

    uint32_t base = PICK(c, bases);

    write_config(c, &host_bridge, 0x60, 4, base | changer_random(c, 8));
}

static uint32_t port_base(struct changer *c)
{
    static const uint32_t bases[] = { 0x600, 0xb000, 0xc000, 0xafc0, 0x0, 0x60, 0xcc0, 0xff80, 0x400, 0x500 };

    return PICK(c, bases);
}

/* ACPI and SMBus registers of the south bridges, in port space. */
static void change_power_management(struct changer *c)
{
    static const struct pci_device piix4_pm = { .devfn = 1 << 3 | 3 }, lpc = { .devfn = 31 << 3 },
                                   smbus = { .devfn = 31 << 3 | 3 };

    if (c->machine->chipset == CHIPSET_I440FX) {
        if (changer_random(c, 2)) {
            write_config(c, &piix4_pm, 0x40, 4, port_base(c) | 1);
        } else {
            write_config(c, &piix4_pm, 0x80, 1, changer_random(c, 2));
        }
        return;
    }
    switch (changer_random(c, 5)) {
    case 0:
        write_config(c, &lpc, 0x40, 4, port_base(c) | 1);
        break;
    case 1:
        write_config(c, &lpc, 0x44, 1, changer_random(c, 2) ? 0x80 : 0);
        break;
    case 2:
        write_config(c, &lpc, 0xf0, 4, 0xfed1c000 | changer_random(c, 2));
        break;
    case 3:
        write_config(c, &smbus, 0x20, 4, port_base(c) | 1);
        break;
    default:
        write_config(c, &smbus, 0x40, 1, changer_random(c, 2));
        break;
    }
}

/* --- PCI ----------------------------------------------------------------------------- */

static struct pci_device *any_device(struct changer *c)
{
    return c->pci.count ? &c->pci.devices[changer_random(c, (uint32_t)c->pci.count)] : NULL;
}

/*
 * A place for a BAR: ordinary ones, ones under the chipset's own regions, and
 * next to or on top of another BAR, which is where overlaps come from.
 */
static uint64_t any_address(struct changer *c, const struct pci_bar *bar)
{
    static const uint64_t places[] = {
        0xe0000000, 0xe0100000, 0xe0800000, 0xfd000000, 0xfe000000, 0xfeb00000, 0xfec00000,
        0xfed00000, 0xfee00000, 0xfff00000, 0xa0000,    0xc0000,    0xe0000,    0x100000,
        0x7ff00000, 0xbff00000, 0xc0000000, 0xfffff000, 0,
    };
    static const uint64_t high_places[] = {
        0x100000000, 0x13ff00000, 0x180000000, 0x4000000000, 0x7fffff0000000000, 0xfffffffff0000000,
    };
    const struct pci_device *other = any_device(c);
    const struct pci_bar *neighbour = &other->bars[changer_random(c, PCI_BARS_MAX)];
    uint64_t address = PICK(c, places);

    if (bar->is_io) {
        return port_base(c);
    }
    if (bar->is_64 && changer_random(c, 4) == 0) {
        return PICK(c, high_places);
    }
    if (neighbour->size && !neighbour->is_io && changer_random(c, 2)) {
        address = pci_read(&c->pci, other, neighbour->offset, 4) & 0xfffffff0;
        switch (changer_random(c, 3)) {
        case 0:
            address += neighbour->size;
            break;
        case 1:
            address -= bar->size;
            break;
        default:
            address += neighbour->size / 2;
            break;
        }
    }
    return address;
}

static void program_bar(struct changer *c, const struct pci_device *d)
{
    const struct pci_bar *bar = &d->bars[changer_random(c, PCI_BARS_MAX)];
    uint64_t address;

    for (int i = 0; i < PCI_BARS_MAX && !bar->size; i++) {
        bar = &d->bars[i];
    }
    if (!bar->size) {
        return;
    }
    address = any_address(c, bar) & ~(bar->size - 1);
    write_config(c, d, bar->offset, 4, (uint32_t)address | (bar->is_rom ? changer_random(c, 4) != 0 : 0));
    if (bar->is_64) {
        write_config(c, d, bar->offset + 4, 4, (uint32_t)(address >> 32));
    }
}

/* What a bridge passes on: a base and a limit in one register; base above limit closes the window. */
static void change_window(struct changer *c, const struct pci_device *d)
{
    static const uint16_t bases[] = { 0xe000, 0xe010, 0xe080, 0xfd00, 0xfe00,
                                      0xfeb0, 0x000,  0x00a0, 0x8000, 0xfff0 };
    static const uint8_t ports[] = { 0xc0, 0xb0, 0x00, 0xf0, 0x10 };
    uint32_t base = PICK(c, bases);
    uint32_t limit = base + (changer_random(c, 4) ? changer_random(c, 0x200) : 0) - 0x10;

    switch (changer_random(c, 5)) {
    case 0: {
        uint32_t port = PICK(c, ports);

        write_config(c, d, IO_BASE, 2, port | (port + (changer_random(c, 3) << 4)) << 8);
        break;
    }
    case 1:
        write_config(c, d, MEMORY_BASE, 4, base | (limit & 0xfff0) << 16);
        break;
    case 2:
        write_config(c, d, PREFETCH_BASE, 4, base | (limit & 0xfff0) << 16);
        break;
    case 3:
        write_config(c, d, PREFETCH_HIGH, 4, changer_random(c, 2));
        write_config(c, d, PREFETCH_HIGH + 4, 4, changer_random(c, 2));
        break;
    default:
        /* Bit 3: VGA's ports and memory are passed on; bit 2: ports, only a quarter of each KiB. */
        write_config(c, d, BRIDGE_CONTROL, 2, changer_random(c, 4) << 2);
        break;
    }
}

static void change_pci(struct changer *c)
{
    const struct pci_device *d = any_device(c);

    if (!d) {
        return;
    }
    switch (changer_random(c, 8)) {
    case 0:
    case 1:
        /* Ports, memory and bus mastering on or off. */
        write_config(c, d, COMMAND, 2, changer_random(c, 4) ? 7 : changer_random(c, 8));
        break;
    case 2:
    case 3:
    case 4:
        if (d->is_bridge) {
            change_window(c, d);
            break;
        }
        program_bar(c, d);
        break;
    default:
        program_bar(c, d);
        break;
    }
}

/* Otherwise most changes would stay invisible. */
void changer_place_all(struct changer *c)
{
    uint64_t memory = 0xe0000000;
    uint32_t port = 0xc000;

    for (size_t i = 0; i < c->pci.count; i++) {
        const struct pci_device *d = &c->pci.devices[i];

        for (int b = 0; b < PCI_BARS_MAX; b++) {
            const struct pci_bar *bar = &d->bars[b];
            uint64_t address;

            if (!bar->size || bar->is_rom || (!bar->is_io && bar->size > 0x8000000)) {
                continue;
            }
            address = ((bar->is_io ? port : memory) + bar->size - 1) & ~(bar->size - 1);
            pci_write(&c->pci, d, bar->offset, 4, (uint32_t)address);
            if (bar->is_io) {
                port = (uint32_t)(address + bar->size);
            } else {
                memory = address + bar->size;
            }
        }
        if (d->is_bridge) {
            pci_write(&c->pci, d, MEMORY_BASE, 4, 0xfdf0e000);
            pci_write(&c->pci, d, IO_BASE, 2, 0xc0 | 0xf0 << 8);
        }
        pci_write(&c->pci, d, COMMAND, 2, 7);
    }
    g_string_append(c->log, "all PCI devices placed and on\n");
}

/* --- VGA ------------------------------------------------------------------------------- */

/* Memory map selection, chain 4 and Cirrus banks: QEMU makes and drops aliases of the video RAM. */
static void change_vga(struct changer *c)
{
    static const uint8_t sequencer[] = { 0x02, 0x04, 0x07, 0x17 };
    static const uint8_t graphics[] = { 0x05, 0x06, 0x09, 0x0a, 0x0b };

    switch (changer_random(c, 4)) {
    case 0:
        write_port(c, 0x3c4, PICK(c, sequencer));
        write_port(c, 0x3c5, (uint8_t)changer_random(c, 256));
        break;
    case 1:
        write_port(c, 0x3ce, PICK(c, graphics));
        write_port(c, 0x3cf, (uint8_t)changer_random(c, 256));
        break;
    case 2:
        write_port(c, 0x3ce, 0x06);
        write_port(c, 0x3cf, (uint8_t)(changer_random(c, 4) << 2));
        break;
    default:
        write_port(c, 0x3c4, 0x02);
        write_port(c, 0x3c5, 0x0f);
        write_port(c, 0x3c4, 0x04);
        write_port(c, 0x3c5, changer_random(c, 4) ? 0x0e : 0x06);
        break;
    }
}

/* --- devices that come and go -------------------------------------------------------------- */

static bool command(struct changer *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool command(struct changer *c, const char *format, ...)
{
    va_list arguments;
    char *json;
    bool done;

    va_start(arguments, format);
    json = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    done = qemu_command(c->qemu, json);
    g_string_append_printf(c->log, "%s%s\n", json, done ? "" : "   (refused)");
    g_free(json);
    return done;
}

/* Memory modules; the second kind is non-volatile. */
static void plug_memory(struct changer *c)
{
    unsigned id = c->plugged++;

    if (command(c, "{'execute':'object-add','arguments':"
                "{'qom-type':'memory-backend-ram','id':'m%u','size':%u,'reserve':false}}",
                id, 64u << 20 << changer_random(c, 3))) {
        command(c, "{'execute':'device_add','arguments':{'driver':'%s','id':'dimm%u','memdev':'m%u'}}",
                changer_random(c, 2) ? "pc-dimm" : "nvdimm", id, id);
    }
}

/* A slot of the first bus: plugged, or asked to leave and then ejected as ACPI firmware does. */
static void plug_pci(struct changer *c)
{
    /* None with RAM of its own: QEMU 7.2 may abort when such a one comes back to its slot. */
    static const char *const drivers[] = {
        "edu", "pci-testdev", "virtio-rng-pci", "sdhci-pci", "rtl8139", "i6300esb",
    };
    uint32_t slot = 20 + changer_random(c, 8);

    if (!(c->slots_plugged & 1u << slot)) {
        if (command(c, "{'execute':'device_add','arguments':{'driver':'%s','id':'slot%u-%u','addr':'0x%x'}}",
                    PICK(c, drivers), slot, c->plugged++, slot)) {
            c->slots_plugged |= 1u << slot;
        }
    } else {
        g_string_append_printf(c->log, "eject slot %u\n", slot);
        qemu_out(c->qemu, 4, 0xae10, 0);
        qemu_out(c->qemu, 4, 0xae08, 1u << slot);
        c->slots_plugged &= ~(1u << slot);
    }
    pci_scan(&c->pci);
}

/* --- all together ----------------------------------------------------------------------------- */

void changer_start(struct changer *c, const struct machine *m, struct qemu *qemu, uint64_t seed)
{
    *c = (struct changer){
        .machine = m, .qemu = qemu, .random = seed, .log = g_string_new(NULL),
        .pci = { .qemu = qemu, .ecam = m->chipset == CHIPSET_ECAM ? 0xe0000000 : 0 },
    };
    if (m->chipset >= CHIPSET_I440FX) {
        pci_scan(&c->pci);
    }
}

void changer_end(struct changer *c)
{
    g_string_free(c->log, TRUE);
}

bool changer_step(struct changer *c)
{
    uint32_t dice = changer_random(c, 100);

    switch (c->machine->chipset) {
    case CHIPSET_NONE:
        return false;
    case CHIPSET_ISA:
        change_vga(c);
        return true;
    case CHIPSET_ECAM:
        if (dice < 5) {
            changer_place_all(c);
        } else {
            change_pci(c);
        }
        return true;
    case CHIPSET_I440FX:
    case CHIPSET_Q35:
        break;
    }
    if (dice < 15) {
        change_pam(c);
    } else if (dice < 22) {
        change_smram(c);
    } else if (dice < 27) {
        change_power_management(c);
    } else if (dice < 35) {
        change_vga(c);
    } else if (dice < 38) {
        changer_place_all(c);
    } else if (dice < 42 && c->machine->chipset == CHIPSET_Q35) {
        change_pciexbar(c);
    } else if (dice < 42 && strstr(c->machine->arguments, "slots=")) {
        plug_memory(c);
    } else if (dice < 46 && c->machine->chipset == CHIPSET_I440FX && !c->stay_plugged) {
        plug_pci(c);
    } else {
        change_pci(c);
    }
    return true;
}
