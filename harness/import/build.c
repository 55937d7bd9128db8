/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exec/memory.h"
#include "import/mtree.h"
#include "qapi/error.h"
#include "run/subject.h"

/* Memory of a region is never touched, but the core may keep books about it: regions above get less. */
#define RESERVED_MAX (UINT64_C(1) << 34)
#define ROM_DEVICE_MAX (UINT64_C(64) << 10)

struct import_machine {
    const struct import *im;
    const struct import_device *devices;
    MemoryRegion *regions;
    AddressSpace *spaces;
    void **reserved;            /* per region: caller memory of RAM */
    size_t *reserved_size;
    size_t made;                /* regions that are initialised */
    size_t spaces_made;
    bool tree_made;
};

/* Callbacks of all devices that the caller has no others for. */
static uint64_t device_read(void *opaque, hwaddr address, unsigned size)
{
    (void)opaque;
    (void)address;
    (void)size;
    return 0;
}

static void device_write(void *opaque, hwaddr address, uint64_t data, unsigned size)
{
    (void)opaque;
    (void)address;
    (void)data;
    (void)size;
}

static const MemoryRegionOps device_ops = {
    .read = device_read,
    .write = device_write,
    .endianness = DEVICE_NATIVE_ENDIAN,
};

static char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *format_text(const char *format, ...)
{
    char text[300];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return strdup(text);
}

static uint64_t least(uint64_t x, uint64_t y)
{
    return x < y ? x : y;
}

static bool init_ram(struct import_machine *m, size_t i, char **why)
{
    const struct import_region *r = &m->im->regions[i];
    uint64_t size = least(r->size, RESERVED_MAX);
    void *memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        *why = format_text("line %u: no address space left for the %llu bytes of '%s'", r->line,
                           (unsigned long long)size, import_shown_name(r->name));
        return false;
    }
    m->reserved[i] = memory;
    m->reserved_size[i] = size;
    if (r->kind == IMPORT_RAM_DEVICE) {
        memory_region_init_ram_device_ptr(&m->regions[i], NULL, r->name, size, memory);
    } else {
        memory_region_init_ram_ptr(&m->regions[i], NULL, r->name, size, memory);
    }
    return true;
}

static bool init_rom_device(struct import_machine *m, size_t i, char **why)
{
    const struct import_region *r = &m->im->regions[i];
    Error *error = NULL;

    memory_region_init_rom_device_nomigrate(&m->regions[i], NULL, &device_ops, m, r->name,
                                            least(r->size, ROM_DEVICE_MAX), &error);
    if (error) {
        *why = format_text("line %u: %s", r->line, error_get_pretty(error));
        error_free(error);
        return false;
    }
    return true;
}

static void init_device(struct import_machine *m, size_t i)
{
    const struct import_region *r = &m->im->regions[i];
    const struct import_device *device = m->devices;

    while (device->name && (!r->name || strcmp(device->name, r->name) != 0)) {
        device++;
    }
    memory_region_init_io(&m->regions[i], NULL, device->name ? device->ops : &device_ops,
                          device->name ? device->opaque : m, r->name, r->size);
}

static bool init_region(struct import_machine *m, size_t i, char **why)
{
    const struct import_region *r = &m->im->regions[i];
    MemoryRegion *mr = &m->regions[i];

    if (r->target != IMPORT_NONE) {
        memory_region_init_alias(mr, NULL, r->name, &m->regions[r->target], r->alias_offset, r->size);
    } else if (r->kind == IMPORT_IO && r->terminating) {
        init_device(m, i);
    } else if (r->kind == IMPORT_IO) {
        memory_region_init(mr, NULL, r->name, r->size);
    } else if (!(r->kind == IMPORT_ROM_DEVICE ? init_rom_device(m, i, why) : init_ram(m, i, why))) {
        return false;
    }
    if (memory_region_size(mr) != r->size) {
        memory_region_set_size(mr, r->size);    /* the memory stays small (R-TREE-9) */
    }
    memory_region_set_readonly(mr, r->readonly);
    memory_region_set_nonvolatile(mr, r->nonvolatile);
    memory_region_set_enabled(mr, r->enabled);
    memory_region_set_address(mr, r->address);
    m->made = i + 1;
    return true;
}

/* From the back to the front: the last one added is the first among equals (R-TREE-2). */
static void add_children(struct import_machine *m)
{
    m->tree_made = true;
    for (size_t i = 0; i < m->im->region_count; i++) {
        const struct import_region *r = &m->im->regions[i];

        for (size_t k = r->child_count; k-- > 0;) {
            const struct import_region *child = &m->im->regions[r->children[k]];

            if (child->priority) {
                memory_region_add_subregion_overlap(&m->regions[i], child->address,
                                                    &m->regions[r->children[k]], child->priority);
            } else {
                memory_region_add_subregion(&m->regions[i], child->address, &m->regions[r->children[k]]);
            }
        }
    }
}

static void init_spaces(struct import_machine *m)
{
    for (; m->spaces_made < m->im->space_count; m->spaces_made++) {
        const struct import_space *s = &m->im->spaces[m->spaces_made];

        address_space_init(&m->spaces[m->spaces_made], &m->regions[s->root], s->name);
    }
}

struct import_machine *import_build(const struct import *im, enum import_build_order order, char **why)
{
    static const struct import_device none = { .name = NULL };

    return import_build_with(im, order, &none, why);
}

struct import_machine *import_build_with(const struct import *im, enum import_build_order order,
                                         const struct import_device *devices, char **why)
{
    struct import_machine *m;

    if (im->cycle != IMPORT_NONE) {
        *why = format_text("line %u: alias '%s' shows a region that it is inside of: misuse (R-TREE-5)",
                           im->regions[im->cycle].line, import_shown_name(im->regions[im->cycle].name));
        return NULL;
    }
    m = import_calloc(1, sizeof(*m));
    m->im = im;
    m->devices = devices;
    m->regions = import_calloc(im->region_count, sizeof(*m->regions));
    m->spaces = import_calloc(im->space_count, sizeof(*m->spaces));
    m->reserved = import_calloc(im->region_count, sizeof(*m->reserved));
    m->reserved_size = import_calloc(im->region_count, sizeof(*m->reserved_size));
    for (size_t i = 0; i < im->region_count; i++) {
        if (!init_region(m, i, why)) {
            import_unbuild(m);
            return NULL;
        }
    }
    switch (order) {
    case IMPORT_SPACES_FIRST:
        memory_region_transaction_begin();
        init_spaces(m);
        add_children(m);
        memory_region_transaction_commit();
        break;
    case IMPORT_STEP_BY_STEP:
        init_spaces(m);
        add_children(m);
        break;
    default:
        add_children(m);
        init_spaces(m);
        break;
    }
    return m;
}

bool import_open_memory(struct import_machine *m, char **why)
{
    for (size_t i = 0; i < m->im->region_count; i++) {
        if (m->reserved[i] && mprotect(m->reserved[i], m->reserved_size[i], PROT_READ | PROT_WRITE)) {
            *why = format_text("no memory for the %llu bytes of '%s'",
                               (unsigned long long)m->reserved_size[i],
                               import_shown_name(m->im->regions[i].name));
            return false;
        }
    }
    return true;
}

AddressSpace *import_built_space(struct import_machine *m, size_t space)
{
    return &m->spaces[space];
}

uint8_t *import_built_memory(struct import_machine *m, size_t region, uint64_t *size)
{
    *size = m->reserved_size[region];
    return m->reserved[region];
}

void import_unbuild(struct import_machine *m)
{
    if (!m) {
        return;
    }
    while (m->spaces_made) {
        address_space_destroy(&m->spaces[--m->spaces_made]);
    }
    subject_drain();
    for (size_t i = 0; i < m->made; i++) {
        int container = m->im->regions[i].container;

        if (m->tree_made && container != IMPORT_NONE) {
            memory_region_del_subregion(&m->regions[container], &m->regions[i]);
        }
    }
    subject_drain();
    /* Aliases come after their targets: they go before them (R-OBJ-10). */
    while (m->made) {
        MemoryRegion *mr = &m->regions[--m->made];

        if (m->im->regions[m->made].name) {
            object_unparent(OBJECT(mr));
        } else {
            object_unref(OBJECT(mr));
        }
    }
    subject_drain();
    for (size_t i = 0; i < m->im->region_count; i++) {
        if (m->reserved[i]) {
            munmap(m->reserved[i], m->reserved_size[i]);
        }
    }
    free(m->reserved_size);
    free(m->reserved);
    free(m->spaces);
    free(m->regions);
    free(m);
}
