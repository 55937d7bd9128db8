/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapter 1.7: a host that is really full, or forbids: not planted failures but the kernel's own. */
#include "common/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define H host_page()

static void refuse_path(const char *path, bool readonly, int number)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    char *before = text_of_blocks();
    const int64_t size = file_size(path);
    Error *error = NULL;

    memory_region_init_ram_from_file(mr, NULL, "file", 4 * H, 0, RAM_SHARED, path, readonly, &error);
    check_init_refused(mr, error, before, path, strerror(number));
    check_number((uint64_t)file_size(path), (uint64_t)size);
    g_free(before);
}

static bool is_empty_folder(const char *folder)
{
    GDir *listing = g_dir_open(folder, 0, NULL);
    const bool empty = listing && !g_dir_read_name(listing);

    if (listing) {
        g_dir_close(listing);
    }
    return empty;
}

/* ---- a file system without room for another name, then one that is for reading only ---- */

static void in_a_full_file_system(void)
{
    const char *folder = file_path("full");
    char *name = g_build_filename(folder, "file", NULL), *inner = g_build_filename(folder, "inner", NULL);

    g_assert_true(mkdir(folder, 0700) == 0);
    g_assert_true(file_system_mount(folder, "tmpfs", "nr_inodes=2"));       /* its root, and one more */
    g_assert_true(mkdir(inner, 0700) == 0);
    refuse_path(name, false, ENOSPC);
    refuse_path(inner, false, ENOSPC);
    check(is_empty_folder(inner));

    g_assert_true(rmdir(inner) == 0);
    g_assert_true(mount(NULL, folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    refuse_path(name, false, EROFS);
    refuse_path(folder, false, EROFS);
    check(is_empty_folder(folder));
    g_assert_true(umount(folder) == 0);
    g_free(inner);
    g_free(name);
}

static void no_room(void)
{
    if (g_test_subprocess()) {
        in_a_full_file_system();
    } else if (!file_system_possible("tmpfs", "nr_inodes=2")) {
        g_test_skip("no permission to mount a file system");
    } else {
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_passed();
    }
}

/* ---- limits of the process ---- */

static struct rlimit lower(int resource, rlim_t to)
{
    struct rlimit was, now;

    g_assert_true(getrlimit(resource, &was) == 0);
    now = was;
    now.rlim_cur = to;
    g_assert_true(setrlimit(resource, &now) == 0);
    return was;
}

static void restore(int resource, const struct rlimit *was)
{
    g_assert_true(setrlimit(resource, was) == 0);
}

/* An empty file cannot be made long enough: it stays empty, or goes again. */
static void files_may_not_be_long(void)
{
    const char *absent = file_path("absent"), *empty = file_made("empty", 0), *folder = file_path("folder");
    const int fds[] = { open(empty, O_RDWR | O_CLOEXEC), memfd_create("empty", MFD_CLOEXEC) };
    struct rlimit was;

    g_assert_true(mkdir(folder, 0700) == 0);
    signal(SIGXFSZ, SIG_IGN);
    was = lower(RLIMIT_FSIZE, 2 * H);
    refuse_path(absent, false, EFBIG);
    refuse_path(empty, false, EFBIG);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        char *before = text_of_blocks();
        struct stat status;
        Error *error = NULL;

        memory_region_init_ram_from_fd(mr, NULL, "fd", 4 * H, RAM_SHARED, fds[i], 0, &error);
        check_init_refused(mr, error, before, strerror(EFBIG), NULL);
        g_assert_true(fstat(fds[i], &status) == 0);
        check_number((uint64_t)status.st_size, 0);
        g_free(before);
    }
    restore(RLIMIT_FSIZE, &was);
    signal(SIGXFSZ, SIG_DFL);
    close(fds[0]);
    close(fds[1]);
}

static void no_descriptor_left(void)
{
    const char *file = file_made("file", 4 * H), *absent = file_path("absent"), *folder = file_path("folder");
    int next;
    struct rlimit was;

    g_assert_true(mkdir(folder, 0700) == 0);
    next = dup(0);
    g_assert_true(next >= 0 && close(next) == 0);
    was = lower(RLIMIT_NOFILE, (rlim_t)next);
    refuse_path(file, false, EMFILE);
    refuse_path(file, true, EMFILE);
    refuse_path(absent, false, EMFILE);
    refuse_path(folder, false, EMFILE);
    restore(RLIMIT_NOFILE, &was);
    check(is_empty_folder(folder));
}

/* A name that leads to itself, or is longer than there are: what the kernel says, with the path. */
static void names(void)
{
    const char *loop = file_path("loop");
    char *long_name = g_strnfill(300, 'n');

    g_assert_true(symlink(loop, loop) == 0);
    refuse_path(loop, false, ELOOP);
    refuse_path(file_path(long_name), false, ENAMETOOLONG);
    g_free(long_name);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-FILE-1/no-room", no_room);
    conformance_case("/R-FILE-3/files-may-not-be-long", files_may_not_be_long);
    conformance_case("/R-FILE-1/no-descriptor-left", no_descriptor_left);
    conformance_case("/R-FILE-1/names", names);
    return ram_run();
}
