/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapter 5: system calls that fail or do less than they should, and what a save
 * leaves open (R-SAVE-5, R-SAVE-9).  Linked with --wrap for the calls that write.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/wrapped.h"
#include "migration/mapped-ram.h"
#include "save_stage.h"

enum { PAGES = 72 };

static struct {
    unsigned calls, fail_at;            /* the call with this number fails; 0: none */
    int fail_errno;
    size_t longest;                     /* bytes a write takes at most, and of the last ones one by one; 0: no limit */
    bool interrupted;                   /* every second write is */
} system_calls;

static bool refuse(void)
{
    if (++system_calls.calls == system_calls.fail_at) {
        errno = system_calls.fail_errno;
        return true;
    }
    return false;
}

WRAPPED(ssize_t, pwrite, int fd, const void *from, size_t length, off_t offset)
{
    static unsigned writes;

    if (refuse()) {
        return -1;
    }
    if (system_calls.interrupted && writes++ % 2) {
        return failed(EINTR);
    }
    if (system_calls.longest) {
        length = length > system_calls.longest ? system_calls.longest : 1;
    }
    return __real_pwrite(fd, from, length, offset);
}

WRAPPED(int, ftruncate, int fd, off_t length)
{
    return refuse() ? -1 : __real_ftruncate(fd, length);
}

WRAPPED(int, fsync, int fd)
{
    return refuse() ? -1 : __real_fsync(fd);
}

WRAPPED(int, rename, const char *from, const char *to)
{
    return refuse() ? -1 : __real_rename(from, to);
}

WRAPPED(int, mkostemp, char *name, int flags)
{
    return refuse() ? -1 : __real_mkostemp(name, flags);
}

static void begin(void)
{
    memset(&system_calls, 0, sizeof(system_calls));
    save_begin(PAGES);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (page % 3 == 0 || page == PAGES - 1) {
            memset(save_block()->host + page * PAGE, (int)(page + 1), PAGE);
        }
    }
}

static void end(void)
{
    memset(&system_calls, 0, sizeof(system_calls));
    save_end();
}

static RamSaveParameters parameters(void)
{
    RamSaveParameters parameters = parameters_to_path();

    parameters.alignment = PAGE;
    return parameters;
}

static RamSave *new_save(void)
{
    const RamSaveParameters p = parameters();

    return save_new(&p);
}

static void short_and_interrupted_writes(void)
{
    RamSave *save;

    begin();
    system_calls.longest = 1000;
    system_calls.interrupted = true;
    save = new_save();
    check_number(ram_save_run(save, &error_abort), 0);
    check(system_calls.calls > 2 * (PAGES / 3) * PAGE / 1000);
    check_path(false);
    ram_save_free(save);
    end();
}

/* Each system call of a save fails once (crashes: crash.c). */
static void fails_anywhere(void)
{
    const int numbers[] = { EIO, ENOSPC, EINTR };
    unsigned calls, rows = 0;
    RamSave *save;

    begin();
    save = new_save();
    check_number(ram_save_run(save, &error_abort), 0);
    calls = system_calls.calls;
    ram_save_free(save);
    unlink(stage.path);
    for (unsigned at = 1; at <= calls; at++) {
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
            Error *error = NULL;
            int result;

            memset(&system_calls, 0, sizeof(system_calls));
            system_calls.fail_at = at;
            system_calls.fail_errno = numbers[i];
            stage.stopped = stage.resumed = 0;
            save = new_save();
            result = ram_save_run(save, &error);
            if (numbers[i] == EINTR && at > 1 && at != calls - 1) {
                /* Made again, but for the creation of the file and rename(). */
                check_number(result, 0);
                stage.resumed = stage.stopped;
            } else {
                check_number(result, -numbers[i]);
            }
            check_number(stage.resumed, stage.stopped);
            error_free(error);
            check_left();
            if (at == calls || result == 0) {           /* the folder's fsync: renamed already */
                check_path(false);
                unlink(stage.path);
            }
            check_number(files_in_folder(), 0);
            ram_save_free(save);
            rows++;
        }
    }
    check(rows > 20);
    end();
}

/* A descriptor of the caller's: nothing older survives behind the base, and after a failure there is no magic. */
static void descriptor_of_the_caller(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters p;
    MappedRamFile *file;
    Error *error = NULL;
    RamSave *save;
    char old[0x3000], start[9] = { 0 };

    begin();
    memset(old, 'x', sizeof(old));
    p = parameters();
    p.path = NULL;
    p.fd = fd;
    p.base = 0x234;
    for (unsigned fails = 0; fails < 2; fails++) {
        g_assert_cmpint(__real_pwrite(fd, old, sizeof(old), 0), ==, sizeof(old));
        memset(&system_calls, 0, sizeof(system_calls));
        save = ram_save_new(&p, &error_abort);
        check_number(ram_save_setup(save, &error_abort), 0);
        if (fails) {
            system_calls.fail_at = 1 + system_calls.calls;
            system_calls.fail_errno = ENOSPC;
            check_number(ram_save_complete(save, &error), -ENOSPC);
            error_free(error);
            g_assert_cmpint(pread(fd, start, 9, 0x233), ==, 9);
            check(memcmp(start, "x\0\0\0\0\0\0\0\0", 9) == 0);
            check(mapped_ram_probe(fd, 0x234, 0, NULL, NULL) == NULL);
        } else {
            check_number(ram_save_complete(save, &error_abort), 0);
            file = mapped_ram_probe(fd, 0x234, 0, NULL, &error_abort);
            check(file->complete);
            mapped_ram_free(file);
        }
        ram_save_free(save);
    }
    close(fd);
    end();
}

/* Whatever fails there: no magic, and all that is behind it untouched. */
static void descriptor_fails_anywhere(void)
{
    static const uint8_t zeroes[8];
    RamSaveParameters p;
    unsigned calls;

    begin();
    p = parameters();
    p.path = NULL;
    p.fd = stage.fd;
    save_run(&p);
    calls = system_calls.calls;
    check(calls > 10);
    for (unsigned at = 1; at <= calls; at++) {
        Error *error = NULL;
        RamSave *save = save_new(&p);
        uint8_t start[9] = { 0 };

        memset(&system_calls, 0, sizeof(system_calls));
        system_calls.fail_at = at;
        system_calls.fail_errno = EIO;
        check_number(ram_save_run(save, &error), -EIO);
        error_free(error);
        ram_save_free(save);
        /* Call 1 was to empty it, 2 to have that on the disk, 3 writes the configuration. */
        if (at > 1) {
            check_number(pread(stage.fd, start, sizeof(start), 0), at > 3 ? (int)sizeof(start) : 0);
            check(memcmp(start, zeroes, sizeof(zeroes)) == 0);
            check_number(start[8], at > 3 ? 7 : 0);
        }
    }
    end();
}

static unsigned descriptors(void)
{
    GDir *open_ones = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(open_ones)) {
        count++;
    }
    g_dir_close(open_ones);
    return count;
}

static void closes_what_it_opened(void)
{
    unsigned before;
    int input;

    begin();
    input = dup(STDIN_FILENO);
    before = descriptors() - 1;
    for (unsigned what = 0; what < 3; what++) {
        RamSave *save = new_save();

        /* So that one of them is 0: the file, or what is opened at the end. */
        if (what < 2) {
            close(STDIN_FILENO);
        }
        check_number(ram_save_setup(save, &error_abort), 0);
        if (what == 2) {
            close(STDIN_FILENO);
        }
        if (what > 0) {
            check_number(ram_save_complete(save, &error_abort), 0);
        }
        ram_save_free(save);
        check_number(descriptors(), before);
        dup2(input, STDIN_FILENO);
    }
    end();
    close(input);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-SAVE-9/closes-what-it-opened", closes_what_it_opened);
    conformance_case("/R-SAVE-5/short-and-interrupted", short_and_interrupted_writes);
    conformance_case("/R-SAVE-9/fails-anywhere", fails_anywhere);
    conformance_case("/R-SAVE-9/descriptor", descriptor_of_the_caller);
    conformance_case("/R-SAVE-9/descriptor-fails-anywhere", descriptor_fails_anywhere);
    return g_test_run();
}
