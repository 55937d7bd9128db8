/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory with known contents, and comparisons. */
#include "access.h"

#include <string.h>

enum { UNTOUCHED = 0xcc };

void fill_counting(void *place, size_t size, unsigned first)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)place)[i] = (uint8_t)(first + i);
    }
}

MemoryRegion *ram_counting(const char *name, uint64_t size, unsigned first)
{
    MemoryRegion *mr = stage_ram(name, size);

    fill_counting(ram_bytes(mr), size, first);
    return mr;
}

uint8_t *ram_bytes(MemoryRegion *mr)
{
    return memory_region_get_ram_ptr(mr);
}

Bus bus_new(const char *name)
{
    char *root_name = g_strdup_printf("%s-root", name);
    MemoryRegion *root = stage_container(root_name, UINT64_MAX);

    g_free(root_name);
    return (Bus) { root, stage_space(root, name) };
}

void *bus_map(Bus bus, hwaddr addr, hwaddr wanted, bool is_write, hwaddr *got)
{
    *got = wanted;
    return address_space_map(bus.as, addr, got, is_write, PLAIN);
}

char *text_of_bytes(const void *bytes, size_t size)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < size; i++) {
        g_string_append_printf(text, "%s%02x", i ? " " : "", ((const uint8_t *)bytes)[i]);
    }
    return g_string_free(text, FALSE);
}

void check_read_at(const char *where, AddressSpace *as, hwaddr addr, MemTxAttrs attrs, size_t size,
                   MemTxResult result, const char *expected)
{
    uint8_t *buffer = g_malloc(size);

    memset(buffer, UNTOUCHED, size);
    check_number_at(where, "the result of reading", address_space_rw(as, addr, attrs, buffer, size, false),
                    result);
    check_text_taken_at(where, "the bytes read", text_of_bytes(buffer, size), expected);
    g_free(buffer);
}

void check_write_at(const char *where, AddressSpace *as, hwaddr addr, MemTxAttrs attrs, size_t size,
                    unsigned first, MemTxResult result)
{
    uint8_t *buffer = g_malloc(size);

    fill_counting(buffer, size, first);
    check_number_at(where, "the result of writing", address_space_write(as, addr, attrs, buffer, size),
                    result);
    g_free(buffer);
}

/* R-LKP-2: what serves holes spans everything and refuses, so no region of a case looks like it. */
bool is_unassigned(MemoryRegion *mr)
{
    uint64_t value = 1;

    return memory_region_size(mr) == UINT64_MAX && !memory_region_is_ram(mr) &&
           memory_region_dispatch_read(mr, 0, &value, MO_8, PLAIN) == DECODE && value == 0;
}

char *text_of_translation(AddressSpace *as, hwaddr addr, hwaddr size, bool is_write, MemTxAttrs attrs)
{
    hwaddr xlat = 0x5555;
    MemoryRegion *mr = address_space_translate(as, addr, &xlat, &size, is_write, attrs);

    return g_strdup_printf("%s@0x%" PRIx64 "+0x%" PRIx64, is_unassigned(mr) ? "U" : memory_region_name(mr),
                           (uint64_t)xlat, (uint64_t)size);
}

char *text_of_entry(const IOMMUTLBEntry *entry, AddressSpace *as, const char *as_name)
{
    static const char *const perms[] = { "-", "r", "w", "rw" };

    return g_strdup_printf("%s 0x%" PRIx64 " -> 0x%" PRIx64 " mask 0x%" PRIx64 " %s",
                           !entry->target_as ? "NULL" : entry->target_as == as ? as_name : "another",
                           (uint64_t)entry->iova, (uint64_t)entry->translated_addr,
                               (uint64_t)entry->addr_mask,
                           perms[entry->perm & 3]);
}

uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return random_next(state) % bound;
}
