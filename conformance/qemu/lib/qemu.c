/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starting a machine takes tens of milliseconds; an answer that takes this long never comes. */
enum { TIMEOUT_MS = 30 * 1000 };

/* A line-wise connection. */
struct channel {
    int fd;
    GString *read;
    gsize next;         /* where in `read` the next line begins */
    gsize searched;     /* no line ends between `next` and here */
};

struct qemu {
    pid_t pid;
    struct channel monitor, qtest;
    int complaints;     /* reading end of standard error */
    char *trouble;
};

static void fail(struct qemu *q, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The last line that QEMU printed on standard error: why it ended. */
static char *last_complaint(struct qemu *q)
{
    char text[4096];
    ssize_t size = 0, more;

    while (size < (ssize_t)sizeof(text) - 1 &&
           poll(&(struct pollfd){ .fd = q->complaints, .events = POLLIN }, 1, 200) > 0 &&
           (more = read(q->complaints, text + size, sizeof(text) - 1 - (size_t)size)) > 0) {
        size += more;
    }
    text[size] = '\0';
    g_strstrip(text);
    return g_strdup(strrchr(text, '\n') ? strrchr(text, '\n') + 1 : text);
}

static void fail(struct qemu *q, const char *format, ...)
{
    va_list arguments;
    char *what, *complaint;

    if (q->trouble) {
        return;
    }
    va_start(arguments, format);
    what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    complaint = last_complaint(q);
    q->trouble = *complaint ? g_strdup_printf("%s (%s)", what, complaint) : g_strdup(what);
    g_free(complaint);
    g_free(what);
}

const char *qemu_trouble(const struct qemu *q)
{
    return q->trouble;
}

/* --- lines ---------------------------------------------------------------------- */

/* A line that is there already, without its end, or NULL. */
static char *take_line(struct channel *c)
{
    char *start = c->read->str + c->next, *end = strchr(c->read->str + c->searched, '\n');

    if (!end) {
        g_string_erase(c->read, 0, (gssize)c->next);
        c->next = 0;
        c->searched = c->read->len;
        return NULL;
    }
    c->next = c->searched = (gsize)(end + 1 - c->read->str);
    return g_strndup(start, (gsize)(end - start));
}

/* Waits until there is more to read or, if `sending`, room to send; false after fail(). */
static bool wait_for(struct qemu *q, struct channel *c, bool sending)
{
    struct pollfd waiting = { .fd = c->fd, .events = (short)(POLLIN | (sending ? POLLOUT : 0)) };
    char buffer[65536];
    ssize_t size;

    if (poll(&waiting, 1, TIMEOUT_MS) <= 0) {
        fail(q, "QEMU did not answer for %d s", TIMEOUT_MS / 1000);
    } else if (!(waiting.revents & POLLOUT) || (waiting.revents & POLLIN)) {
        if ((size = read(c->fd, buffer, sizeof(buffer))) <= 0) {
            fail(q, "QEMU ended");
        } else {
            g_string_append_len(c->read, buffer, size);
        }
    }
    return !q->trouble;
}

/* The next line without its end; NULL after fail(). */
static char *read_line(struct qemu *q, struct channel *c)
{
    while (!q->trouble) {
        char *line = take_line(c);

        if (line || !wait_for(q, c, false)) {
            return line;
        }
    }
    return NULL;
}

static void send_line(struct qemu *q, struct channel *c, const char *line)
{
    char *whole = g_strconcat(line, "\n", NULL);
    size_t size = strlen(whole), sent = 0;

    while (!q->trouble && sent < size) {
        ssize_t more = send(c->fd, whole + sent, size - sent, MSG_NOSIGNAL);

        if (more < 0) {
            fail(q, "QEMU ended");
        } else {
            sent += (size_t)more;
        }
    }
    g_free(whole);
}

/* --- the machine protocol --------------------------------------------------------- */

/* The answer to the last command: a line with `return` or `error`; events are skipped.  NULL after fail(). */
static char *read_answer(struct qemu *q)
{
    char *line;

    while ((line = read_line(q, &q->monitor))) {
        if (g_str_has_prefix(line, "{\"return\": ") || g_str_has_prefix(line, "{\"error\": ")) {
            return line;
        }
        g_free(line);
    }
    return NULL;
}

bool qemu_command(struct qemu *q, const char *json)
{
    char *answer;
    bool done;

    send_line(q, &q->monitor, json);
    answer = read_answer(q);
    done = answer && g_str_has_prefix(answer, "{\"return\": ");
    g_free(answer);
    return done;
}

/* A JSON string that begins at `from` (after its quote), as text; monitors print ASCII. */
static char *unescape(const char *from)
{
    GString *text = g_string_new(NULL);

    for (; *from && *from != '"'; from++) {
        char c = *from;

        if (c == '\\') {
            static const char letters[] = "nrtbf", meanings[] = "\n\r\t\b\f";
            const char *letter = strchr(letters, *++from);

            if (!*from) {
                break;
            }
            c = letter ? meanings[letter - letters] : *from;
            if (*from == 'u') {
                c = (char)strtol((char[]){ from[3], from[4], '\0' }, NULL, 16);
                from += strnlen(from, 5) == 5 ? 4 : 0;
            }
        }
        if (c != '\r') {
            g_string_append_c(text, c);
        }
    }
    return g_string_free(text, FALSE);
}

char *qemu_human(struct qemu *q, const char *command)
{
    char *json = g_strdup_printf("{'execute':'human-monitor-command','arguments':{'command-line':'%s'}}",
                                 command);
    char *answer, *text;

    send_line(q, &q->monitor, json);
    answer = read_answer(q);
    g_free(json);
    if (answer && !g_str_has_prefix(answer, "{\"return\": \"")) {
        fail(q, "QEMU refused `%s`: %s", command, answer);
    }
    text = q->trouble ? g_strdup("") : unescape(answer + strlen("{\"return\": \""));
    g_free(answer);
    return text;
}

/* --- qtest ------------------------------------------------------------------------- */

static uint64_t ask(struct qemu *q, const char *format, ...) G_GNUC_PRINTF(2, 3);
static uint64_t ask(struct qemu *q, const char *format, ...)
{
    va_list arguments;
    char *line, *answer;
    uint64_t value = 0;

    va_start(arguments, format);
    line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    send_line(q, &q->qtest, line);
    answer = read_line(q, &q->qtest);
    if (answer && !g_str_has_prefix(answer, "OK")) {
        fail(q, "QEMU answered `%s` to `%s`", answer, line);
    } else if (answer && g_str_has_prefix(answer, "OK ")) {
        value = g_ascii_strtoull(answer + 3, NULL, 0);
    }
    g_free(answer);
    g_free(line);
    return value;
}

static char port_letter(int width)
{
    return width == 1 ? 'b' : width == 2 ? 'w' : 'l';
}

static char memory_letter(int width)
{
    return width == 8 ? 'q' : port_letter(width);
}

uint64_t qemu_in(struct qemu *q, int width, uint16_t port)
{
    return ask(q, "in%c 0x%x", port_letter(width), port);
}

void qemu_out(struct qemu *q, int width, uint16_t port, uint32_t value)
{
    ask(q, "out%c 0x%x 0x%x", port_letter(width), port, value);
}

uint64_t qemu_read(struct qemu *q, int width, uint64_t address)
{
    return ask(q, "read%c 0x%" PRIx64, memory_letter(width), address);
}

void qemu_write(struct qemu *q, int width, uint64_t address, uint64_t value)
{
    ask(q, "write%c 0x%" PRIx64 " 0x%" PRIx64, memory_letter(width), address, value);
}

/* Neither side may wait for the other to read: answers are taken in while commands go out. */
GPtrArray *qemu_batch(struct qemu *q, const GString *lines, size_t count)
{
    GPtrArray *answers = g_ptr_array_new_with_free_func(g_free);
    size_t sent = 0;

    while (sent < lines->len && wait_for(q, &q->qtest, true)) {
        ssize_t more = send(q->qtest.fd, lines->str + sent, lines->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (more < 0 && errno != EAGAIN) {
            fail(q, "QEMU ended");
        }
        sent += more > 0 ? (size_t)more : 0;
    }
    while (answers->len < count) {
        char *answer = read_line(q, &q->qtest);

        if (answer && !g_str_has_prefix(answer, "OK")) {
            fail(q, "QEMU answered `%s` to command %u of %zu", answer, answers->len + 1, count);
        }
        if (q->trouble) {
            g_free(answer);
            break;
        }
        g_ptr_array_add(answers, g_strdup(answer + (answer[2] == ' ' ? 3 : 2)));
        g_free(answer);
    }
    return answers;
}

/* --- the process --------------------------------------------------------------------- */

char *qemu_find(const char *architecture)
{
    char *name = g_strconcat("qemu-system-", architecture, NULL);
    char *path = g_find_program_in_path(name);

    g_free(name);
    return path;
}

static char **command_line(const char *path, const char *arguments, int monitor, int qtest)
{
    /* The log of all qtest commands goes to standard error otherwise. */
    static const char *const always[] = {
        "-qtest", "chardev:qtest", "-qtest-log", "none", "-S", "-display", "none", "-net", "none",
        "-serial", "null", "-parallel", "none",
    };
    GPtrArray *words = g_ptr_array_new();
    char **more = g_strsplit(arguments, " ", -1);

    g_ptr_array_add(words, g_strdup(path));
    g_ptr_array_add(words, g_strdup("-chardev"));
    g_ptr_array_add(words, g_strdup_printf("socket,id=monitor,fd=%d", monitor));
    g_ptr_array_add(words, g_strdup("-mon"));
    g_ptr_array_add(words, g_strdup("chardev=monitor,mode=control"));
    g_ptr_array_add(words, g_strdup("-chardev"));
    g_ptr_array_add(words, g_strdup_printf("socket,id=qtest,fd=%d", qtest));
    for (size_t i = 0; i < G_N_ELEMENTS(always); i++) {
        g_ptr_array_add(words, g_strdup(always[i]));
    }
    for (int i = 0; more[i]; i++) {
        if (*more[i]) {
            g_ptr_array_add(words, g_strdup(more[i]));
        }
    }
    g_strfreev(more);
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

/* In the child: only async-signal-safe calls. */
static void become(char **words, pid_t parent, int complaints)
{
    int null = open("/dev/null", O_RDWR);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* An access to a byte of its RAM would clear two megabytes. */
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    if (getppid() != parent) {
        _exit(126);
    }
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(complaints, STDERR_FILENO);
    execv(words[0], words);
    _exit(127);
}

struct qemu *qemu_start(const char *path, const char *arguments)
{
    struct qemu *q = g_new0(struct qemu, 1);
    int monitor[2], qtest[2], complaints[2];
    pid_t parent = getpid();
    char **words;

    /* Our ends are closed in the child; its ends keep their numbers across exec. */
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, monitor) || socketpair(AF_UNIX, SOCK_STREAM, 0, qtest) ||
        pipe(complaints)) {
        g_error("no pipes: %s", g_strerror(errno));
    }
    fcntl(monitor[0], F_SETFD, FD_CLOEXEC);
    fcntl(qtest[0], F_SETFD, FD_CLOEXEC);
    fcntl(complaints[0], F_SETFD, FD_CLOEXEC);
    words = command_line(path, arguments, monitor[1], qtest[1]);
    q->pid = fork();
    if (q->pid == 0) {
        become(words, parent, complaints[1]);
    }
    if (q->pid < 0) {
        g_error("no process: %s", g_strerror(errno));
    }
    close(monitor[1]);
    close(qtest[1]);
    close(complaints[1]);
    g_strfreev(words);
    q->monitor = (struct channel){ .fd = monitor[0], .read = g_string_new(NULL) };
    q->qtest = (struct channel){ .fd = qtest[0], .read = g_string_new(NULL) };
    q->complaints = complaints[0];
    if (!qemu_command(q, "{'execute':'qmp_capabilities'}")) {
        fail(q, "QEMU did not start");
    }
    return q;
}

void qemu_stop(struct qemu *q)
{
    if (!q) {
        return;
    }
    kill(q->pid, SIGKILL);
    waitpid(q->pid, NULL, 0);
    close(q->monitor.fd);
    close(q->qtest.fd);
    close(q->complaints);
    g_string_free(q->monitor.read, TRUE);
    g_string_free(q->qtest.read, TRUE);
    g_free(q->trouble);
    g_free(q);
}
