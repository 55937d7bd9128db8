/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real QEMU, for comparison: `-machine none`, all of its RAM there, told over QMP what to do. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

enum { SETTLE_US = 300000 };    /* a migration that is said to be completed still has to let go of things */

static struct {
    pid_t pid;
    FILE *in, *out;
} qemu;

static const char *path(void)
{
    const char *named = getenv("MEMCORE_QEMU");

    return named ? named : "qemu-system-x86_64";
}

/* mapped-ram came with 9.0. */
static bool is_new_enough(void)
{
    char command[4200], line[200] = "";
    unsigned major = 0;
    FILE *version;

    snprintf(command, sizeof(command), "'%s' --version 2>/dev/null", path());
    version = popen(command, "r");
    if (version) {
        if (fgets(line, sizeof(line), version) && sscanf(line, "QEMU emulator version %u.", &major) != 1) {
            major = 0;
        }
        pclose(version);
    }
    line[strcspn(line, "\n")] = '\0';
    fprintf(stderr, "membench: %s\n", major >= 9 ? line : "no QEMU >= 9 to compare with (MEMCORE_QEMU names one)");
    return major >= 9;
}

/* Reads lines until one has a word of `done` in it; false if it is another one's that is wrong, or QEMU has gone. */
static bool read_until(const char *done)
{
    char *line = NULL;
    size_t room = 0;
    bool found = false, wrong = false;

    while (!found && !wrong && getline(&line, &room, qemu.out) > 0) {
        found = strstr(line, done) != NULL;
        wrong = strstr(line, "\"error\"") || strstr(line, "\"failed\"");
    }
    if (!found) {
        fprintf(stderr, "membench: QEMU: %s", wrong ? line : "gone\n");
    }
    free(line);
    return found;
}

__attribute__((format(printf, 1, 2))) static bool tell(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(qemu.in, format, arguments);
    va_end(arguments);
    fputc('\n', qemu.in);
    fflush(qemu.in);
    return read_until("\"return\"");
}

static bool move(const char *what, int fd, double *seconds)
{
    const double start = bench_seconds();

    fprintf(qemu.in, "{\"execute\": \"%s\", \"arguments\": {\"uri\": \"file:/proc/%d/fd/%d\"}}\n", what, (int)getpid(),
            fd);
    fflush(qemu.in);
    if (!read_until("\"completed\"")) {
        return false;
    }
    *seconds = bench_seconds() - start;
    usleep(SETTLE_US);
    return true;
}

bool bench_qemu_start(uint64_t ram, int fd)
{
    int in[2], out[2];
    char memory[40];
    double seconds;

    if (!is_new_enough() || pipe(in) != 0 || pipe(out) != 0) {
        return false;
    }
    snprintf(memory, sizeof(memory), "%lluM", (unsigned long long)(ram >> 20));
    qemu.pid = fork();
    if (qemu.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execlp(path(), path(), "-machine", "none", "-nodefaults", "-display", "none", "-m", memory, "-mem-prealloc",
               "-S", "-incoming", "defer", "-qmp", "stdio", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    qemu.in = fdopen(in[1], "w");
    qemu.out = fdopen(out[0], "r");
    signal(SIGPIPE, SIG_IGN);
    if (!tell("{\"execute\": \"qmp_capabilities\"}") ||
        !tell("{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": ["
              "{\"capability\": \"mapped-ram\", \"state\": true}, {\"capability\": \"events\", \"state\": true}]}}") ||
        !tell("{\"execute\": \"migrate-set-parameters\", \"arguments\": {"
              "\"max-bandwidth\": %llu, \"multifd-channels\": 2}}", 1ull << 40) ||
        !move("migrate-incoming", fd, &seconds)) {
        bench_qemu_end();
        return false;
    }
    return true;
}

/* A machine that was stopped by a migration is not migrated again; one that ran since then is. */
bool bench_qemu_save(int fd, bool multifd, double *seconds)
{
    return tell("{\"execute\": \"cont\"}") && tell("{\"execute\": \"stop\"}") &&
           tell("{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": ["
                "{\"capability\": \"multifd\", \"state\": %s}]}}", multifd ? "true" : "false") &&
           move("migrate", fd, seconds);
}

void bench_qemu_end(void)
{
    fclose(qemu.in);
    fclose(qemu.out);
    kill(qemu.pid, SIGKILL);
    waitpid(qemu.pid, NULL, 0);
}
