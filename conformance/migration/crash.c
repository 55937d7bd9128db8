/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", R-SAVE-9: a save that does not come to its end leaves no file that is taken for one.
 *
 * The program is killed before each system call of a save that writes; and the power fails before each of them, when
 * of what was written since the last fsync any part may be on the disk.  `--verbose` prints a row for each.  Linked
 * with --wrap for these calls.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/conformance.h"
#include "common/wrapped.h"
#include "exec/ramblock.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"

#define PAGE TARGET_PAGE_SIZE
enum { PAGES = 80 };            /* whole host pages, whatever the target's are */

/* --- system calls ------------------------------------------------------------------------------ */

static struct {
    unsigned count, kill_before;        /* this call is not made any more; 0: all are */
    int told;                           /* the calls' names go there, one byte each; -1: nowhere */
    void (*before)(char call, int fd, const void *from, size_t length, off_t offset);
} calls;

static void note(char call, int fd, const void *from, size_t length, off_t offset)
{
    const unsigned number = __atomic_add_fetch(&calls.count, 1, __ATOMIC_SEQ_CST);

    if (calls.told >= 0 && write(calls.told, &call, 1) != 1) {
        abort();
    }
    if (number == calls.kill_before) {
        kill(getpid(), SIGKILL);
        pause();
    }
    if (calls.before) {
        calls.before(call, fd, from, length, offset);
    }
}

WRAPPED(ssize_t, pwrite, int fd, const void *from, size_t length, off_t offset)
{
    note('w', fd, from, length, offset);
    return __real_pwrite(fd, from, length, offset);
}

WRAPPED(int, ftruncate, int fd, off_t length)
{
    note('t', fd, NULL, 0, length);
    return __real_ftruncate(fd, length);
}

WRAPPED(int, fallocate, int fd, int mode, off_t offset, off_t length)
{
    note('p', fd, NULL, (size_t)length, offset);
    return __real_fallocate(fd, mode, offset, length);
}

WRAPPED(int, fsync, int fd)
{
    note('s', fd, NULL, 0, 0);
    return __real_fsync(fd);
}

WRAPPED(int, rename, const char *from, const char *to)
{
    note('r', -1, NULL, 0, 0);
    return __real_rename(from, to);
}

WRAPPED(int, mkostemp, char *name, int flags)
{
    note('c', -1, NULL, 0, 0);
    return __real_mkostemp(name, flags);
}

static const char *name_of(char call)
{
    switch (call) {
    case 'c':
        return "mkostemp";
    case 'w':
        return "pwrite";
    case 't':
        return "ftruncate";
    case 'p':
        return "fallocate";
    case 's':
        return "fsync";
    default:
        return "rename";
    }
}

/* --- a machine, a folder, a save ------------------------------------------------------------------ */

static char *folder, *path;
static RAMBlock *block;
static MemoryRegion *ram;
static uint8_t *expected;       /* memory at the end */
static uint8_t *older;          /* that of a file which the save replaces; NULL: there is none */

static void guest_writes(uint64_t page, uint8_t value)
{
    memset(block->host + page * PAGE, value, PAGE);
    memory_region_set_dirty(ram, page * PAGE, PAGE);
}

/* What changes while the save is at it: a page comes, one changes, one becomes zero. */
static void guest_goes_on(void)
{
    guest_writes(1, 0x21);
    guest_writes(3, 0x22);
    guest_writes(6, 0);
}

static void reset_memory(void)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        memset(block->host + page * PAGE, page % 3 == 0 || page == PAGES - 1 ? (int)(page + 1) : 0, PAGE);
    }
}

static void begin(void)
{
    memset(&calls, 0, sizeof(calls));
    calls.told = -1;
    folder = g_dir_make_tmp("memcore-crash-XXXXXX", NULL);
    g_assert_nonnull(folder);
    path = g_build_filename(folder, "ram.mig", NULL);
    ram = stage_ram_migratable("ram", PAGES * PAGE);
    block = qemu_ram_block_by_name("ram");
    reset_memory();
    guest_goes_on();
    expected = g_memdup2(block->host, PAGES * PAGE);
    reset_memory();
}

static void end(void)
{
    calls.before = NULL;
    unlink(path);
    g_assert_cmpint(rmdir(folder), ==, 0);
    g_free(expected);
    g_free(path);
    g_free(folder);
}

static void save(const RamSaveParameters *parameters)
{
    RamSave *ram_save = ram_save_new(parameters, &error_abort);

    ram_save_setup(ram_save, &error_abort);
    ram_save_iterate(ram_save, PAGES, &error_abort);
    guest_goes_on();
    ram_save_complete(ram_save, &error_abort);
    ram_save_free(ram_save);
}

typedef enum { NOT_THERE, REFUSED, COMPLETE, WRONG } Verdict;

static const char *const verdict_names[] = { "no file", "refused", "complete and equal", "COMPLETE AND DIFFERENT" };

/* What a reader says of the file, who has nothing else. */
static Verdict judge(int fd, uint64_t base)
{
    MappedRamFile *file = mapped_ram_probe(fd, base, 0, NULL, NULL);
    Verdict verdict = REFUSED;

    if (file) {
        uint8_t *bytes = g_malloc(PAGES * PAGE);
        const bool read = file->block_count == 1 && file->blocks[0].pages == PAGES &&
                          mapped_ram_read_pages(file, &file->blocks[0], 0, PAGES, bytes, NULL);

        verdict = read && (memcmp(bytes, expected, PAGES * PAGE) == 0 ||
                           (older && memcmp(bytes, older, PAGES * PAGE) == 0)) ? COMPLETE : WRONG;
        g_free(bytes);
    }
    mapped_ram_free(file);
    return verdict;
}

/* --- kill -9 -------------------------------------------------------------------------------------- */

/* The best of the files in the folder, all of which go; only a complete one may have the final name. */
static Verdict judge_folder(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    Verdict best = NOT_THERE;
    const char *found;

    while ((found = g_dir_read_name(dir))) {
        char *each = g_build_filename(folder, found, NULL);
        const int fd = open(each, O_RDONLY | O_CLOEXEC);
        const Verdict verdict = judge(fd, 0);

        check(verdict == COMPLETE || strcmp(each, path) != 0);
        best = MAX(best, verdict);
        close(fd);
        unlink(each);
        g_free(each);
    }
    g_dir_close(dir);
    return best;
}

/* A child saves, and dies before call `number`; which one that was, or 0: it came to its end. */
static char die_before(const RamSaveParameters *parameters, unsigned number)
{
    int told[2], status;
    char call, last = 0;
    pid_t child;

    g_assert_cmpint(pipe(told), ==, 0);
    child = fork();
    if (child == 0) {
        calls.kill_before = number;
        calls.told = told[1];
        save(parameters);
        calls.kill_before = 0;      /* what measures coverage writes files, too, on the way out */
        calls.told = -1;
        _exit(0);
    }
    close(told[1]);
    while (read(told[0], &call, 1) == 1) {
        last = call;
    }
    close(told[0]);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    check(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? last : 0;
}

static void killed_in(const char *how, const RamSaveParameters *parameters)
{
    unsigned rows[4] = { 0 };
    Verdict verdict = NOT_THERE;
    char call;

    for (unsigned number = 1; ; number++) {
        call = die_before(parameters, number);
        verdict = judge_folder();
        if (!call) {
            break;
        }
        g_test_message("%s, killed before call %u, %s: %s", how, number, name_of(call), verdict_names[verdict]);
        rows[verdict]++;
    }
    check_number(verdict, COMPLETE);
    check_number(rows[NOT_THERE], 1);           /* before the file is created */
    check(rows[REFUSED] > 8);
    check_number(rows[COMPLETE], 3);            /* fsync, rename, fsync of the folder */
    check_number(rows[WRONG], 0);
}

static void killed_anywhere(void)
{
    RamSaveParameters parameters;

    begin();
    parameters = (RamSaveParameters){ .path = path, .machine = "none" };
    killed_in("plain", &parameters);
    parameters.workers = 2;
    killed_in("two workers", &parameters);
    parameters.punch_holes = true;
    parameters.keep_zero_pages = true;
    killed_in("all pages, holes", &parameters);
    end();
}

/* --- the power fails ------------------------------------------------------------------------------- */

/* What was written since the last fsync, and what is on the disk for sure. */
typedef struct {
    char call;
    uint64_t offset;
    GBytes *bytes;
} Pending;

static struct {
    GPtrArray *pending;
    GByteArray *disk;
    uint64_t base;
    unsigned rows[4], renames;
} power;

static void pending_free(void *opaque)
{
    Pending *pending = opaque;

    g_bytes_unref(pending->bytes);
    g_free(pending);
}

static void apply(GByteArray *disk, const Pending *pending)
{
    const size_t length = g_bytes_get_size(pending->bytes);

    if (pending->call == 't') {
        const guint before = disk->len;

        g_byte_array_set_size(disk, (guint)pending->offset);
        if (disk->len > before) {
            memset(disk->data + before, 0, disk->len - before);
        }
        return;
    }
    if (pending->offset + length > disk->len) {
        const Pending longer = { .call = 't', .offset = pending->offset + length, .bytes = pending->bytes };

        apply(disk, &longer);
    }
    memcpy(disk->data + pending->offset, g_bytes_get_data(pending->bytes, NULL), length);
}

/* The disk after it, if of what is pending those have arrived whose bit is set. */
static void judge_disk(uint64_t arrived)
{
    GByteArray *disk = g_byte_array_new();
    const int fd = memfd_create("disk", MFD_CLOEXEC);
    Verdict verdict;

    g_byte_array_append(disk, power.disk->data, power.disk->len);
    for (guint i = 0; i < power.pending->len; i++) {
        if (arrived >> i % 64 & 1) {
            apply(disk, g_ptr_array_index(power.pending, i));
        }
    }
    g_assert_cmpint(__real_pwrite(fd, disk->data, disk->len, 0), ==, disk->len);
    verdict = judge(fd, power.base);
    power.rows[verdict]++;
    if (verdict == WRONG) {
        g_test_message("the power fails before call %u with %u writes pending, of which 0x%" PRIx64 " arrived: %s",
                       calls.count, power.pending->len, arrived, verdict_names[verdict]);
    }
    close(fd);
    g_byte_array_unref(disk);
}

static void power_fails(char call, int fd, const void *from, size_t length, off_t offset)
{
    Pending *pending;

    (void)fd;
    judge_disk(0);
    judge_disk(UINT64_MAX);
    judge_disk(0x5555555555555555);
    judge_disk(0xaaaaaaaaaaaaaaaa);
    for (guint i = 0; i < MIN(power.pending->len, 64); i++) {
        judge_disk(1ull << i);
        judge_disk(~(1ull << i));
    }
    switch (call) {
    case 's':
        for (guint i = 0; i < power.pending->len; i++) {
            apply(power.disk, g_ptr_array_index(power.pending, i));
        }
        g_ptr_array_set_size(power.pending, 0);
        break;
    case 'r':
        check_number(power.pending->len, 0);    /* else the final name might be that of less than a file */
        power.renames++;
        break;
    case 'w':
    case 't':
        pending = g_new0(Pending, 1);
        pending->call = call;
        pending->offset = (uint64_t)offset;
        pending->bytes = g_bytes_new(from, length);
        g_ptr_array_add(power.pending, pending);
        break;
    default:
        break;
    }
}

static void power_fails_in(const RamSaveParameters *parameters, unsigned renames)
{
    memset(power.rows, 0, sizeof(power.rows));
    power.renames = 0;
    power.base = parameters->base;
    power.pending = g_ptr_array_new_with_free_func(pending_free);
    calls.before = power_fails;
    save(parameters);
    calls.before = NULL;
    check_number(power.renames, renames);
    check_number(power.pending->len, 0);        /* all of it is on the disk when the save says so */
    check_number(power.rows[WRONG], 0);
    check(power.rows[REFUSED] > 100 && power.rows[COMPLETE] > 2);
    g_test_message("the power fails: %u times refused, %u times complete and equal", power.rows[REFUSED],
                   power.rows[COMPLETE]);
    g_ptr_array_unref(power.pending);
    g_byte_array_unref(power.disk);
}

static void power_fails_on_a_new_file(void)
{
    RamSaveParameters parameters;

    begin();
    parameters = (RamSaveParameters){ .path = path, .machine = "none", .alignment = PAGE };
    power.disk = g_byte_array_new();
    power_fails_in(&parameters, 1);
    end();
}

/* A descriptor of the caller's, to an older file: what is found is that one, nothing, or the new one; no mixture. */
static void power_fails_on_an_older_file(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters parameters = { .fd = fd, .machine = "none", .alignment = PAGE, .base = 0x234 };
    off_t size;

    begin();
    for (uint64_t page = 0; page < PAGES; page += 2) {
        memset(block->host + page * PAGE, (int)(page + 0x71), PAGE);
    }
    save(&parameters);
    older = g_memdup2(block->host, PAGES * PAGE);
    size = lseek(fd, 0, SEEK_END);
    power.disk = g_byte_array_new();
    g_byte_array_set_size(power.disk, (guint)size);
    g_assert_cmpint(pread(fd, power.disk->data, (size_t)size, 0), ==, size);
    reset_memory();
    power_fails_in(&parameters, 0);
    g_free(older);
    older = NULL;
    close(fd);
    end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-SAVE-9/killed", killed_anywhere);
    conformance_case("/R-SAVE-9/power-fails", power_fails_on_a_new_file);
    conformance_case("/R-SAVE-9/power-fails-on-an-older-file", power_fails_on_an_older_file);
    return g_test_run();
}
