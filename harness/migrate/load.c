/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migrate/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/mapped-ram.h"
#include "model/mapped_ram.h"
#include "run/allocation.h"
#define FUZZ_TARGET "mapped_ram_load"
#include "run/fuzz_check.h"
#include "run/region_block.h"
#include "run/subject.h"
#include "snapshot/recipe.h"

enum { FILLING = 0x55, BEHIND = 0xaa, ALLOWANCE = 64 << 10, BLOCKS = 4, READ_MAX = 256 << 10 };

/* --- four blocks --- */

static struct {
    MemoryRegion mr;
    RAMBlock *block;
} machine[BLOCKS];

static const char *const names[BLOCKS + 1] = { "ram", "rom", "flash", "video", NULL };

/*
 * The last block, by the bits of the reader's flags that are no flags: one that is not migratable, the caller's memory
 * with half a page behind it that is not (R-RAM-7), or a file mapped for reading only, without a byte or with some.
 */
enum { VIDEO = BLOCKS - 1, VIDEO_SHIFT = 6 };
enum video { VIDEO_LEFT_ALONE, VIDEO_CALLERS, VIDEO_BLANK_FILE, VIDEO_FILE, VIDEOS };
static struct {
    MemoryRegion mr;
    RAMBlock *block;
} videos[VIDEOS];
static enum video video;
static struct mapped_ram_local locals[BLOCKS];
static struct subject_manager *manager;     /* of the first block, which has four granules */
enum { GRANULES = 4, ALL_PLUGGED = 15, PINNED = 8 };
static uint8_t *expected;                   /* room for the longest block */

static uint64_t host_page(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

static void map_file(MemoryRegion *mr, uint64_t length, int byte)
{
    const int fd = memfd_create("rom", MFD_CLOEXEC);
    char path[32];

    memset(expected, byte, length);
    REQUIRE(fd >= 0 && pwrite(fd, expected, length, 0) == (ssize_t)length, "no file");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    memory_region_init_ram_from_file(mr, NULL, names[VIDEO], length, 0, 0, path, true, &error_abort);
    close(fd);
}

static void build_videos(uint64_t unit)
{
    void *callers = g_malloc(unit);

    memory_region_init_ram_nomigrate(&videos[VIDEO_LEFT_ALONE].mr, NULL, names[VIDEO], unit, &error_abort);
    memory_region_init_ram_ptr(&videos[VIDEO_CALLERS].mr, NULL, names[VIDEO], unit - host_page() / 2, callers);
    map_file(&videos[VIDEO_BLANK_FILE].mr, unit, 0);
    map_file(&videos[VIDEO_FILE].mr, unit, FILLING);
    for (unsigned i = 0; i < VIDEOS; i++) {
        videos[i].block = region_block(&videos[i].mr);
        ramblock_recv_bitmap_init(videos[i].block);
        /* New RAM is dirty (R-DIRTY-10), and restore() cleans only what an input chose. */
        cpu_physical_memory_clear_dirty_range(videos[i].block->offset, videos[i].block->used_length);
    }
}

/* Which of them has the name. */
static void choose_video(enum video wanted)
{
    if (machine[VIDEO].block) {
        qemu_ram_unset_idstr(machine[VIDEO].block);
        qemu_ram_unset_migratable(machine[VIDEO].block);
    }
    video = wanted;
    machine[VIDEO].block = videos[video].block;
    qemu_ram_set_idstr(machine[VIDEO].block, names[VIDEO], NULL);
    if (video != VIDEO_LEFT_ALONE) {
        qemu_ram_set_migratable(machine[VIDEO].block);
    }
    locals[VIDEO] = (struct mapped_ram_local){
        .name = names[VIDEO],
        .used_length = machine[VIDEO].block->used_length,
        .max_length = machine[VIDEO].block->max_length,
        .migratable = video != VIDEO_LEFT_ALONE,
        .readonly = video == VIDEO_BLANK_FILE || video == VIDEO_FILE,
        .blank = video == VIDEO_BLANK_FILE,
        .granule = machine[VIDEO].block->used_length,
    };
}

static void build_machine(void)
{
    const uint64_t unit = MAX(host_page(), TARGET_PAGE_SIZE);
    static const struct subject_manager_hooks never_busy;
    static MemoryRegion root;
    uint64_t longest = 0;

    subject_start();
    memory_region_init_ram_nomigrate(&machine[0].mr, NULL, names[0], GRANULES * unit, &error_abort);
    manager = subject_manager_new(&machine[0].mr, unit, &never_busy, &error_abort);
    REQUIRE(subject_manager_load(manager, ALL_PLUGGED) == 0, "nothing can be plugged");
    memory_region_init_rom_nomigrate(&machine[1].mr, NULL, names[1], unit, &error_abort);
    memory_region_init_resizeable_ram(&machine[2].mr, NULL, names[2], 2 * unit, 66 * unit, NULL, &error_abort);
    for (unsigned i = 0; i < VIDEO; i++) {
        RAMBlock *block = region_block(&machine[i].mr);

        machine[i].block = block;
        ramblock_recv_bitmap_init(block);
        qemu_ram_set_idstr(block, names[i], NULL);
        qemu_ram_set_migratable(block);
        locals[i] = (struct mapped_ram_local){
            .name = names[i],
            .used_length = block->used_length,
            .max_length = block->max_length,
            .migratable = true,
            .resizeable = i == 2,
            .granule = unit,
        };
        longest = MAX(longest, block->max_length);
    }
    /* Only a region that is mapped has its manager asked. */
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    memory_region_add_subregion(&root, 0, &machine[0].mr);
    expected = g_malloc(longest);
    build_videos(unit);
    choose_video(VIDEO_LEFT_ALONE);
    subject_set_vm_running(false);
}

/* Which granules of the first block are not there, one bit each. */
static void plug(unsigned discarded)
{
    if (locals[0].discarded != discarded) {
        REQUIRE(subject_manager_load(manager, ALL_PLUGGED & ~discarded) == 0, "pages cannot be unplugged");
        locals[0].discarded = discarded;
    }
}

/* All that an input changes, caches of the last block found included, is as it was before it. */
static void restore(void)
{
    plug(0);
    for (unsigned i = 0; i < BLOCKS; i++) {
        RAMBlock *block = machine[i].block;

        if (block->used_length > locals[i].used_length) {
            /*
             * The host's memory behind a block's end stays (R-RAM-34): another input would find it when the block
             * grows.
             */
            memset(block->host + locals[i].used_length, 0, block->used_length - locals[i].used_length);
        }
        if (block->used_length != locals[i].used_length) {
            qemu_ram_resize(block, locals[i].used_length, &error_abort);
        }
        if (!locals[i].readonly) {
            memset(block->host, FILLING, block->used_length);
        }
        if (i == VIDEO && video == VIDEO_CALLERS) {
            memset(block->host + memory_region_size(block->mr), BEHIND, host_page() / 2);
        }
        ramblock_recv_bitmap_clear_range(block, block->host, block->max_length / TARGET_PAGE_SIZE);
        cpu_physical_memory_clear_dirty_range(block->offset, block->used_length);
    }
}

void load_warm_up(void)
{
    build_machine();
    restore();
}

static bool is_received(unsigned i, uint64_t page)
{
    return ramblock_recv_bitmap_test_byte_offset(machine[i].block, page * TARGET_PAGE_SIZE);
}

/* Of the caller's memory nothing behind its end is expected to be touched. */
static void leave_behind(unsigned i)
{
    if (i == VIDEO && video == VIDEO_CALLERS) {
        memset(expected + memory_region_size(machine[i].block->mr), BEHIND, host_page() / 2);
    }
}

static void fill_as_before(unsigned i, uint64_t length)
{
    const uint64_t granule = machine[0].block->used_length / GRANULES;

    memset(expected, locals[i].blank ? 0 : FILLING, length);
    leave_behind(i);
    for (unsigned k = 0; k < GRANULES; k++) {
        if (locals[i].discarded >> k & 1) {
            memset(expected + k * granule, 0, granule);
        }
    }
}

static void require_untouched(unsigned i)
{
    const RAMBlock *block = machine[i].block;

    REQUIRE(block->used_length == locals[i].used_length, "a block that is not loaded changed its length");
    fill_as_before(i, block->used_length);
    REQUIRE(memcmp(block->host, expected, block->used_length) == 0, "a block that is not loaded was written to");
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        REQUIRE(!cpu_physical_memory_get_dirty(block->offset, block->used_length, client),
                "a block that is not loaded is dirty");
    }
    REQUIRE(!is_received(i, 0), "a block that is not loaded was received");
}

static void require_loaded(unsigned i, const struct mapped_ram_bytes *bytes,
                           const struct mapped_ram_seen_block *seen)
{
    const RAMBlock *block = machine[i].block;

    REQUIRE(block->used_length == seen->used_length, "a loaded block has another length than in the file");
    mapped_ram_model_fill(bytes, seen, expected);
    leave_behind(i);
    REQUIRE(memcmp(block->host, expected, block->used_length) == 0, "a loaded block differs from the file");
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        REQUIRE(cpu_physical_memory_all_dirty(block->offset, block->used_length, client),
                "a loaded block is not dirty everywhere");
    }
    for (uint64_t page = 0; page < block->used_length / TARGET_PAGE_SIZE; page++) {
        REQUIRE(is_received(i, page), "a loaded page is not received (R-MLD-6)");
    }
    REQUIRE(!block->file_bmap && !block->bitmap_offset && !block->pages_offset, "a load leaves something behind");
    fuzz_hash_bytes(block->host, block->used_length);
}

/* What a load that failed has done to a block: all, or nothing, or it is dirty where it was written (R-MLD-8). */
static void require_part_loaded(unsigned i, const struct mapped_ram_bytes *bytes,
                                const struct mapped_ram_seen_block *seen)
{
    const RAMBlock *block = machine[i].block;

    if (seen->used_length > 0 && is_received(i, 0)) {
        require_loaded(i, bytes, seen);
        return;
    }
    REQUIRE(!block->file_bmap && !block->bitmap_offset && !block->pages_offset, "a load leaves something behind");
    fill_as_before(i, MAX(block->used_length, locals[i].used_length));
    memset(expected + locals[i].used_length, 0, block->max_length - locals[i].used_length);
    for (uint64_t at = 0; at < block->used_length; at += TARGET_PAGE_SIZE) {
        REQUIRE(memcmp(block->host + at, expected + at, TARGET_PAGE_SIZE) == 0 ||
                    cpu_physical_memory_range_includes_clean(block->offset + at, TARGET_PAGE_SIZE, 7) == 0,
                "a load that failed leaves written pages that are not dirty (R-MLD-6)");
    }
}

/* Of the first block: nothing comes into being that is discarded, and nothing goes that a device has pinned. */
static void require_residents(bool pinned)
{
    unsigned char resident[GRANULES << (TARGET_PAGE_BITS > 12 ? TARGET_PAGE_BITS - 12 : 0)];
    const size_t pages = machine[0].block->used_length / host_page();

    REQUIRE(pages <= sizeof(resident) && mincore(machine[0].block->host, pages * host_page(), resident) == 0,
            "memory cannot be looked at");
    for (size_t page = 0; page < pages; page++) {
        const bool discarded = locals[0].discarded >> page * GRANULES / pages & 1;

        REQUIRE(!discarded || !(resident[page] & 1), "a discarded page has come into being (R-MLD-7)");
        REQUIRE(discarded || !pinned || resident[page] & 1, "a pinned page was given back to the host (R-MLD-5)");
    }
}

/* --- the file --- */

static int open_file(const Snapshot *snapshot)
{
    static int reused = -1;
    int ends[2];

    switch (snapshot->kind) {
    case SNAPSHOT_PIPE:
        REQUIRE(pipe2(ends, O_CLOEXEC) == 0, "no pipe");
        close(ends[1]);
        return ends[0];
    case SNAPSHOT_FOLDER:
        return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    case SNAPSHOT_DEVICE:
        return open("/dev/zero", O_RDONLY | O_CLOEXEC);
    case SNAPSHOT_FILE:
        break;
    }
    reused = reused >= 0 ? reused : memfd_create("snapshot", MFD_CLOEXEC);
    REQUIRE(reused >= 0 && ftruncate(reused, 0) == 0, "no file");
    REQUIRE(pwrite(reused, snapshot->bytes->data, snapshot->bytes->len, 0) == (ssize_t)snapshot->bytes->len,
            "no room for the file");
    REQUIRE(ftruncate(reused, (off_t)snapshot->size) == 0, "no room for the file");
    return reused;
}

static void take_error(Error *error)
{
    REQUIRE(error, "a failure without an Error");
    REQUIRE(*error_get_pretty(error) && !strchr(error_get_pretty(error), '\n'), "an Error that is not one line");
    fuzz_hash_bytes(error_get_pretty(error), strlen(error_get_pretty(error)));
    error_free(error);
}

/* A block that does not fit is called by its name, if that can be printed. */
static void require_named(const Error *error, const char *name)
{
    char start[32];

    if (name && *name && strlen(name) < 8 && !strchr(name, '\\') && !strchr(name, '"')) {
        for (const char *c = name; *c; c++) {
            if (*c <= ' ' || *c > '~') {
                return;
            }
        }
        snprintf(start, sizeof(start), "block \"%s\": ", name);
        REQUIRE(strncmp(error_get_pretty(error), start, strlen(start)) == 0, "an Error names another block (R-MLD-3)");
    }
}

static void require_same(const MappedRamFile *file, const struct mapped_ram_bytes *bytes,
                         const struct mapped_ram_seen *seen)
{
    REQUIRE(file->complete == seen->complete && !file->complete == (file->incomplete != NULL),
            "completeness differs");
    REQUIRE(strcmp(file->machine, seen->machine) == 0, "the machine's name differs");
    REQUIRE(file->page_bits == seen->page_bits && file->ignore_shared == seen->ignore_shared &&
                file->has_uuid == seen->has_uuid && memcmp(file->uuid, seen->uuid, 16) == 0,
            "the configuration differs");
    REQUIRE(file->size == bytes->size && file->end == seen->end && file->total == seen->total, "sizes differ");
    REQUIRE(file->block_count == seen->blocks->len, "the number of blocks differs");
    for (unsigned i = 0; i < seen->blocks->len; i++) {
        const struct mapped_ram_seen_block *b = mapped_ram_model_block(seen, i);
        const MappedRamBlock *block = &file->blocks[i];
        uint64_t present = 0;

        REQUIRE(strcmp(block->idstr, b->name) == 0 && mapped_ram_find_block(file, b->name) == block,
                "a name differs");
        REQUIRE(block->used_length == b->used_length && block->page_size == b->page_size &&
                block->bitmap_offset == b->bitmap_offset && block->pages_offset == b->pages_offset &&
                block->pages == b->used_length / b->page_size, "a header differs");
        for (uint64_t page = 0; page < block->pages; page++) {
            REQUIRE(mapped_ram_page_present(block, page) == mapped_ram_model_present(bytes, b, page),
                    "a page's presence differs");
            present += mapped_ram_page_present(block, page);
        }
        REQUIRE(block->present == present, "the count of present pages differs");
        fuzz_hash_number(present);
    }
}

/* Whether a present page ends behind `size`. */
static bool misses_pages(const struct mapped_ram_seen *seen, const struct mapped_ram_bytes *bytes, uint64_t size)
{
    for (unsigned i = 0; i < seen->blocks->len; i++) {
        const struct mapped_ram_seen_block *b = mapped_ram_model_block(seen, i);

        for (uint64_t page = 0; page < b->used_length / b->page_size; page++) {
            if (mapped_ram_model_present(bytes, b, page) && b->pages_offset + (page + 1) * b->page_size > size) {
                return true;
            }
        }
    }
    return false;
}

/* Without a block, in two pieces: any page size will do. */
static void require_readable(const MappedRamFile *file, const struct mapped_ram_bytes *bytes,
                             const struct mapped_ram_seen *seen)
{
    static uint8_t wanted[READ_MAX], got[READ_MAX];

    for (unsigned i = 0; i < seen->blocks->len; i++) {
        const struct mapped_ram_seen_block *b = mapped_ram_model_block(seen, i);
        const uint64_t pages = file->blocks[i].pages, first = pages / 3;
        uint8_t *second = got + first * b->page_size;
        Error *error = NULL;

        if (b->used_length > READ_MAX || misses_pages(seen, bytes, bytes->size)) {
            continue;
        }
        mapped_ram_model_fill(bytes, b, wanted);
        REQUIRE(mapped_ram_read_pages(file, &file->blocks[i], 0, first, got, &error) &&
                    mapped_ram_read_pages(file, &file->blocks[i], first, pages - first, second, &error),
                "pages of a sound file cannot be read");
        REQUIRE(memcmp(got, wanted, b->used_length) == 0, "pages that are read differ from the file");
    }
}

static void check_load(const Snapshot *snapshot, int fd, const MappedRamFile *file,
                       const struct mapped_ram_bytes *bytes, const struct mapped_ram_seen *seen)
{
    const unsigned flags = snapshot->flags & MAPPED_RAM_PARTIAL;
    const char *misfit;
    const bool pinned = snapshot->reader & PINNED;
    bool failed = snapshot->shrunk < snapshot->size && misses_pages(seen, bytes, snapshot->shrunk);
    Error *error = NULL;
    int result;

    if (snapshot->shrunk < snapshot->size) {
        REQUIRE(ftruncate(fd, (off_t)snapshot->shrunk) == 0, "the file does not shrink");
    }
    plug(snapshot->reader % PINNED);
    misfit = mapped_ram_model_misfit(seen, bytes, locals, BLOCKS, flags, TARGET_PAGE_SIZE, host_page());
    REQUIRE(!pinned || ram_block_uncoordinated_discard_disable(true) == 0, "memory cannot be pinned");
    subject_plant_failure(snapshot->fail_read == UINT64_MAX ? SIZE_MAX : snapshot->fail_read, EIO);
    result = mapped_ram_load(file, flags, &error);
    /* Where memory is given back to the host a failure has a way around it; a read has not. */
    failed |= subject_plant_failure(SIZE_MAX, 0) > snapshot->fail_read && result != 0;
    require_residents(pinned);
    if (pinned) {
        ram_block_uncoordinated_discard_disable(false);
    }
    fuzz_hash_number((uint64_t)result);
    REQUIRE((result == 0) == !error, "a result without its Error, or the other way round");
    REQUIRE(result == (misfit ? -EINVAL : failed ? -EIO : 0), "the result is not what the file deserves");
    if (error) {
        require_named(error, misfit);
        take_error(error);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        const struct mapped_ram_seen_block *b = NULL;

        for (unsigned k = 0; k < seen->blocks->len; k++) {
            b = strcmp(mapped_ram_model_block(seen, k)->name, names[i]) == 0 ? mapped_ram_model_block(seen, k) : b;
        }
        if (result == -EINVAL || !b) {
            require_untouched(i);
        } else if (result == 0) {
            require_loaded(i, bytes, b);
        } else {
            require_part_loaded(i, bytes, b);
        }
    }
}

static void check_snapshot(const Snapshot *snapshot)
{
    const struct mapped_ram_bytes bytes = {
        .bytes = snapshot->bytes->data,
        .length = snapshot->bytes->len,
        .size = snapshot->size,
    };
    const struct mapped_ram_leave leave = {
        .any_page_size = snapshot->flags & MAPPED_RAM_ANY_PAGE_SIZE,
        .lax = snapshot->flags & MAPPED_RAM_LAX,
        .unverified = snapshot->flags & MAPPED_RAM_UNVERIFIED,
        .skip_gpa = snapshot->flags & MAPPED_RAM_SKIP_GPA,
        .page_size = TARGET_PAGE_SIZE,
        .machine = snapshot->expect_machine ? "none" : NULL,
    };
    const unsigned known = MAPPED_RAM_ANY_PAGE_SIZE | MAPPED_RAM_LAX | MAPPED_RAM_UNVERIFIED | MAPPED_RAM_SKIP_GPA;
    const int fd = open_file(snapshot);
    struct mapped_ram_seen seen;
    MappedRamFile *file;
    Error *error = NULL;
    bool sound, failed;
    size_t peak;

    subject_plant_failure(snapshot->fail_read == UINT64_MAX ? SIZE_MAX : snapshot->fail_read, EIO);
    allocation_watch_begin();
    file = mapped_ram_probe(fd, snapshot->base, snapshot->flags & known, leave.machine, &error);
    peak = allocation_watch_end();
    failed = subject_plant_failure(SIZE_MAX, 0) > snapshot->fail_read;
    REQUIRE(peak <= snapshot->size + ALLOWANCE, "a probe takes more memory than the file has bytes");
    REQUIRE(!file == (error != NULL), "a result without its Error, or the other way round");

    sound = mapped_ram_model_probe(&bytes, snapshot->base, &leave, &seen) && snapshot->kind == SNAPSHOT_FILE;
    /* A read that failed where nothing had to be sound any more is a reason like any other. */
    if (!failed) {
        REQUIRE((file != NULL) == sound, file ? "an unsound file is accepted" : "a sound file is refused");
    } else {
        REQUIRE(!file || (leave.unverified && !file->complete), "a file that could not be read is accepted");
    }
    fuzz_hash_number(file != NULL);
    if (file && !failed) {
        require_same(file, &bytes, &seen);
        require_readable(file, &bytes, &seen);
        check_load(snapshot, fd, file, &bytes, &seen);
    } else {
        for (unsigned i = 0; i < BLOCKS; i++) {
            require_untouched(i);
        }
    }
    if (error) {
        take_error(error);
    }
    mapped_ram_model_free(&seen);
    mapped_ram_free(file);
    if (snapshot->kind != SNAPSHOT_FILE) {
        close(fd);
    }
    restore();
}

void load_play(const uint8_t *data, size_t size)
{
    Snapshot snapshot;

    fuzz_hash_begin();
    snapshot_make(&snapshot, data, size, TARGET_PAGE_SIZE, names);
    if (snapshot.flags >> VIDEO_SHIFT) {
        choose_video((enum video)(snapshot.flags >> VIDEO_SHIFT));
        restore();
    }
    check_snapshot(&snapshot);
    if (video != VIDEO_LEFT_ALONE) {        /* whatever the next input wants, it does the same */
        choose_video(VIDEO_LEFT_ALONE);
        restore();
    }
}
