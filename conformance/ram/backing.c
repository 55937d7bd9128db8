/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapters 1.7 and 8: memory in files, and giving memory back. */
#include "common/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define H host_page()

typedef struct {
    uint64_t size, align;
    uint32_t flags;
    bool readonly;
} Wish;

static MemoryRegion *from_file(const char *path, Wish w)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_from_file(mr, NULL, "file", w.size, w.align, w.flags, path, w.readonly, &error_fatal);
    return stage_adopt(mr, NULL);
}

static int open_fds(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

/* Refused, with both words in the message; no block, no file that was not there, no other length, no fd left. */
static void refuse_file(const char *path, Wish w, const char *first, const char *second)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    char *before = text_of_blocks();
    const int64_t size = file_size(path);
    const int fds = open_fds();
    Error *error = NULL;

    memory_region_init_ram_from_file(mr, NULL, "file", w.size, w.align, w.flags, path, w.readonly, &error);
    check_init_refused(mr, error, before, first, second);
    check_number((uint64_t)file_size(path), (uint64_t)size);
    check_number((uint64_t)open_fds(), (uint64_t)fds);
    g_free(before);
}

static void refuse_fd(int fd, uint64_t size, uint32_t flags, ram_addr_t offset, const char *first)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    char *before = text_of_blocks();
    struct stat was = { 0 }, is = { 0 };
    Error *error = NULL;

    fstat(fd, &was);
    memory_region_init_ram_from_fd(mr, NULL, "fd", size, flags, fd, offset, &error);
    check_init_refused(mr, error, before, first, NULL);
    if (fd >= 0 && fcntl(fd, F_GETFD) >= 0) {
        check_number((uint64_t)fstat(fd, &is), 0);
    }
    check_number((uint64_t)is.st_size, (uint64_t)was.st_size);
    g_free(before);
}

static int open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    g_assert_true(fd >= 0);
    return fd;
}

static void opens(void)
{
    const char *made = file_path("made"), *existing = file_made("existing", 4 * H);
    MemoryRegion *mr = from_file(made, (Wish) { 4 * H, 0, RAM_SHARED, false });
    struct stat s;

    check_number((uint64_t)stat(made, &s), 0);
    check_number(s.st_mode & 0777 & ~022, 0644 & ~022);
    ((uint8_t *)memory_region_get_ram_ptr(mr))[5] = 77;
    check_number((uint64_t)file_byte(made, 5), 77);
    mr = from_file(existing, (Wish) { 4 * H, 0, RAM_SHARED, false });
    check_number(((uint8_t *)memory_region_get_ram_ptr(mr))[H], 2);
    check_number((uint64_t)block_of(mr)->fd, (uint64_t)memory_region_get_fd(mr));
    check(memory_region_get_fd(mr) >= 0);
    check(qemu_ram_is_shared(block_of(mr)));
}

static void in_a_directory(void)
{
    const char *folder = file_path("folder");
    MemoryRegion *mr;
    GDir *listing;

    g_assert_true(mkdir(folder, 0700) == 0);
    mr = from_file(folder, (Wish) { 4 * H, 0, RAM_SHARED, false });
    check(memory_region_get_fd(mr) >= 0);
    listing = g_dir_open(folder, 0, NULL);
    check_text(g_dir_read_name(listing), NULL);
    g_dir_close(listing);
}

static void checks(void)
{
    const char *shorter = file_made("short", 3000), *good = file_made("good", 8 * H);

    refuse_file(shorter, (Wish) { 5000, 0, RAM_SHARED, false }, "short", "0xbb8");
    refuse_file(shorter, (Wish) { 5000, 0, RAM_SHARED, true }, "short", NULL);
    refuse_file(file_made("byte", 1), (Wish) { 4 * H, 0, RAM_SHARED, false }, "byte", "has 0x1 bytes");
    refuse_file(good, (Wish) { 4 * H, 6000, RAM_SHARED, false }, "0x1770", NULL);
    refuse_file(good, (Wish) { 4 * H, 3 * H, RAM_SHARED, false }, "align", NULL);
    refuse_file(good, (Wish) { 0, 0, RAM_SHARED, false }, NULL, NULL);
    refuse_file(good, (Wish) { UINT64_MAX - 5, 0, RAM_SHARED, false }, NULL, NULL);
    refuse_file(good, (Wish) { 9 * H, 0, RAM_SHARED, false }, "good", NULL);
    check_number((uint64_t)file_byte(good, 0), 1);
    from_file(good, (Wish) { 4 * H, 4 * H, RAM_SHARED, false });
    from_file(good, (Wish) { H, 0, RAM_SHARED, false });        /* the least there is */
    from_file(good, (Wish) { 8 * H, 0, RAM_SHARED, false });
}

static void unknown_flags(void)
{
    const char *path = file_path("flags");

    for (unsigned bit = 0; bit < 32; bit++) {
        if (((1u << bit) & (RAM_SHARED | RAM_PMEM | RAM_NORESERVE | RAM_PROTECTED)) == 0) {
            refuse_file(path, (Wish) { 4 * H, 0, 1u << bit, false }, "flag", NULL);
        }
    }
}

static void only_empty_files_grow(void)
{
    const char *empty = file_made("empty", 0), *longer = file_made("longer", 8 * H);

    from_file(empty, (Wish) { 4 * H, 0, RAM_SHARED, false });
    check_number((uint64_t)file_size(empty), 4 * H);
    from_file(longer, (Wish) { 4 * H, 0, RAM_SHARED, false });
    check_number((uint64_t)file_size(longer), 8 * H);
}

/* Whatever the host refuses: a file that was made goes again, one that was there stays as it is. */
static void cleans_up(void)
{
    const char *made = file_path("made"), *empty = file_made("empty", 0), *folder = file_path("folder");
    static const MemcoreFault kinds[] = { MEMCORE_FAULT_MMAP, MEMCORE_FAULT_OPEN, MEMCORE_FAULT_FTRUNCATE };
    int fd = open_file(empty);

    g_assert_true(mkdir(folder, 0700) == 0);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        host_refuses(kinds[i], ENOSPC);
        refuse_file(made, (Wish) { 4 * H, 0, RAM_SHARED, false }, strerror(ENOSPC), NULL);
        refuse_file(empty, (Wish) { 4 * H, 0, RAM_SHARED, false }, strerror(ENOSPC), NULL);
        check(access(empty, F_OK) == 0);         /* it was there before */
        refuse_file(folder, (Wish) { 4 * H, 0, RAM_SHARED, false }, strerror(ENOSPC), NULL);
    }
    host_refuses(MEMCORE_FAULT_MMAP, ENOSPC);
    refuse_file(empty, (Wish) { 4 * H, 0, RAM_SHARED, false }, strerror(ENOSPC), NULL);
    refuse_fd(fd, 4 * H, RAM_SHARED, 0, strerror(ENOSPC));
    host_refuses(MEMCORE_FAULT_FTRUNCATE, ENOSPC);
    refuse_file(empty, (Wish) { 4 * H, 0, RAM_SHARED, false }, strerror(ENOSPC), NULL);
    refuse_fd(fd, 4 * H, RAM_SHARED, 0, strerror(ENOSPC));
    host_agrees();
    check_number((uint64_t)fcntl(fd, F_GETFD) & ~(uint64_t)FD_CLOEXEC, 0);
    close(fd);
}

/* A signal, or somebody who makes the same file at the same time. */
static void opens_again(void)
{
    static const int numbers[] = { EINTR, EEXIST };

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        MemoryRegion *mr;

        host_refuses_first(MEMCORE_FAULT_OPEN, numbers[i], 2);
        mr = from_file(file_made(i ? "second" : "first", 4 * H), (Wish) { 4 * H, 0, RAM_SHARED, false });
        check_number(host_agrees(), 3);
        check_number(((uint8_t *)memory_region_get_ram_ptr(mr))[H], 2);
    }
    /* Not for ever. */
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        host_refuses(MEMCORE_FAULT_OPEN, numbers[i]);
        refuse_file(file_made("third", 4 * H), (Wish) { 4 * H, 0, RAM_SHARED, false }, strerror(numbers[i]), NULL);
        host_agrees();
    }
}

/* Whether the host overcommits is read from a file; 0 is a descriptor like any other. */
static void closes_descriptor_0(void)
{
    const int input = dup(STDIN_FILENO);
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    Error *error = NULL;

    close(STDIN_FILENO);
    memory_region_init_ram_flags_nomigrate(mr, NULL, "reserved by nobody", 4 * H, RAM_NORESERVE, &error);
    check(fcntl(STDIN_FILENO, F_GETFD) < 0);
    dup2(input, STDIN_FILENO);
    close(input);
    if (error) {
        error_free(error);      /* a host that never overcommits */
    } else {
        stage_adopt(mr, NULL);
    }
}

static void owns_the_fd(void)
{
    int fd = open_file(file_made("owned", 4 * H));
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_from_fd(mr, NULL, "fd", 4 * H, RAM_SHARED, fd, 0, &error_fatal);
    stage_adopt(mr, NULL);
    check_number((uint64_t)memory_region_get_fd(mr), (uint64_t)fd);
    stage_release(mr);
    check(fcntl(fd, F_GETFD) >= 0);
    memcore_drain();
    check(fcntl(fd, F_GETFD) < 0);
}

/* 0 is a descriptor like any other: whatever memory does with its file it does with that one. */
static void lives_in_descriptor_0(void)
{
    const char *path = file_made("zero", 4 * H), *made = file_path("made"), *folder = file_path("folder");
    const int input = dup(STDIN_FILENO);
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    char *before = text_of_blocks();
    GDir *listing;
    Error *error = NULL;

    g_assert_true(mkdir(folder, 0700) == 0);
    close(STDIN_FILENO);
    g_assert_true(open_file(path) == STDIN_FILENO);
    memory_region_init_ram_from_fd(mr, NULL, "fd", 2 * H, RAM_SHARED, STDIN_FILENO, 2 * H, &error_fatal);
    stage_adopt(mr, NULL);
    check_number(((uint8_t *)memory_region_get_ram_ptr(mr))[0], 3);
    host_refuses(MEMCORE_FAULT_MSYNC, 0);
    memory_region_msync(mr, 0, H);
    check_number(host_agrees(), 1);
    qemu_ram_remap(ram_addr(mr, 0), H);
    check_number(((uint8_t *)memory_region_get_ram_ptr(mr))[0], 3);
    check_number((uint64_t)ram_block_discard_range(block_of(mr), H, H), 0);
    check_number((uint64_t)file_byte(path, (off_t)(3 * H)), 0);
    stage_release(mr);
    memcore_drain();
    check(fcntl(STDIN_FILENO, F_GETFD) < 0);

    /* Opened by the core itself, with an errno that is left from before. */
    errno = EEXIST;
    mr = from_file(path, (Wish) { 4 * H, 0, RAM_SHARED, false });
    check_number((uint64_t)memory_region_get_fd(mr), STDIN_FILENO);
    stage_release(mr);
    memcore_drain();
    mr = from_file(folder, (Wish) { 4 * H, 0, RAM_SHARED, false });
    check_number((uint64_t)memory_region_get_fd(mr), STDIN_FILENO);
    listing = g_dir_open(folder, 0, NULL);
    check_text(g_dir_read_name(listing), NULL);
    g_dir_close(listing);
    stage_release(mr);
    memcore_drain();
    mr = stage_storage(sizeof(*mr));
    g_free(before);
    before = text_of_blocks();
    host_refuses(MEMCORE_FAULT_MMAP, ENOMEM);
    memory_region_init_ram_from_file(mr, NULL, "file", 4 * H, 0, RAM_SHARED, made, false, &error);
    host_agrees();
    check_init_refused(mr, error, before, NULL, NULL);
    check_number((uint64_t)file_size(made), (uint64_t)-1);
    check(fcntl(STDIN_FILENO, F_GETFD) < 0);

    dup2(input, STDIN_FILENO);
    close(input);
    g_free(before);
}

static void read_only(void)
{
    const char *path = file_made("rom", 4 * H);
    MemoryRegion *mr = from_file(path, (Wish) { 4 * H, 0, RAM_SHARED, true });
    int pipes[2];

    check(memory_region_is_rom(mr));
    g_assert_true(pipe(pipes) == 0 && write(pipes[1], "x", 1) == 1);
    check(read(pipes[0], memory_region_get_ram_ptr(mr), 1) < 0);
    close(pipes[0]);
    close(pipes[1]);
}

static void read_only_and_empty(void)
{
    refuse_file(file_made("empty", 0), (Wish) { 4 * H, 0, RAM_SHARED, true }, "empty", NULL);
}

static void read_only_directory(void)
{
    const char *folder = file_path("folder");

    g_assert_true(mkdir(folder, 0700) == 0);
    refuse_file(folder, (Wish) { 4 * H, 0, RAM_SHARED, true }, "directory", NULL);
}

static void offsets(void)
{
    int fd = open_file(file_made("offset", 8 * H)), empty = open_file(file_made("empty", 0));
    MemoryRegion *mr = stage_storage(sizeof(*mr)), *other = stage_storage(sizeof(*other));

    refuse_fd(fd, 4 * H, RAM_SHARED, 100, "offset");
    refuse_fd(fd, 4 * H, RAM_SHARED, 5 * H, NULL);
    refuse_fd(fd, 4 * H, RAM_SHARED, UINT64_MAX - H + 1, NULL);
    /* An empty file would have to grow to more than a file can have. */
    refuse_fd(empty, 4 * H, RAM_SHARED, (uint64_t)INT64_MAX + 1 - 4 * H, "more than a file");
    refuse_fd(empty, 4 * H, RAM_SHARED, (uint64_t)INT64_MAX + 1, "more than a file");
    memory_region_init_ram_from_fd(mr, NULL, "fd", 4 * H, RAM_SHARED, fd, 4 * H, &error_fatal);
    stage_adopt(mr, NULL);
    check_number(((uint8_t *)memory_region_get_ram_ptr(mr))[0], 5);
    check_number(block_of(mr)->fd_offset, 4 * H);
    memory_region_init_ram_from_fd(other, NULL, "fd", 4 * H, RAM_SHARED, empty, 2 * H, &error_fatal);
    stage_adopt(other, NULL);
    check_number((uint64_t)file_size(file_path("nothing")), (uint64_t)-1);
    struct stat s;
    g_assert_true(fstat(empty, &s) == 0);
    check_number((uint64_t)s.st_size, 6 * H);
}

static void not_a_file(void)
{
    int pipes[2], closed = dup(0);

    g_assert_true(pipe(pipes) == 0);
    close(closed);
    refuse_fd(pipes[0], 4 * H, RAM_SHARED, 0, NULL);
    refuse_fd(closed, 4 * H, RAM_SHARED, 0, NULL);
    refuse_fd(-1, 4 * H, RAM_SHARED, 0, NULL);
    close(pipes[0]);
    close(pipes[1]);
    refuse_file("/nonexistent-folder/file", (Wish) { 4 * H, 0, RAM_SHARED, false }, "/nonexistent-folder/file",
                strerror(ENOENT));
}

/* ---- R-DISC ---- */

/* D, U, R, C and what each refuses, from the table. */
typedef int Counter(bool state);
static Counter *const counters[4] = {
    ram_block_discard_disable, ram_block_uncoordinated_discard_disable, ram_block_discard_require,
    ram_block_coordinated_discard_require,
};
static const unsigned refusing[4] = { 0xc, 0x4, 0x3, 0x1 };

static void counter_table(void)
{
    unsigned held[4] = { 0 };
    GRand *random = g_rand_new_with_seed(4);

    for (unsigned step = 0; step < 2000; step++) {
        const int which = g_rand_int_range(random, 0, 4);

        if (held[which] > 0 && g_rand_boolean(random)) {
            check_number((uint64_t)counters[which](false), 0);
            held[which]--;
        } else {
            bool busy = false;

            for (unsigned other = 0; other < 4; other++) {
                busy |= held[other] > 0 && refusing[which] >> other & 1;
            }
            check_number((uint64_t)counters[which](true), busy ? (uint64_t)-EBUSY : 0);
            held[which] += !busy;
        }
        check_number(ram_block_discard_is_disabled(), held[0] || held[1]);
        check_number(ram_block_discard_is_required(), held[2] || held[3]);
    }
    for (unsigned which = 0; which < 4; which++) {
        for (; held[which] > 0; held[which]--) {
            counters[which](false);
        }
    }
    g_rand_free(random);
}

static MemoryRegion *filled(MemoryRegion *mr)
{
    memset(memory_region_get_ram_ptr(mr), 7, memory_region_size(mr));
    return mr;
}

static void check_hole(MemoryRegion *mr, size_t first, size_t end)
{
    const uint8_t *host = memory_region_get_ram_ptr(mr);

    for (size_t page = 0; page < memory_region_size(mr) / H; page++) {
        const uint8_t expected = page >= first && page < end ? 0 : 7;

        check_number(host[page * H], expected);
        check_number(host[page * H + H - 1], expected);
    }
}

static MemoryRegion *shared(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_flags_nomigrate(mr, NULL, "shared", 8 * H, RAM_SHARED, &error_fatal);
    return stage_adopt(mr, NULL);
}

static uint64_t resident(MemoryRegion *mr)
{
    unsigned char pages[8];
    uint64_t count = 0;

    g_assert_true(mincore(memory_region_get_ram_ptr(mr), 8 * H, pages) == 0);
    for (size_t i = 0; i < 8; i++) {
        count += pages[i] & 1;
    }
    return count;
}

/* Every backing; and the memory is really given back. */
static void gives_back(void)
{
    const char *path = file_path("hole");
    MemoryRegion *file = filled(from_file(path, (Wish) { 8 * H, 0, RAM_SHARED, false }));
    MemoryRegion *ram = filled(stage_ram("ram", 8 * H)), *anonymous = filled(shared());
    MemoryRegion *all[] = { file, ram, anonymous };
    struct stat before, after;

    memory_region_msync(file, 0, 8 * H);
    g_assert_true(stat(path, &before) == 0);
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        clean(all[i]);
        check_number((uint64_t)ram_block_discard_range(block_of(all[i]), 2 * H, 3 * H), 0);
        check(resident(all[i]) <= 5 || all[i] == file);
        check_dirty_all(all[i], "");
        check_hole(all[i], 2, 5);
    }
    g_assert_true(stat(path, &after) == 0);
    check_number((uint64_t)after.st_size, (uint64_t)before.st_size);
    check(after.st_blocks < before.st_blocks || before.st_blocks == 0);
    check_number(block_of(ram)->used_length, 8 * H);
}

static void refused_ranges(void)
{
    MemoryRegion *ram = filled(stage_ram("ram", 8 * H));
    static const uint64_t table[][2] = { { 1, 1 }, { 0, 1 }, { 8, 1 }, { 0, 9 }, { 7, 2 } };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        const uint64_t start = i == 0 ? 5 : table[i][0] * H, length = i == 1 ? 5 : table[i][1] * H;

        check_number((uint64_t)ram_block_discard_range(block_of(ram), start, length), (uint64_t)-1);
    }
    check_number((uint64_t)ram_block_discard_range(block_of(ram), H, SIZE_MAX - H + 1), (uint64_t)-1);
    check_number((uint64_t)ram_block_discard_range(block_of(ram), UINT64_MAX, 0), (uint64_t)-1);
    check_number((uint64_t)ram_block_discard_range(block_of(ram), UINT64_MAX - H + 1, H), (uint64_t)-1);
    check_hole(ram, 0, 0);
}

static void hole_at_the_offset(void)
{
    const char *path = file_made("disc", 8 * H);
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_from_fd(mr, NULL, "fd", 4 * H, RAM_SHARED, open_file(path), 4 * H, &error_fatal);
    stage_adopt(mr, NULL);
    check_number((uint64_t)ram_block_discard_range(block_of(mr), H, H), 0);
    for (unsigned page = 0; page < 8; page++) {
        check_number((uint64_t)file_byte(path, (off_t)(page * H)), page == 5 ? 0 : page + 1);
    }
}

/* The hole goes through a private mapping as well; what is mapped for reading only may be refused. */
static void private_and_read_only(void)
{
    const char *path = file_made("private", 8 * H);
    MemoryRegion *private = filled(from_file(path, (Wish) { 8 * H, 0, 0, false })), *rom;
    int result;

    check_number((uint64_t)file_byte(path, 0), 1);
    check_number((uint64_t)ram_block_discard_range(block_of(private), H, H), 0);
    check_hole(private, 1, 2);
    check_number((uint64_t)file_byte(path, (off_t)H), 0);
    check_number((uint64_t)file_byte(path, (off_t)(2 * H)), 3);
    rom = from_file(path, (Wish) { 8 * H, 0, RAM_SHARED, true });
    result = ram_block_discard_range(block_of(rom), 2 * H, H);
    check(result == 0 || result == -1);
    check_number((uint64_t)file_byte(path, (off_t)(2 * H)), result ? 3 : 0);
}

static void nothing_to_discard(void)
{
    MemoryRegion *file = filled(from_file(file_path("none"), (Wish) { 8 * H, 0, RAM_SHARED, false }));

    check_number((uint64_t)ram_block_discard_range(block_of(file), 0, 0), 0);
    check_number((uint64_t)ram_block_discard_range(block_of(stage_ram("ram", H)), 0, 0), 0);
    check_number((uint64_t)ram_block_discard_range(block_of(file), 8 * H, 0), 0);
    check_hole(file, 0, 0);
}

/* Not the offset has to be whole pages but the address: the caller's memory may begin anywhere. */
static void pages_are_the_hosts(void)
{
    uint8_t *own = mmap(NULL, 8 * H, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MemoryRegion *ptr = stage_ram_ptr("ptr", 4 * H, own + H / 2);

    memset(own, 7, 8 * H);
    check_number((uint64_t)ram_block_discard_range(block_of(ptr), 0, H), (uint64_t)-1);
    check_number((uint64_t)ram_block_discard_range(block_of(ptr), H, H), (uint64_t)-1);
    check_number(own[H], 7);
    check_number((uint64_t)ram_block_discard_range(block_of(ptr), H / 2, H), 0);
    check_number(own[H - 1], 7);
    check_number(own[H], 0);
    check_number(own[2 * H - 1], 0);
    check_number(own[2 * H], 7);
    stage_release(ptr);
    memcore_drain();
    munmap(own, 8 * H);
}

/* Counters do not matter, nor do the owner's pages if they are whole. */
static void what_does_not_matter(void)
{
    uint8_t *own = mmap(NULL, 8 * H, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MemoryRegion *ptr = filled(stage_ram_ptr("ptr", 8 * H, own));

    check_number((uint64_t)ram_block_discard_disable(true), 0);
    check_number((uint64_t)ram_block_discard_range(block_of(ptr), 0, H), 0);
    ram_block_discard_disable(false);
    check_hole(ptr, 0, 1);
    stage_release(ptr);
    memcore_drain();
    own[0] = 1;     /* never unmapped by the library */
    munmap(own, 8 * H);
}

static void host_refuses_to_discard(void)
{
    MemoryRegion *ram = filled(stage_ram("ram", 8 * H));

    host_refuses(MEMCORE_FAULT_MADVISE, ENOSPC);
    check_number((uint64_t)ram_block_discard_range(block_of(ram), 0, H), (uint64_t)-ENOSPC);
    host_agrees();
    check_hole(ram, 0, 0);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-FILE-1/opens", opens);
    conformance_case("/R-FILE-1/directory", in_a_directory);
    conformance_case_4k("/R-FILE-2/checks", checks);
    conformance_case("/R-FILE-2/not-a-file", not_a_file);
    conformance_case("/R-RAM-3/file-flags", unknown_flags);
    conformance_case("/R-FILE-3/only-empty-files-grow", only_empty_files_grow);
    conformance_case("/R-FILE-5/cleans-up", cleans_up);
    conformance_case("/R-FILE-5/owns-the-fd", owns_the_fd);
    conformance_case("/R-FILE-5/descriptor-0", lives_in_descriptor_0);
    conformance_case("/R-FILE-1/opens-again", opens_again);
    conformance_case("/R-RAM-4/closes-descriptor-0", closes_descriptor_0);
    conformance_case("/R-FILE-6/read-only", read_only);
    conformance_case("/R-FILE-7/read-only-and-empty", read_only_and_empty);
    conformance_case("/R-FILE-8/read-only-directory", read_only_directory);
    conformance_case("/R-FILE-9/offsets", offsets);
    conformance_case("/R-DISC-1/table", counter_table);
    conformance_case("/R-DISC-3/counters-do-not-matter", what_does_not_matter);
    conformance_case("/R-DISC-4/refused", refused_ranges);
    conformance_case("/R-DISC-4/address", pages_are_the_hosts);
    conformance_case("/R-DISC-5/gives-back", gives_back);
    conformance_case("/R-DISC-5/host-refuses", host_refuses_to_discard);
    conformance_case("/R-DISC-6/offset", hole_at_the_offset);
    conformance_case("/R-DISC-7/private-and-read-only", private_and_read_only);
    conformance_case("/R-DISC-8/nothing", nothing_to_discard);
    conformance_case("/R-DISC-9/nothing-else-changes", gives_back);
    return ram_run();
}
