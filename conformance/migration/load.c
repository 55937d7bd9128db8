/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapter 3: from a file into RAM blocks (R-MLD-*).
 *
 * This program is linked with --wrap=pread, so that cases decide what the file system
 * answers.
 */
#include "migration/image.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/conformance.h"
#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"

/* --- a file system with moods ------------------------------------------------------ */

static struct {
    size_t longest;         /* bytes a call reads at most; 0: no limit */
    bool interrupted;       /* every second call is */
    uint64_t fail_from;     /* reads at or behind this offset of the file fail; 0: none */
    bool fail_once;
    int fail_errno;
    uint64_t shrink_to;     /* at the first read behind `fail_from`, the file shrinks to this, instead of failing */
    uint64_t calls, interruptions, longest_asked;
    RAMBlock *watched;      /* asked at every call whether its places in the file are filled in */
    uint64_t filled_in;
} mood;

WRAPPED(ssize_t, pread, int fd, void *to, size_t length, off_t offset)
{
    mood.calls++;
    mood.longest_asked = MAX(mood.longest_asked, length);
    if (mood.watched) {
        mood.filled_in += mood.watched->file_bmap && mood.watched->bitmap_offset && mood.watched->pages_offset &&
                          (uint64_t)offset >= mood.watched->pages_offset;
    }
    if (mood.interrupted && mood.calls % 2) {
        mood.interruptions++;
        return failed(EINTR);
    }
    if (mood.fail_from && (uint64_t)offset + length > mood.fail_from) {
        if (mood.fail_errno) {
            mood.fail_from = mood.fail_once ? 0 : mood.fail_from;
            errno = mood.fail_errno;
            return -1;
        }
        g_assert_cmpint(ftruncate(fd, (off_t)mood.shrink_to), ==, 0);
    }
    return __real_pread(fd, to, mood.longest ? MIN(mood.longest, length) : length, offset);
}

/* --- memory to load into ------------------------------------------------------------- */

enum { FILLING = 0x55 };

typedef struct {
    Image *image;
    MemoryRegion *first, *second;
    MappedRamFile *file;
} Scene;

static void clean(MemoryRegion *mr)
{
    RAMBlock *block = mr->ram_block;

    memset(block->host, FILLING, block->used_length);
    cpu_physical_memory_clear_dirty_range(block->offset, block->used_length);
}

/* Two blocks as the sound image has them, filled and clean, and the machine paused. */
static Scene scene_new(void)
{
    Scene scene = {
        .image = image_sound(),
        .first = stage_ram_migratable("first", IMAGE_PAGES * PAGE),
        .second = stage_ram_migratable("second", 8 * PAGE),
    };

    memset(&mood, 0, sizeof(mood));
    clean(scene.first);
    clean(scene.second);
    memcore_set_vm_running(false);
    scene.file = image_probe(scene.image, 0, &error_abort);
    return scene;
}

static void scene_end(Scene scene)
{
    memset(&mood, 0, sizeof(mood));
    mapped_ram_free(scene.file);
    image_free(scene.image);
    memcore_set_vm_running(true);
}

static bool all_bytes(const uint8_t *place, uint64_t length, uint8_t value)
{
    for (uint64_t i = 0; i < length; i++) {
        if (place[i] != value) {
            return false;
        }
    }
    return true;
}

static void check_loaded(MemoryRegion *mr, unsigned index)
{
    RAMBlock *block = mr->ram_block;

    for (uint64_t page = 0; page < block->used_length / PAGE; page++) {
        check(all_bytes(block->host + page * PAGE, PAGE, image_present(index, page) ? image_byte(index, page) : 0));
    }
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        check(cpu_physical_memory_all_dirty(block->offset, block->used_length, client));
    }
    check_pointer(block->file_bmap, NULL);
    check_number(block->bitmap_offset, 0);
    check_number(block->pages_offset, 0);
}

static void check_untouched(MemoryRegion *mr)
{
    RAMBlock *block = mr->ram_block;

    check(all_bytes(block->host, block->used_length, FILLING));
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        check(!cpu_physical_memory_get_dirty(block->offset, block->used_length, client));
    }
}

/* --- cases --------------------------------------------------------------------------- */

static void loads(void)
{
    Scene scene = scene_new();

    check_number(mapped_ram_load(scene.file, 0, &error_abort), 0);
    check_loaded(scene.first, 0);
    check_loaded(scene.second, 1);
    scene_end(scene);
}

static void filled_in_while_it_lasts(void)
{
    Scene scene = scene_new();

    mood.watched = scene.second->ram_block;
    check_number(mapped_ram_load(scene.file, 0, &error_abort), 0);
    check(mood.filled_in > 0);
    check_loaded(scene.second, 1);
    scene_end(scene);
}

static void short_and_interrupted_reads(void)
{
    Scene scene = scene_new();

    mood.longest = 100;
    mood.interrupted = true;
    check_number(mapped_ram_load(scene.file, 0, &error_abort), 0);
    check(mood.interruptions >= 7 * PAGE / 100);
    check_loaded(scene.first, 0);
    check_loaded(scene.second, 1);

    mood.longest = 1;
    mapped_ram_free(scene.file);
    scene.file = image_probe(scene.image, 0, &error_abort);
    check_number(scene.file->block_count, 2);
    scene_end(scene);
}

static void large_runs_in_pieces(void)
{
    const uint64_t pages = (3ull << 20) / PAGE;
    MemoryRegion *mr = stage_ram_migratable("large", pages * PAGE);
    Image *image = image_begun(pages * PAGE);
    MappedRamFile *file;

    memset(&mood, 0, sizeof(mood));
    memcore_set_vm_running(false);
    image_block(image, "large", pages);
    for (uint64_t page = 0; page < pages; page++) {
        image->bytes->data[image->blocks[0].bitmap + page / 8] |= (uint8_t)(1 << page % 8);
    }
    image_tail(image);
    file = image_probe(image, 0, &error_abort);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    check_number(mood.longest_asked, 1 << 20);
    check(memcmp(mr->ram_block->host, image->bytes->data + image->blocks[0].pages, pages * PAGE) == 0);
    mapped_ram_free(file);
    image_free(image);
    memcore_set_vm_running(true);
}

/* Nobody who has not touched memory before has it after absent pages were loaded. */
static void absent_pages_stay_unpopulated(void)
{
    const uint64_t length = 64 << 20;
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    Image *image = image_begun(length);
    unsigned char *resident = g_malloc(length / 4096);
    MappedRamFile *file;
    size_t populated = 0;

    memset(&mood, 0, sizeof(mood));
    memory_region_init_ram_flags_nomigrate(mr, NULL, "large", length, RAM_SHARED, &error_abort);
    stage_adopt(mr, NULL);
    stage_migratable(mr, "large");
    memset(mr->ram_block->host, FILLING, 8 * PAGE);
    memcore_set_vm_running(false);
    image_block(image, "large", length / PAGE);
    image_tail(image);
    file = image_probe(image, 0, &error_abort);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    g_assert_cmpint(mincore(mr->ram_block->host, length, resident), ==, 0);
    for (uint64_t page = 0; page < length / 4096; page++) {
        populated += resident[page] & 1;
    }
    check(populated <= 6 * (MAX(PAGE, 4096) / 4096) + 1);
    check_loaded(mr, 0);
    mapped_ram_free(file);
    image_free(image);
    g_free(resident);
    memcore_set_vm_running(true);
}

static void receivedmap_filled(void)
{
    Scene scene = scene_new();
    RAMBlock *block = scene.first->ram_block;

    ramblock_recv_bitmap_init(block);
    check_number(mapped_ram_load(scene.file, 0, &error_abort), 0);
    for (uint64_t page = 0; page < IMAGE_PAGES; page++) {
        check(ramblock_recv_bitmap_test_byte_offset(block, page * PAGE));
    }
    ramblock_recv_bitmap_free(block);
    scene_end(scene);
}

static void rom_loads(void)
{
    MemoryRegion *rom = stage_rom("ram", 8 * MAX(PAGE, 4096));
    Image *image = image_begun(8 * MAX(PAGE, 4096));
    MappedRamFile *file;

    memset(&mood, 0, sizeof(mood));
    stage_migratable(rom, "ram");
    memcore_set_vm_running(false);
    image_block(image, "ram", 8 * MAX(PAGE, 4096) / PAGE);
    image_tail(image);
    file = image_probe(image, 0, &error_abort);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    check_loaded(rom, 0);
    mapped_ram_free(file);
    image_free(image);
    memcore_set_vm_running(true);
}

static void check_refuses(Scene scene, unsigned flags, const char *text);

/* Page 5 of "second" is present in the file: discarded it is an error, populated it loads. */
static void parts_not_there(void)
{
    Scene scene = scene_new();
    const uint64_t granule = MAX(PAGE, 4096);
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    BitmapDiscardManager *manager = bitmap_discard_manager_new(scene.second, granule, NULL, &error_abort);
    AddressSpace *as;

    stage_add(root, 0, scene.second);
    as = stage_space(root, "as");
    mood.calls = 0;
    check_refuses(scene, 0, "block \"second\": page 5 is present, but discarded here");
    check_untouched(scene.first);

    check_number(bitmap_discard_manager_plug(manager, 5 * PAGE / granule * granule, granule), 0);
    memset(scene.second->ram_block->host + 5 * PAGE / granule * granule, FILLING, granule);
    check_number(mapped_ram_load(scene.file, 0, &error_abort), 0);
    check_loaded(scene.second, 1);
    check_number(bitmap_discard_manager_unplug_all(manager), 0);
    stage_space_destroy(as);
    stage_del(root, scene.second);
    memcore_drain();
    check(bitmap_discard_manager_destroy(manager, &error_abort));
    scene_end(scene);
}

static void check_refuses(Scene scene, unsigned flags, const char *text)
{
    Error *error = NULL;

    check_number(mapped_ram_load(scene.file, flags, &error), -EINVAL);
    check_error(error, text);
    check_number(mood.calls, 0);
}

static void unknown_block(void)
{
    Scene scene = scene_new();

    stage_release(scene.second);
    mood.calls = 0;
    check_refuses(scene, MAPPED_RAM_PARTIAL, "block \"second\": there is no block of this name here");
    check_untouched(scene.first);
    scene_end(scene);
}

static void not_migratable(void)
{
    Scene scene = scene_new();

    qemu_ram_unset_migratable(scene.second->ram_block);
    mood.calls = 0;
    check_refuses(scene, 0, "block \"second\": the block of this name here is not migratable");
    check_untouched(scene.first);
    check_untouched(scene.second);
    qemu_ram_set_migratable(scene.second->ram_block);
    scene_end(scene);
}

static void missing_block(void)
{
    Scene scene = scene_new();
    MemoryRegion *third = stage_ram_migratable("third", 8 * MAX(PAGE, 4096));

    clean(third);
    mood.calls = 0;
    check_refuses(scene, 0, "block \"third\" is here, but not in the file");
    check_untouched(scene.first);
    check_untouched(scene.second);
    check_number(mapped_ram_load(scene.file, MAPPED_RAM_PARTIAL, &error_abort), 0);
    check_loaded(scene.first, 0);
    check_untouched(third);
    scene_end(scene);
}

static void other_length(void)
{
    Scene scene = scene_new();

    stage_release(scene.second);
    scene.second = stage_ram_migratable("second", 16 * MAX(PAGE, 4096));
    clean(scene.second);
    mood.calls = 0;
    check_refuses(scene, 0, "and fixed");
    check_untouched(scene.first);
    check_untouched(scene.second);
    scene_end(scene);
}

/* From one host page up to what the file has; and refused where that is more than may be. */
static void resized(void)
{
    Scene scene = scene_new();

    for (unsigned fits = 0; fits < 2; fits++) {
        stage_release(scene.second);
        scene.second = stage_resizeable("second", 4096, fits ? 8 * PAGE : 4096, NULL);
        stage_migratable(scene.second, "second");
        clean(scene.second);
        mood.calls = 0;
        if (fits) {
            check_number(mapped_ram_load(scene.file, 0, &error_abort), 0);
            check_number(scene.second->ram_block->used_length, 8 * PAGE);
            check_loaded(scene.second, 1);
        } else {
            check_refuses(scene, 0, "here it is at most 0x1000");
            check_untouched(scene.second);
            check_untouched(scene.first);
        }
    }
    stage_release(scene.first);
    scene.first = stage_resizeable("first", 4096, IMAGE_PAGES * PAGE, NULL);
    stage_migratable(scene.first, "first");
    clean(scene.first);
    check_number(mapped_ram_load(scene.file, 0, &error_abort), 0);
    check_number(scene.first->ram_block->used_length, IMAGE_PAGES * PAGE);
    check_loaded(scene.first, 0);
    scene_end(scene);
}

static void incomplete_file(void)
{
    Scene scene = scene_new();

    mapped_ram_free(scene.file);
    image_put_u8(scene.image, scene.image->end, 0);
    scene.file = image_probe(scene.image, MAPPED_RAM_UNVERIFIED, &error_abort);
    mood.calls = 0;
    check_refuses(scene, MAPPED_RAM_UNVERIFIED, "the file is incomplete: end of the stream at 0x");
    check_untouched(scene.first);
    check_untouched(scene.second);
    scene_end(scene);
}

/* A probe that refuses leaves everything as it was. */
static void refused_probe(void)
{
    Scene scene = scene_new();

    image_put_be32(scene.image, scene.image->blocks[1].header, 2);
    check_refused(scene.image, 0, "its header has version 2");
    image_put_be32(scene.image, scene.image->blocks[1].header, 1);
    mood.fail_from = 1;
    mood.fail_errno = EIO;
    check_refused(scene.image, 0, "cannot read the file");
    memset(&mood, 0, sizeof(mood));
    host_refuses(MEMCORE_FAULT_ALLOCATION, ENOMEM);
    check_refused(scene.image, 0, "no memory for its bitmap");
    host_agrees();
    check_untouched(scene.first);
    check_untouched(scene.second);
    scene_end(scene);
}

/* All can be read but a bitmap: that is enough to refuse the file. */
static void bitmap_cannot_be_read(void)
{
    enum { NAME = 255, COUNT = 288 };           /* the longest entry, and a bitmap that ends far behind it */
    Image *image = image_begun((IMAGE_PAGES + COUNT) * PAGE);
    char *name = g_strnfill(NAME, 'n');

    image_block(image, "first", IMAGE_PAGES);
    image_block(image, name, COUNT);
    image_tail(image);
    memset(&mood, 0, sizeof(mood));
    check_accepted(image, 0);
    mood.fail_from = image->blocks[1].bitmap + COUNT / 8 - 1;
    mood.fail_errno = EIO;
    mood.fail_once = true;
    check_refused(image, 0, "bitmap at 0x");
    check_number(mood.fail_from, 0);            /* it has failed, and nothing else */
    g_free(name);
    image_free(image);
}

static void damaged(bool shrinks)
{
    Scene scene = scene_new();
    Error *error = NULL;

    mood.fail_from = scene.image->blocks[1].pages + 5 * PAGE + 1;
    mood.fail_errno = shrinks ? 0 : EBADMSG;
    mood.shrink_to = mood.fail_from;
    check_number(mapped_ram_load(scene.file, 0, &error), -EIO);
    check_error(error, shrinks ? "the file has shrunk since it was probed"
                               : "block \"second\": RAM is damaged: cannot read 0x");
    check_loaded(scene.first, 0);
    check_pointer(scene.second->ram_block->file_bmap, NULL);
    check(cpu_physical_memory_all_dirty(scene.second->ram_block->offset, 8 * PAGE, DIRTY_MEMORY_MIGRATION));
    scene_end(scene);
}

static void read_fails(void)
{
    damaged(false);
}

static void shrinks_while_loaded(void)
{
    damaged(true);
}

/* While it is probed: no bitmap that was half read is believed. */
static void shrinks_while_probed(void)
{
    Scene scene = scene_new();
    Error *error = NULL;

    mood.fail_from = scene.image->blocks[1].entry + 1;
    mood.shrink_to = scene.image->blocks[1].entry;
    check(image_probe(scene.image, 0, &error) == NULL);
    check_error(error, "the file has shrunk since it was opened");
    scene_end(scene);
}

static void while_running(void)
{
    Scene scene = scene_new();

    memcore_set_vm_running(true);
    mapped_ram_load(scene.file, 0, NULL);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MLD-1/loads", loads);
    conformance_case("/R-MLD-1/refused-probe", refused_probe);
    conformance_case("/R-MLD-1/bitmap-cannot-be-read", bitmap_cannot_be_read);
    conformance_case("/R-MLD-3/unknown-block", unknown_block);
    conformance_case("/R-MLD-3/not-migratable", not_migratable);
    conformance_case("/R-MLD-3/missing-block", missing_block);
    conformance_case("/R-MLD-3/other-length", other_length);
    conformance_case("/R-MLD-3/resized", resized);
    conformance_case("/R-MLD-3/shrinks-while-probed", shrinks_while_probed);
    conformance_case("/R-MLD-4/short-and-interrupted", short_and_interrupted_reads);
    conformance_case("/R-MLD-4/pieces", large_runs_in_pieces);
    conformance_case("/R-MLD-5/absent", loads);
    conformance_case("/R-MLD-5/unpopulated", absent_pages_stay_unpopulated);
    conformance_case("/R-MLD-6/filled-in-while-it-lasts", filled_in_while_it_lasts);
    conformance_case("/R-MLD-6/receivedmap", receivedmap_filled);
    conformance_case("/R-MLD-6/rom", rom_loads);
    conformance_misuse("/R-MLD-6/running", while_running, "mapped_ram_load", "the machine runs*(R-MLD-6)");
    conformance_case("/R-MLD-7/parts-not-there", parts_not_there);
    conformance_case("/R-MLD-8/read-fails", read_fails);
    conformance_case("/R-MLD-8/shrinks-while-loaded", shrinks_while_loaded);
    conformance_case("/R-STRM-8/incomplete", incomplete_file);
    return g_test_run();
}
