/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pointers into address spaces (R-MAP).
 *
 * Each outstanding mapping is remembered under its pointer: so unmap knows whose
 * memory it was even if regions share host memory, and finds out about
 * pointers that are not, or not any more, mapped (R-MAP-12).
 */
#include <glib.h>

#include "access/access.h"
#include "access/bounce.h"
#include "qemu/thread.h"

typedef struct Mapping Mapping;
struct Mapping {
    Mapping *older;             /* of the same pointer */
    AddressSpace *as;
    MemoryRegion *mr;           /* referenced */
    hwaddr offset;              /* in mr; bounce buffer: the address in as */
    hwaddr length;
    bool bounced;
    MemTxAttrs attrs;           /* of transfers to and from the bounce buffer (R-MAP-6) */
};

static QemuMutex mutex = QEMU_MUTEX_INITIALIZER;
static GHashTable *mappings;    /* pointer -> newest mapping; NULL or empty: none.  Only ever looked up. */

static void remember(void *host, const Mapping *mapping)
{
    Mapping *copy = g_new(Mapping, 1);

    *copy = *mapping;
    qemu_mutex_lock(&mutex);
    if (!mappings) {
        mappings = g_hash_table_new(NULL, NULL);
    }
    copy->older = g_hash_table_lookup(mappings, host);
    g_hash_table_insert(mappings, host, copy);
    qemu_mutex_unlock(&mutex);
}

/* How well a mapping fits what unmap was told; 0: it was not mapped that far. */
static unsigned fitness(const Mapping *mapping, const AddressSpace *as, hwaddr length, hwaddr access_length)
{
    if (mapping->length < access_length) {
        return 0;
    }
    return 1 + (mapping->as == as) + 2 * (mapping->length == length);
}

static void take_out(void *host, Mapping *newest, Mapping *mapping)
{
    Mapping **link = &newest;

    while (*link != mapping) {
        link = &(*link)->older;
    }
    *link = mapping->older;
    if (newest) {
        g_hash_table_insert(mappings, host, newest);
        return;
    }
    g_hash_table_remove(mappings, host);
    if (g_hash_table_size(mappings) == 0) {
        g_hash_table_destroy(mappings);
        mappings = NULL;
    }
}

/* Takes it off the books: to be freed with g_free().  The newest of those that fit best. */
static Mapping *recall(const char *function, void *host, const AddressSpace *as, hwaddr length,
                       hwaddr access_length)
{
    Mapping *newest, *best = NULL;

    qemu_mutex_lock(&mutex);
    newest = mappings && host ? g_hash_table_lookup(mappings, host) : NULL;
    if (!newest) {
        memcore_misuse_at(function, "R-MAP-8", "%p is not what address_space_map returned, or is unmapped "
                          "already", host);
    }
    for (Mapping *mapping = newest; mapping; mapping = mapping->older) {
        if (fitness(mapping, as, length, access_length) >
            (best ? fitness(best, as, length, access_length) : 0)) {
            best = mapping;
        }
    }
    if (!best) {
        memcore_misuse_at(function, newest->bounced ? "R-MAP-9" : "R-MAP-8", "access_len 0x%" PRIx64
                          " is more than the 0x%" PRIx64 " bytes that were mapped at %p", access_length,
                          newest->length, host);
    }
    take_out(host, newest, best);
    qemu_mutex_unlock(&mutex);
    return best;
}

static void *map_bounced(FlatView *view, Mapping *mapping, bool is_write)
{
    void *host = bounce_take(mapping->length);

    if (!host) {
        return NULL;
    }
    memory_region_ref(mapping->mr);
    if (!is_write) {
        view_read(view, mapping->offset, mapping->attrs, host, mapping->length);    /* R-MAP-5 */
    }
    return host;
}

void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen, bool is_write, MemTxAttrs attrs)
{
    Mapping mapping = { .as = as, .attrs = attrs };
    FlatView *view;
    Place place;
    void *host;

    memcore_require(plen, "R-MAP-1", "address 0x%" PRIx64 ": no place for the length (plen is NULL)", addr);
    if (*plen == 0) {
        return NULL;
    }
    mapping.attrs.memory = 0;   /* mapping is not restricted to memory, so its transfers are not (R-ACC-13) */
    RCU_READ_LOCK_GUARD();
    view = view_of(as, __func__, "R-MAP-1");
    place = place_translate(view, addr, *plen, is_write, attrs);
    mapping.mr = place.mr;
    mapping.bounced = !memory_access_is_direct(place.mr, is_write);
    if (mapping.bounced) {
        mapping.offset = addr;
        mapping.length = cut_length(place.length, TARGET_PAGE_SIZE - 1);
        host = map_bounced(view, &mapping, is_write);
        if (!host) {
            *plen = 0;
            return NULL;
        }
    } else {
        mapping.offset = place.offset;
        mapping.length = place_extend(view, addr, &place, *plen, is_write, attrs);
        memory_region_ref(place.mr);
        fuzz_dma_read_cb(addr, mapping.length, place.mr);
        host = place_host(&place);
    }
    remember(host, &mapping);
    *plen = mapping.length;
    return host;
}

/* To what is there now (R-MAP-9). */
static void write_back(const char *function, AddressSpace *as, const Mapping *mapping, const void *buffer,
                       hwaddr length)
{
    RCU_READ_LOCK_GUARD();
    view_write(view_of(as, function, "R-MAP-9"), mapping->offset, mapping->attrs, buffer, length);
}

void address_space_unmap(AddressSpace *as, void *buffer, hwaddr len, bool is_write, hwaddr access_len)
{
    Mapping *mapping = recall(__func__, buffer, as, len, access_len);
    MemoryRegion *mr = mapping->mr;

    if (mapping->bounced) {
        if (is_write && access_len > 0) {
            write_back(__func__, as, mapping, buffer, access_len);
        }
        release_region(mr);
        bounce_release(buffer);
    } else {
        if (is_write) {
            mark_written(mr, mapping->offset, access_len);
        }
        release_region(mr);
    }
    g_free(mapping);
}
