/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ioeventfds of a region (R-EFD-1..3).  Which addresses they end up at is the business of topology/. */
#include <glib.h>

#include "base/state.h"
#include "region/internal.h"

size_t region_ioeventfd_total;

static int compare_numbers(uint64_t left, uint64_t right)
{
    return (left > right) - (left < right);
}

int region_ioeventfd_compare(const MemoryRegionIoeventfd *left, const MemoryRegionIoeventfd *right)
{
    int order = compare_numbers(left->addr, right->addr);

    if (order == 0) {
        order = compare_numbers(left->size, right->size);
    }
    if (order == 0) {
        order = compare_numbers(left->match_data, right->match_data);
    }
    if (order == 0 && left->match_data) {
        order = compare_numbers(left->data, right->data);
    }
    return order ? order : compare_numbers((uintptr_t)left->e, (uintptr_t)right->e);
}

/*
 * The entry these arguments mean, its data in the device's byte order: that of
 * the target, which is little-endian, unless the ops are big-endian (R-EFD-2).
 */
static MemoryRegionIoeventfd entry_for(const char *function, const MemoryRegion *mr, hwaddr addr,
                                       unsigned size, bool match_data, uint64_t data, EventNotifier *e)
{
    if (size > 8 || (size & (size - 1))) {
        memcore_misuse_at(function, "R-EFD-1",
                          "region '%s', address 0x%" PRIx64 ": size %u is not 0, 1, 2, 4 or 8",
                          region_label(mr), addr, size);
    }
    if (size > 0 && mr->ops->endianness == DEVICE_BIG_ENDIAN) {
        data = bswap64(data) >> (64 - 8 * size);
    }
    return (MemoryRegionIoeventfd) {
        .addr = addr,
        .size = size,
        .match_data = match_data,
        .data = data,
        .e = e,
    };
}

static void changed(const MemoryRegion *mr)
{
    memory_region_transaction_begin();
    if (mr->enabled) {
        transaction_ioeventfds_changed();
    }
    memory_region_transaction_commit();
}

void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size, bool match_data, uint64_t data,
                               EventNotifier *e)
{
    const MemoryRegionIoeventfd entry = entry_for(__func__, mr, addr, size, match_data, data, e);
    unsigned place = mr->ioeventfd_nb;

    transaction_require_change_allowed(mr);
    region_verify(mr);
    mr->ioeventfds = g_renew(MemoryRegionIoeventfd, mr->ioeventfds, mr->ioeventfd_nb + 1);
    while (place > 0 && region_ioeventfd_compare(&entry, &mr->ioeventfds[place - 1]) < 0) {
        mr->ioeventfds[place] = mr->ioeventfds[place - 1];
        place--;
    }
    mr->ioeventfds[place] = entry;      /* behind its equals */
    mr->ioeventfd_nb++;
    region_ioeventfd_total++;
    region_verify(mr);
    changed(mr);
}

/* R-EFD-3, improved: what was added with the same arguments, before anything size 0 stands for. */
static unsigned find_entry(const MemoryRegion *mr, const MemoryRegionIoeventfd *wanted)
{
    for (unsigned i = 0; i < mr->ioeventfd_nb; i++) {
        if (region_ioeventfd_compare(&mr->ioeventfds[i], wanted) == 0) {
            return i;
        }
    }
    for (unsigned i = 0; i < mr->ioeventfd_nb; i++) {
        if (mr->ioeventfds[i].addr == wanted->addr && (mr->ioeventfds[i].size == 0 || wanted->size == 0)) {
            return i;
        }
    }
    return mr->ioeventfd_nb;
}

void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size, bool match_data, uint64_t data,
                               EventNotifier *e)
{
    const MemoryRegionIoeventfd wanted = entry_for(__func__, mr, addr, size, match_data, data, e);
    const unsigned place = find_entry(mr, &wanted);

    transaction_require_change_allowed(mr);
    memcore_require(place < mr->ioeventfd_nb, "R-EFD-3",
                    "region '%s' has no such ioeventfd: address 0x%" PRIx64
                    ", size %u, match_data %d, data 0x%" PRIx64,
                    region_label(mr), addr, size, match_data, data);
    region_verify(mr);
    mr->ioeventfd_nb--;
    region_ioeventfd_total--;
    memmove(&mr->ioeventfds[place], &mr->ioeventfds[place + 1],
            (mr->ioeventfd_nb - place) * sizeof(mr->ioeventfds[0]));
    if (mr->ioeventfd_nb == 0) {
        g_free(mr->ioeventfds);
        mr->ioeventfds = NULL;
    }
    region_verify(mr);
    changed(mr);
}
