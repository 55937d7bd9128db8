/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of regions with memory of the host behind them (R-REG-3). */
#include "hw/qdev-core.h"
#include "ram/ram_block.h"
#include "region/internal.h"

/* R-REG-4: the region is as good as never made. */
static void fail(MemoryRegion *mr, Error **errp, Error *error)
{
    mr->size = 0;
    object_unparent(OBJECT(mr));
    error_propagate(errp, error);
}

/* The anonymous kinds differ in what they do with the block, and with accesses. */
static bool create_anonymous(const char *function, MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                             uint64_t max_size, uint32_t flags, RamBlockResized *resized, Error **errp)
{
    Error *error = NULL;

    region_create(function, mr, sizeof(*mr), TYPE_MEMORY_REGION, owner, name, size);
    mr->ram_block = ram_block_new_anonymous(size, max_size, flags, resized, mr, &error);
    if (!mr->ram_block) {
        fail(mr, errp, error);
        return false;
    }
    mr->terminates = true;
    mr->align = RAM_BLOCK_ALIGNMENT;
    return true;
}

static void init_ram(const char *function, MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                     Error **errp)
{
    mr->ram = create_anonymous(function, mr, owner, name, size, size, 0, NULL, errp);
}

void memory_region_init_ram_nomigrate(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                                      Error **errp)
{
    init_ram(__func__, mr, owner, name, size, errp);
}

void memory_region_init_ram_flags_nomigrate(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                                            uint32_t ram_flags, Error **errp)
{
    const uint32_t allowed = RAM_SHARED | RAM_NORESERVE;

    if (ram_flags & ~allowed) {
        Error *error = NULL;

        region_create(__func__, mr, sizeof(*mr), TYPE_MEMORY_REGION, owner, name, size);
        error_setg(&error, "region '%s': flags 0x%x are not among RAM_SHARED and RAM_NORESERVE", region_label(mr),
                   ram_flags & ~allowed);
        fail(mr, errp, error);
        return;
    }
    mr->ram = create_anonymous(__func__, mr, owner, name, size, size, ram_flags, NULL, errp);
}

void memory_region_init_resizeable_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                                       uint64_t max_size,
                                       void (*resized)(const char *, uint64_t length, void *host), Error **errp)
{
    mr->ram = create_anonymous(__func__, mr, owner, name, size, max_size, RAM_RESIZEABLE, resized, errp);
}

static void init_ram_pointer(const char *function, MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                             void *ptr)
{
    Error *error = NULL;

    if (!ptr) {
        memcore_misuse_at(function, "R-RAM-7", "region '%s': no memory given (NULL)", name ? name : "(unnamed)");
    }
    region_create(function, mr, sizeof(*mr), TYPE_MEMORY_REGION, owner, name, size);
    mr->ram_block = ram_block_new_from_pointer(size, ptr, mr, &error);
    if (!mr->ram_block) {
        memcore_misuse_at(function, "R-REG-5", "region '%s', size 0x%" PRIx64 ": %s", region_label(mr), size,
                          error_get_pretty(error));
    }
    mr->terminates = true;
    mr->ram = true;
}

void memory_region_init_ram_ptr(MemoryRegion *mr, Object *owner, const char *name, uint64_t size, void *ptr)
{
    init_ram_pointer(__func__, mr, owner, name, size, ptr);
}

void memory_region_init_ram_device_ptr(MemoryRegion *mr, Object *owner, const char *name, uint64_t size, void *ptr)
{
    init_ram_pointer(__func__, mr, owner, name, size, ptr);
    mr->ram_device = true;
    mr->ops = &region_ram_device_ops;
    mr->opaque = mr;
}

void memory_region_init_rom_nomigrate(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                                      Error **errp)
{
    init_ram(__func__, mr, owner, name, size, errp);
    mr->readonly = mr->ram;
}

/* `ram` stays false: not every access may go to the memory (R-REG-3). */
static void init_rom_device(const char *function, MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                            void *opaque, const char *name, uint64_t size, Error **errp)
{
    if (!ops) {
        memcore_misuse_at(function, "R-REG-3", "region '%s': writes to a ROM device need ops (NULL)",
                          name ? name : "(unnamed)");
    }
    if (create_anonymous(function, mr, owner, name, size, size, 0, NULL, errp)) {
        mr->rom_device = true;
        mr->ops = ops;
        mr->opaque = opaque;
    }
}

void memory_region_init_rom_device_nomigrate(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops,
                                             void *opaque, const char *name, uint64_t size, Error **errp)
{
    init_rom_device(__func__, mr, owner, ops, opaque, name, size, errp);
}

/* --- with an id string, for migration ---------------------------------------- */

/* Only devices can make id strings unique; checked before anything is allocated. */
static bool owner_can_migrate(const char *function, MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                              Error **errp)
{
    Error *error = NULL;

    if (!owner || object_dynamic_cast(owner, TYPE_DEVICE)) {
        return true;
    }
    region_create(function, mr, sizeof(*mr), TYPE_MEMORY_REGION, owner, name, size);
    error_setg(&error, "region '%s': its owner, of type %s, is not a device, so its RAM cannot be named for "
               "migration; use %s_nomigrate", region_label(mr), object_get_typename(owner), function);
    fail(mr, errp, error);
    return false;
}

static void make_migratable(MemoryRegion *mr)
{
    if (mr->ram_block) {
        ram_block_register(mr->ram_block, mr->name, (DeviceState *)mr->owner);
    }
}

void memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size, Error **errp)
{
    if (owner_can_migrate(__func__, mr, owner, name, size, errp)) {
        init_ram(__func__, mr, owner, name, size, errp);
        make_migratable(mr);
    }
}

void memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name, uint64_t size, Error **errp)
{
    if (owner_can_migrate(__func__, mr, owner, name, size, errp)) {
        init_ram(__func__, mr, owner, name, size, errp);
        mr->readonly = mr->ram;
        make_migratable(mr);
    }
}

void memory_region_init_rom_device(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops, void *opaque,
                                   const char *name, uint64_t size, Error **errp)
{
    if (owner_can_migrate(__func__, mr, owner, name, size, errp)) {
        init_rom_device(__func__, mr, owner, ops, opaque, name, size, errp);
        make_migratable(mr);
    }
}
