/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "minimize/minimize.h"
#include "model/block.h"
#include "run/subject.h"

/*
 * The child writes lines into a pipe that is also its stderr:
 *   "@step N"          before each step (unbuffered: the last one is where it crashed)
 *   "@refused N"       the host refused that step
 *   "@differs RULE|WHAT"   and what the core or a sanitizer says
 */
static void on_step(void *opaque, size_t index, const struct trace_step *written,
                    const struct trace_step *resolved, const struct observation *expected,
                    const struct observation *seen, enum run_outcome outcome)
{
    (void)opaque;
    (void)written;
    (void)resolved;
    (void)expected;
    (void)outcome;
    if (seen && seen->refused) {
        dprintf(STDERR_FILENO, "@refused %zu\n", index);
    }
    dprintf(STDERR_FILENO, "@step %zu\n", index + 1);
}

/* The line that differs first: run/check.c marks it in both texts. */
static const char *marked_line(const char *text)
{
    const char *mark = text && strncmp(text, "> ", 2) == 0 ? text : text ? strstr(text, "\n  > ") : NULL;

    return mark ? mark + strspn(mark, "\n >") : "";
}

/*
 * How they differ, without numbers: "region_nop for region_del", or the word in
 * which two lines of one kind differ first.  Many bugs break the same rule; this
 * keeps them apart.
 */
static void print_difference(const struct run_failure *f)
{
    const char *core = marked_line(f->core), *model = marked_line(f->model);
    int core_kind = (int)strcspn(core, " \n"), model_kind = (int)strcspn(model, " \n"), word = 1;

    if (!*core || !*model) {
        return;
    }
    if (core_kind != model_kind || strncmp(core, model, (size_t)core_kind) != 0) {
        dprintf(STDERR_FILENO, ": %.*s for %.*s", core_kind, core, model_kind, model);
        return;
    }
    while (*core == *model && *core && *core != '\n') {
        word += *core == ' ';
        core++;
        model++;
    }
    dprintf(STDERR_FILENO, ": %.*s differs in word %d", model_kind, marked_line(f->model), word);
}

static void __attribute__((noreturn)) child(const struct trace *t, const struct run_options *run)
{
    struct run_options options = *run;
    struct runner *r;

    alarm(MINIMIZE_SECONDS_PER_TRY);
    options.on_step = on_step;
    subject_start();
    r = runner_new(&options);
    dprintf(STDERR_FILENO, "@step 0\n");
    if (runner_run(r, t, NULL) != RUN_OK) {
        const struct run_failure *f = runner_failure(r);

        dprintf(STDERR_FILENO, "@step %zu\n@differs %s %s", f->step, f->rule, f->what);
        print_difference(f);
        dprintf(STDERR_FILENO, "\n");
        _exit(1);
    }
    _exit(0);
}

static char *read_all(int fd)
{
    size_t size = 0, capacity = 1 << 16;
    char *text = malloc(capacity);

    while (text) {
        ssize_t got = read(fd, text + size, capacity - size - 1);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            text[size] = '\0';
            return text;
        }
        size += (size_t)got;
        if (size + 1 == capacity) {
            capacity *= 2;
            text = realloc(text, capacity);
        }
    }
    abort();
}

static void copy_line(char *out, size_t capacity, const char *from)
{
    size_t length = strcspn(from, "\n");

    snprintf(out, capacity, "%.*s", (int)(length < capacity ? length : capacity - 1), from);
}

/*
 * "    #0 0x55...  (/path/program+0x1234)" or "    #0 0x55... in f file.c:12:3":
 * the offset, or what follows "in", is the same in every run.
 */
static void add_frames(char *out, size_t capacity, const char *report)
{
    const char *frame = report;

    for (int i = 0; i < 3; i++) {
        char mark[16], line[512];
        const char *open;

        snprintf(mark, sizeof(mark), "#%d ", i);
        frame = strstr(frame, mark);
        if (!frame) {
            return;
        }
        copy_line(line, sizeof(line), frame);
        open = strstr(line, " in ");
        open = open ? open + 3 : strrchr(line, '+');
        if (open) {
            size_t used = strlen(out);

            snprintf(out + used, capacity - used, " %.*s", (int)strcspn(open, ")"), open);
        }
        frame++;
    }
}

static const char *after_last(const char *text, const char *mark)
{
    const char *found = NULL;

    for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark)) {
        found = at + strlen(mark);
    }
    return found;
}

static void describe(const char *text, int status, struct failure_signature *out)
{
    const char *at, *step = after_last(text, "@step ");

    out->step = step ? strtoul(step, NULL, 10) : 0;
    if ((at = after_last(text, "@differs "))) {
        copy_line(out->text, sizeof(out->text), at);
        snprintf(out->summary, sizeof(out->summary), "%.150s", out->text);
    } else if ((at = strstr(text, "ERROR: AddressSanitizer: ")) || (at = strstr(text, "ERROR: LeakSanitizer: "))) {
        at = strchr(at, ':') + 2;
        snprintf(out->text, sizeof(out->text), "%.*s", (int)strcspn(strchr(at, ' ') ? strchr(at, ' ') + 1 : at, " \n"),
                 strchr(at, ' ') ? strchr(at, ' ') + 1 : at);
        snprintf(out->summary, sizeof(out->summary), "AddressSanitizer: %.120s", out->text);
        add_frames(out->text, sizeof(out->text), at);
    } else if ((at = strstr(text, "runtime error: "))) {
        copy_line(out->text, sizeof(out->text), at);
        snprintf(out->summary, sizeof(out->summary), "UBSan %.140s", out->text);
        add_frames(out->text, sizeof(out->text), at);
    } else if ((at = strstr(text, "memcore: "))) {
        /* function and rule; the objects' names and numbers in between change while minimizing */
        const char *rule = strstr(at, "(R-");

        copy_line(out->summary, sizeof(out->summary), at);
        at += strlen("memcore: ");
        if (strstr(at, ": assertion failed: ")) {       /* FILE:LINE: function: assertion failed: ... */
            at += strcspn(at, " \n");
            copy_line(out->text, sizeof(out->text), at + (*at == ' '));
        } else {
            snprintf(out->text, sizeof(out->text), "%.*s %.*s", (int)strcspn(at, ": \n"), at,
                     rule ? (int)strcspn(rule, ")\n") + 1 : 0, rule ? rule : "");
        }
    } else if (WIFSIGNALED(status)) {
        snprintf(out->text, sizeof(out->text), "%s",
                 WTERMSIG(status) == SIGALRM ? "hang" : strsignal(WTERMSIG(status)));
        snprintf(out->summary, sizeof(out->summary), "%.150s", out->text);
    } else {
        snprintf(out->text, sizeof(out->text), "exit %d", WEXITSTATUS(status));
        snprintf(out->summary, sizeof(out->summary), "%.150s", out->text);
    }
}

/* A crash inside of a step that a failure waits for: most likely that struck. */
static bool crashed_refused(const struct trace *t, const char *text, size_t step)
{
    bool waits = false;

    if (!*text || step >= t->count || strstr(text, "@differs ") || !block_may_fail(t->steps[step].op)) {
        return false;
    }
    for (size_t i = 0; i < step; i++) {
        waits |= t->steps[i].op == TRACE_OP_FAIL;
    }
    return waits;
}

static void note_refused(const struct trace *t, const char *text, const struct failure_signature *failure,
                         bool *refused)
{
    static const char mark[] = "@refused ";

    for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark)) {
        const size_t step = strtoul(at + strlen(mark), NULL, 10);

        if (step < t->count) {
            refused[step] = true;
        }
    }
    if (failure->text[0] && crashed_refused(t, text, failure->step)) {
        refused[failure->step] = true;
    }
}

void failure_probe(const struct trace *t, const struct run_options *options, struct failure_signature *out,
                   bool *refused)
{
    int pipe_fds[2], status = 0;
    char *text;
    pid_t pid;

    memset(out, 0, sizeof(*out));
    fflush(NULL);
    if (pipe(pipe_fds) || (pid = fork()) < 0) {
        perror("memtrace: cannot start a process");
        exit(2);
    }
    if (pid == 0) {
        close(pipe_fds[0]);
        dup2(pipe_fds[1], STDERR_FILENO);
        dup2(pipe_fds[1], STDOUT_FILENO);
        close(pipe_fds[1]);
        child(t, options);
    }
    close(pipe_fds[1]);
    text = read_all(pipe_fds[0]);
    close(pipe_fds[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        describe(text, status, out);
    }
    if (refused) {
        note_refused(t, text, out, refused);
    }
    free(text);
}
