/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memtrace/restart.h"
#include "memtrace/triage.h"

enum { SELF_SECONDS = 300 };

void *triage_shared(size_t size)
{
    void *memory = mmap(NULL, MAX(size, 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        perror("memtrace triage: no memory for the results");
        exit(2);
    }
    return memory;
}

static void show_progress(const struct triage *t, const char *phase, guint done, guint count)
{
    static int percent_shown = -1;
    int percent = count ? (int)(done * 100ull / count) : 100;

    if (t->quiet) {
        return;
    }
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%s: %u of %u", phase, done, count);
        if (done == count) {
            fputs("\r\033[K", stderr);
        }
    } else if (count >= 100 && percent / 25 != percent_shown / 25) {
        fprintf(stderr, "%s: %u of %u\n", phase, done, count);
    }
    percent_shown = done == count ? -1 : percent;
    fflush(stderr);
}

/* A process that takes indices until there are none; told about on the pipe, a byte each. */
static pid_t start_worker(struct triage *t, guint count, guint *next, int done_fd,
                          void (*work)(struct triage *t, guint index))
{
    pid_t pid = fork();

    if (pid < 0) {
        perror("memtrace triage: cannot start a process");
        exit(2);
    }
    if (pid == 0) {
        guint index;

        while ((index = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < count) {
            work(t, index);
            if (write(done_fd, "", 1) != 1) {
                break;
            }
        }
        fflush(NULL);
        _exit(0);
    }
    return pid;
}

void triage_each(struct triage *t, guint count, const char *phase,
                 void (*work)(struct triage *t, guint index))
{
    guint *next = triage_shared(sizeof(*next)), done = 0;
    int pipe_fds[2];
    char bytes[256];
    ssize_t got;

    fflush(NULL);
    if (pipe(pipe_fds) != 0) {
        perror("memtrace triage: cannot start a process");
        exit(2);
    }
    show_progress(t, phase, 0, count);
    for (unsigned i = 0; i < MIN(t->jobs, count); i++) {
        start_worker(t, count, next, pipe_fds[1], work);
    }
    close(pipe_fds[1]);
    while ((got = read(pipe_fds[0], bytes, sizeof(bytes))) > 0) {
        done += (guint)got;
        show_progress(t, phase, done, count);
    }
    close(pipe_fds[0]);
    while (wait(NULL) > 0) {
    }
    munmap(next, sizeof(*next));
}

static void prepare_self(gpointer unused)
{
    (void)unused;
    alarm(SELF_SECONDS); /* outlives exec: nothing that is started here stays forever */
    restart_with_symbols_in_child();
    dup2(STDOUT_FILENO, STDERR_FILENO);
}

int triage_run_self(const char *const *arguments, char **text)
{
    GPtrArray *argv = g_ptr_array_new();
    char *output = NULL;
    int wait_status;

    g_ptr_array_add(argv, (gpointer) "/proc/self/exe");
    for (; *arguments; arguments++) {
        g_ptr_array_add(argv, (gpointer)*arguments);
    }
    g_ptr_array_add(argv, NULL);
    if (!g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, prepare_self, NULL, &output, NULL,
                      &wait_status, NULL)) {
        wait_status = SIGKILL;
    }
    g_ptr_array_unref(argv);
    if (text) {
        *text = output ? output : g_strdup("");
    } else {
        g_free(output);
    }
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
}
