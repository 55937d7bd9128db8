/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files exchanged with a real QEMU >= 9 (R-SAVE-11, R-MRAM-8).
 *
 * Which QEMU: $MEMCORE_QEMU, or qemu-system-x86_64.  Without one, or with an older one, the
 * cases are skipped and say so.
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/conformance.h"
#include "exec/ramblock.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"

enum { LENGTH = 16 << 20, POLLS = 1000, POLL_US = 20000 };

/* --- QEMU on the other end of two pipes --------------------------------------------------- */

typedef struct {
    GPid pid;
    FILE *in, *out;
} Qemu;

static const char *qemu_path(void)
{
    const char *path = getenv("MEMCORE_QEMU");

    return path ? path : "qemu-system-x86_64";
}

static bool skipped;        /* then the program says so: exit status 77 */

/* Why there is nothing to exchange files with; NULL: there is. */
static const char *no_qemu(void)
{
    char *arguments[] = { (char *)qemu_path(), (char *)"--version", NULL }, *text = NULL;
    const char *why = NULL;
    unsigned major = 0;

    if (TARGET_PAGE_BITS != 12) {
        return "x86 has pages of 4 KiB";
    }
    if (!g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, NULL, NULL, NULL)) {
        why = "there is no qemu-system-x86_64; MEMCORE_QEMU names another";
    } else if (sscanf(text, "QEMU emulator version %u.", &major) != 1 || major < 9) {
        why = "qemu-system-x86_64 is older than 9; MEMCORE_QEMU names another";
    }
    g_free(text);
    return why;
}

/* The answer to a command; g_free.  Events in between are skipped. */
static char *ask(Qemu *qemu, const char *command)
{
    char *line = NULL;
    size_t room = 0;

    fprintf(qemu->in, "%s\n", command);
    fflush(qemu->in);
    while (getline(&line, &room, qemu->out) > 0) {
        if (strstr(line, "\"return\"") || strstr(line, "\"error\"")) {
            char *answer = g_strdup(line);

            free(line);
            return answer;
        }
    }
    free(line);
    return g_strdup("(QEMU has gone)");
}

static void tell(Qemu *qemu, const char *command)
{
    char *answer = ask(qemu, command);

    if (!strstr(answer, "\"return\"")) {
        check_text(answer, "\"return\"");
    }
    g_free(answer);
}

static void qemu_start(Qemu *qemu)
{
    const char *const arguments[] = {
        qemu_path(), "-machine", "none", "-nodefaults", "-display", "none", "-m", "16M", "-S", "-incoming", "defer",
        "-qmp", "stdio", NULL,
    };
    GError *error = NULL;
    int in, out;

    g_spawn_async_with_pipes(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                             &qemu->pid, &in, &out, NULL, &error);
    g_assert_no_error(error);
    qemu->in = fdopen(in, "w");
    qemu->out = fdopen(out, "r");
    tell(qemu, "{\"execute\": \"qmp_capabilities\"}");
}

static void set_capability(Qemu *qemu, const char *name)
{
    char *command = g_strdup_printf("{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": "
                                    "[{\"capability\": \"%s\", \"state\": true}]}}", name);

    tell(qemu, command);
    g_free(command);
}

/* "migrate" or "migrate-incoming", to its end. */
static void move(Qemu *qemu, const char *what, const char *path)
{
    char *command = g_strdup_printf("{\"execute\": \"%s\", \"arguments\": {\"uri\": \"file:%s\"}}", what, path);
    bool completed = false, failed = false;

    tell(qemu, command);
    g_free(command);
    for (unsigned i = 0; i < POLLS && !completed && !failed; i++) {
        char *answer = ask(qemu, "{\"execute\": \"query-migrate\"}");

        completed = strstr(answer, "\"status\": \"completed\"") != NULL;
        failed = strstr(answer, "\"status\": \"failed\"") != NULL || !strstr(answer, "\"return\"");
        if (failed) {
            check_text(answer, "\"status\": \"completed\"");
        }
        g_free(answer);
        g_usleep(completed || failed ? 0 : POLL_US);
    }
    check_condition_at(G_STRLOC, what, completed);
}

static void qemu_end(Qemu *qemu)
{
    fprintf(qemu->in, "{\"execute\": \"quit\"}\n");
    fclose(qemu->in);
    fclose(qemu->out);
    waitpid(qemu->pid, NULL, 0);
    g_spawn_close_pid(qemu->pid);
}

/* --- there and back ------------------------------------------------------------------------- */

static void fill(uint8_t *memory)
{
    for (uint64_t page = 0; page < LENGTH / TARGET_PAGE_SIZE; page++) {
        if (page % 5 == 1 || page == LENGTH / TARGET_PAGE_SIZE - 1) {
            for (uint64_t i = 0; i < TARGET_PAGE_SIZE; i++) {
                memory[page * TARGET_PAGE_SIZE + i] = (uint8_t)(page * 7 + i * 3 + (page >> 8));
            }
        }
    }
}

/* memcore saves, QEMU loads that and saves, memcore loads: memory is what it was. */
static void there_and_back(const char *capability)
{
    const char *why = no_qemu();
    char *folder, *ours, *theirs;
    uint8_t *before;
    RamSaveParameters parameters;
    MappedRamFile *file;
    MemoryRegion *ram;
    RAMBlock *block;
    RamSave *save;
    Qemu qemu;
    int fd;

    if (why) {
        g_test_skip(why);
        skipped = true;
        return;
    }
    ram = stage_ram_migratable("ram", LENGTH);
    block = qemu_ram_block_by_name(memory_region_name(ram));
    fill(block->host);
    before = g_memdup2(block->host, LENGTH);
    folder = g_dir_make_tmp("memcore-qemu-XXXXXX", NULL);
    ours = g_build_filename(folder, "ours.mig", NULL);
    theirs = g_build_filename(folder, "theirs.mig", NULL);

    parameters = (RamSaveParameters){ .path = ours, .machine = "none" };
    save = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);

    qemu_start(&qemu);
    set_capability(&qemu, "mapped-ram");
    if (capability) {
        set_capability(&qemu, capability);
    }
    move(&qemu, "migrate-incoming", ours);
    move(&qemu, "migrate", theirs);
    qemu_end(&qemu);

    memset(block->host, 0x55, LENGTH);
    fd = open(theirs, O_RDONLY | O_CLOEXEC);
    file = mapped_ram_probe(fd, 0, 0, "none", &error_abort);
    memcore_set_vm_running(false);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    memcore_set_vm_running(true);
    check(memcmp(block->host, before, LENGTH) == 0);

    mapped_ram_free(file);
    close(fd);
    unlink(ours);
    unlink(theirs);
    rmdir(folder);
    g_free(ours);
    g_free(theirs);
    g_free(folder);
    g_free(before);
}

static void plain(void)
{
    there_and_back(NULL);
}

static void multifd(void)
{
    there_and_back("multifd");
}

int main(int argc, char **argv)
{
    int status;

    signal(SIGPIPE, SIG_IGN);
    conformance_start(&argc, &argv);
    conformance_case("/R-SAVE-11/there-and-back", plain);
    conformance_case("/R-MRAM-8/multifd", multifd);
    status = g_test_run();
    return status == 0 && skipped ? 77 : status;
}
