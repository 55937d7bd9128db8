/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of regions with memory of the host behind them (R-REG-3). */
#include "hw/qdev-core.h"
#include "ram/ram_block.h"
#include "region/internal.h"

/* R-REG-4: the region is as good as never made. */
static void fail(MemoryRegion *region, Error **errp, Error *error)
{
    region->size = 0;
    object_unparent(OBJECT(region));
    error_propagate(errp, error);
}

/* The anonymous kinds differ in what they do with the block, and with accesses. */
static bool create_anonymous(const char *function, MemoryRegion *region, Object *owner, const char *name,
                             uint64_t size, uint64_t max_size, uint32_t flags, RamBlockResized *resized,
                             Error **errp)
{
    Error *error = NULL;

    memcore_require_big_lock_of(function, "R-RAM-8");
    region_create(function, region, sizeof(*region), TYPE_MEMORY_REGION, owner, name, size);
    region->ram_block = ram_block_new_anonymous(size, max_size, flags, resized, region, &error);
    if (!region->ram_block) {
        fail(region, errp, error);
        return false;
    }
    region->terminates = true;
    region->align = RAM_BLOCK_ALIGNMENT;
    return true;
}

static void init_ram(const char *function, MemoryRegion *region, Object *owner, const char *name,
                     uint64_t size, Error **errp)
{
    region->ram = create_anonymous(function, region, owner, name, size, size, 0, NULL, errp);
}

void memory_region_init_ram_nomigrate(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                      Error **errp)
{
    init_ram(__func__, region, owner, name, size, errp);
}

void memory_region_init_ram_flags_nomigrate(MemoryRegion *region, Object *owner, const char *name,
                                            uint64_t size, uint32_t flags, Error **errp)
{
    const uint32_t allowed = RAM_SHARED | RAM_NORESERVE;

    if (flags & ~allowed) {
        Error *error = NULL;

        region_create(__func__, region, sizeof(*region), TYPE_MEMORY_REGION, owner, name, size);
        error_setg(&error, "region '%s': flags 0x%x are not among RAM_SHARED and RAM_NORESERVE",
                   region_label(region), flags & ~allowed);
        fail(region, errp, error);
        return;
    }
    region->ram = create_anonymous(__func__, region, owner, name, size, size, flags, NULL, errp);
}

void memory_region_init_resizeable_ram(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                       uint64_t maximum,
                                       void (*resized)(const char *, uint64_t length, void *host),
                                       Error **errp)
{
    region->ram =
        create_anonymous(__func__, region, owner, name, size, maximum, RAM_RESIZEABLE, resized, errp);
}

/* The file kinds: flags are looked at before anything is opened (R-RAM-3). */
static void init_ram_file(const char *function, MemoryRegion *region, Object *owner, const char *name,
                          const RamFile *file, const char *path, Error **errp)
{
    const uint32_t allowed = RAM_SHARED | RAM_PMEM | RAM_NORESERVE | RAM_PROTECTED;
    Error *error = NULL;

    memcore_require_big_lock_of(function, "R-RAM-8");
    region_create(function, region, sizeof(*region), TYPE_MEMORY_REGION, owner, name, file->size);
    if (file->flags & ~allowed) {
        error_setg(&error, "region '%s': flags 0x%x are not among RAM_SHARED, RAM_PMEM, RAM_NORESERVE and "
                   "RAM_PROTECTED", region_label(region), file->flags & ~allowed);
    } else {
        region->ram_block = path ? ram_block_new_from_path(file, path, region, &error)
                                 : ram_block_new_from_fd(file, region, &error);
    }
    if (!region->ram_block) {
        fail(region, errp, error);
        return;
    }
    region->terminates = true;
    region->ram = true;
    region->readonly = file->readonly;
}

void memory_region_init_ram_from_file(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                      uint64_t alignment, uint32_t flags, const char *path, bool readonly,
                                      Error **errp)
{
    const RamFile file = { .fd = -1, .size = size, .align = alignment, .flags = flags, .readonly = readonly };

    memcore_require(path, "R-FILE-1", "region '%s': no path given (NULL)", name_label(name));
    init_ram_file(__func__, region, owner, name, &file, path, errp);
}

void memory_region_init_ram_from_fd(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                    uint32_t flags, int fd, ram_addr_t offset, Error **errp)
{
    const RamFile file = { .fd = fd, .size = size, .flags = flags, .offset = offset };

    init_ram_file(__func__, region, owner, name, &file, NULL, errp);
}

static void init_ram_pointer(const char *function, MemoryRegion *region, Object *owner, const char *name,
                             uint64_t size, void *ptr)
{
    Error *error = NULL;

    memcore_require_big_lock_of(function, "R-RAM-8");
    if (!ptr) {
        memcore_misuse_at(function, "R-RAM-7", "region '%s': no memory given (NULL)",
                          name_label(name));
    }
    region_create(function, region, sizeof(*region), TYPE_MEMORY_REGION, owner, name, size);
    region->ram_block = ram_block_new_from_pointer(size, ptr, region, &error);
    if (!region->ram_block) {
        memcore_misuse_at(function, "R-REG-5", "region '%s', size 0x%" PRIx64 ": %s", region_label(region),
                          size, error_get_pretty(error));
    }
    region->terminates = true;
    region->ram = true;
}

void memory_region_init_ram_ptr(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                void *ptr)
{
    init_ram_pointer(__func__, region, owner, name, size, ptr);
}

void memory_region_init_ram_device_ptr(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                       void *ptr)
{
    init_ram_pointer(__func__, region, owner, name, size, ptr);
    region->ram_device = true;
    region->ops = &region_ram_device_ops;
    region->opaque = region;
}

void memory_region_init_rom_nomigrate(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                      Error **errp)
{
    init_ram(__func__, region, owner, name, size, errp);
    region->readonly = region->ram;
}

/* `ram` stays false: not every access may go to the memory (R-REG-3). */
static void init_rom_device(const char *function, MemoryRegion *region, Object *owner,
                            const MemoryRegionOps *ops, void *device, const char *name, uint64_t size,
                            Error **errp)
{
    if (!ops) {
        memcore_misuse_at(function, "R-REG-3", "region '%s': writes to a ROM device need ops (NULL)",
                          name_label(name));
    }
    if (create_anonymous(function, region, owner, name, size, size, 0, NULL, errp)) {
        region->rom_device = true;
        region->ops = ops;
        region->opaque = device;
    }
}

void memory_region_init_rom_device_nomigrate(MemoryRegion *region, Object *owner, const MemoryRegionOps *ops,
                                             void *device, const char *name, uint64_t size, Error **errp)
{
    init_rom_device(__func__, region, owner, ops, device, name, size, errp);
}

/* --- with an id string, for migration ---------------------------------------- */

/*
 * Only devices can make id strings unique, and not even they always do; looked
 * at before anything is allocated, for a name that is taken is bad input here.
 */
static bool can_migrate(const char *function, MemoryRegion *region, Object *owner, const char *name,
                        uint64_t size, Error **errp)
{
    const bool is_device = !owner || object_dynamic_cast(owner, TYPE_DEVICE);
    Error *error = NULL;

    if (is_device && !ram_block_name_taken(name, (DeviceState *)owner)) {
        return true;
    }
    region_create(function, region, sizeof(*region), TYPE_MEMORY_REGION, owner, name, size);
    if (is_device) {
        error_setg(&error, "region '%s': its RAM cannot be named for migration, another block has the name "
                   "already", region_label(region));
    } else {
        error_setg(&error, "region '%s': its owner, of type %s, is not a device, so its RAM cannot be named for "
                   "migration; use %s_nomigrate", region_label(region), object_get_typename(owner), function);
    }
    fail(region, errp, error);
    return false;
}

static void make_migratable(MemoryRegion *region)
{
    if (region->ram_block) {
        ram_block_register(region->ram_block, region->name, (DeviceState *)region->owner);
    }
}

void memory_region_init_ram(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                            Error **errp)
{
    if (can_migrate(__func__, region, owner, name, size, errp)) {
        init_ram(__func__, region, owner, name, size, errp);
        make_migratable(region);
    }
}

void memory_region_init_rom(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                            Error **errp)
{
    if (can_migrate(__func__, region, owner, name, size, errp)) {
        init_ram(__func__, region, owner, name, size, errp);
        region->readonly = region->ram;
        make_migratable(region);
    }
}

void memory_region_init_rom_device(MemoryRegion *region, Object *owner, const MemoryRegionOps *ops,
                                   void *device, const char *name, uint64_t size, Error **errp)
{
    if (can_migrate(__func__, region, owner, name, size, errp)) {
        init_rom_device(__func__, region, owner, ops, device, name, size, errp);
        make_migratable(region);
    }
}
