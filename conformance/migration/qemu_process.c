/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu_process.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/conformance.h"
#include "exec/cpu-common.h"

enum { POLLS = 1000, POLL_US = 20000 };

static const char *qemu_path(void)
{
    const char *path = getenv("MEMCORE_QEMU");

    return path ? path : "qemu-system-x86_64";
}

static bool skipped;        /* then the program says so: exit status 77 */

const char *no_qemu(void)
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

/* Events in between are skipped. */
char *qemu_ask(Qemu *qemu, const char *command)
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

bool skip_without_qemu(void)
{
    const char *why = no_qemu();

    if (why) {
        g_test_skip(why);
        skipped = true;
    }
    return why != NULL;
}

int qemu_status(int status)
{
    return status == 0 && skipped ? QEMU_SKIPPED : status;
}

void qemu_tell(Qemu *qemu, const char *format, ...)
{
    char *command, *answer;
    va_list arguments;

    va_start(arguments, format);
    command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    answer = qemu_ask(qemu, command);
    if (!strstr(answer, "\"return\"")) {
        g_test_message("%s", command);
        check_text(answer, "\"return\"");
    }
    g_free(answer);
    g_free(command);
}

void qemu_start_as(Qemu *qemu, const char *const *more)
{
    static const char *const always[] = { "-nodefaults", "-display", "none", "-m", "16M", "-qmp", "stdio" };
    GPtrArray *arguments = g_ptr_array_new();
    GError *error = NULL;
    int in, out;

    g_ptr_array_add(arguments, (char *)qemu_path());
    for (size_t i = 0; i < G_N_ELEMENTS(always); i++) {
        g_ptr_array_add(arguments, (char *)always[i]);
    }
    for (; *more; more++) {
        g_ptr_array_add(arguments, (char *)*more);
    }
    g_ptr_array_add(arguments, NULL);
    g_spawn_async_with_pipes(NULL, (char **)arguments->pdata, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                             NULL, NULL, &qemu->pid, &in, &out, NULL, &error);
    g_assert_no_error(error);
    g_ptr_array_unref(arguments);
    qemu->in = fdopen(in, "w");
    qemu->out = fdopen(out, "r");
    qemu_tell(qemu, "{\"execute\": \"qmp_capabilities\"}");
}

void qemu_start(Qemu *qemu)
{
    qemu_start_as(qemu, (const char *const[]){ "-machine", "none", "-S", "-incoming", "defer", NULL });
}

void qemu_set_capability(Qemu *qemu, const char *name, bool on)
{
    qemu_tell(qemu, "{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": "
              "[{\"capability\": \"%s\", \"state\": %s}]}}", name, on ? "true" : "false");
}

static bool wait_completed(Qemu *qemu, bool report)
{
    bool completed = false, failed = false;

    for (unsigned i = 0; i < POLLS && !completed && !failed; i++) {
        char *answer = qemu_ask(qemu, "{\"execute\": \"query-migrate\"}");

        completed = strstr(answer, "\"status\": \"completed\"") != NULL;
        failed = strstr(answer, "\"status\": \"failed\"") != NULL || !strstr(answer, "\"return\"");
        if (failed && report) {
            check_text(answer, "\"status\": \"completed\"");
        }
        g_free(answer);
        g_usleep(completed || failed ? 0 : POLL_US);
    }
    return completed;
}

void qemu_wait_completed(Qemu *qemu, const char *what)
{
    const bool completed = wait_completed(qemu, true);

    check_condition_at(G_STRLOC, what, completed);
}

bool qemu_completes(Qemu *qemu)
{
    return wait_completed(qemu, false);
}

void qemu_end(Qemu *qemu)
{
    fprintf(qemu->in, "{\"execute\": \"quit\"}\n");
    fclose(qemu->in);
    fclose(qemu->out);
    waitpid(qemu->pid, NULL, 0);
    g_spawn_close_pid(qemu->pid);
}

void qemu_fill(uint8_t *memory)
{
    for (uint64_t page = 0; page < QEMU_RAM / TARGET_PAGE_SIZE; page++) {
        if (page % 5 == 1 || page == QEMU_RAM / TARGET_PAGE_SIZE - 1) {
            for (uint64_t i = 0; i < TARGET_PAGE_SIZE; i++) {
                memory[page * TARGET_PAGE_SIZE + i] = (uint8_t)(page * 7 + i * 3 + (page >> 8));
            }
        }
    }
}
