/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core in a world so small that all of it can be tried: see README.md.
 *
 *   parent --fork--> worker 0 .. jobs-1     counters and position in shared memory
 *          --fork--> replayer               after a failure: the shortest trace, else the whole case
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/subject.h"
#include "work.h"

static const char help[] =
    "Usage: small_world [OPTION]...\n"
    "\n"
    "Try every tree of one and two regions in an address space of four bytes, and as many of those with\n"
    "three as there is time for, with every single change to each; compare the core with the reference\n"
    "model after every step.  What there is no time for is left out evenly.\n"
    "\n"
    "  --seconds N   how long to go on (default 120)\n"
    "  --full        everything, however long it takes\n"
    "  --jobs N      worker processes (default 2)\n"
    "  --help        this text\n"
    "\n"
    "Exit status: 0 all agree, 1 a difference or a crash, 2 usage, 3 the program itself is broken.\n"
    "After a difference stdout is a trace:  small_world > x.trace; memtrace run x.trace\n";

/* ---- what people see ---- */

static uint64_t trees_run(unsigned l)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < campaign.jobs; i++) {
        sum += campaign.posts[i].trees[l];
    }
    return sum;
}

static void print_progress(bool terminal)
{
    fprintf(stderr, "%s%5.0f s", terminal ? "\r" : "", campaign_now() - campaign.started);
    for (unsigned l = 1; l <= LEVELS; l++) {
        uint64_t run = trees_run(l);

        fprintf(stderr, "   %u region%s %" PRIu64 " (%.2f %%)", l, l > 1 ? "s" : "", run,
                100.0 * (double)run / (double)campaign.level[l].trees);
    }
    fprintf(stderr, terminal ? "  " : "\n");
}

static void print_table(FILE *out, const char *prefix)
{
    uint64_t changes = 0, steps = 0;

    fprintf(out, "%s%-8s %10s %14s %14s %14s\n", prefix, "regions", "structures", "trees", "run", "left out");
    for (unsigned l = 1; l <= LEVELS; l++) {
        const struct level *level = &campaign.level[l];

        fprintf(out, "%s%-8u %10zu %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n", prefix, l, level->count,
                level->trees, trees_run(l), level->trees - trees_run(l));
    }
    for (unsigned i = 0; i < campaign.jobs; i++) {
        changes += campaign.posts[i].changes;
        steps += campaign.posts[i].steps;
    }
    fprintf(out, "%s%" PRIu64 " changes, %" PRIu64 " steps compared, %.1f s\n", prefix, changes, steps,
            campaign_now() - campaign.started);
}

/* ---- after a failure ---- */

/* Plays a trace in a process of its own; what it says of a difference goes to `report`.  0: all agrees. */
static int replay(const struct trace *t, char *report)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct runner *r = work_start_runner();

        /* What the core says of its own accord was said in the worker. */
        if (!freopen("/dev/null", "w", stderr)) {
            _exit(EXIT_BROKEN);
        }
        alarm(HANG_SECONDS);
        if (runner_run(r, t, NULL) == RUN_FAILED) {
            work_keep_report(report, r);
            _exit(EXIT_DIFFERENCE);
        }
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        fprintf(stderr, "small_world: cannot fork: %s\n", strerror(errno));
        exit(EXIT_BROKEN);
    }
    return status;
}

static void print_as_comment(const char *text)
{
    while (*text) {
        int length = (int)strcspn(text, "\n");

        printf("#%s%.*s\n", length ? " " : "", length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_failure(struct post *post, int status)
{
    const struct world_structure *s = &campaign.level[post->level].structures[post->structure];
    struct world_case c;
    struct trace t;
    char line[256];

    world_case_init(&c);
    trace_init(&t);
    world_case_build(&c, s, post->geometry, post->dressed);
    world_case_excerpt(&c, post->step, &t);
    world_structure_print(s, line, sizeof(line));
    printf("# small_world: %s: geometry %" PRIu64 "%s, step %zu of %zu\n", line, post->geometry,
           post->dressed ? ", dressed" : "", post->step + 1, c.trace.count);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        printf("# the core hangs\n");
    } else if (WIFSIGNALED(status)) {
        printf("# the core died: %s\n", strsignal(WTERMSIG(status)));
    } else if (!post->failed) {
        printf("# the core ended the process with status %d\n", WEXITSTATUS(status));
    }
    if (!replay(&t, post->report)) {
        trace_free(&t);
        for (size_t i = 0; i < c.trace.count; i++) {
            trace_append(&t, &c.trace.steps[i]);
        }
        printf("# the change alone does not show it; this is the tree with all its changes\n");
        if (!replay(&t, post->report)) {
            printf("# nor does this: it takes what was played before, by this worker of %u\n", campaign.jobs);
        }
    }
    print_as_comment(post->report);
    trace_print(&t, stdout);
    trace_free(&t);
    world_case_free(&c);
}

/* ---- the parent ---- */

static unsigned number(const char *option, const char *text, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (!g_ascii_isdigit(*text) || *end || value > most) {
        fprintf(stderr, "small_world: --%s %s: a number from 0 to %u was expected\n", option, text, most);
        exit(EXIT_USAGE);
    }
    return (unsigned)value;
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {
        { "seconds", required_argument, NULL, 's' }, { "full", no_argument, NULL, 'f' },
        { "jobs", required_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "s:fj:h", options, NULL)) != -1) {
        switch (option) {
        case 's':
            campaign.seconds = number("seconds", optarg, 1000000);
            break;
        case 'f':
            campaign.seconds = -1;
            break;
        case 'j':
            campaign.jobs = number("jobs", optarg, JOBS_MAX);
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            fputs("Try: small_world --help\n", stderr);
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc || campaign.jobs == 0) {
        fprintf(stderr, "small_world: %s\nTry: small_world --help\n",
                campaign.jobs ? "takes options only" : "--jobs 0: at least one is needed");
        exit(EXIT_USAGE);
    }
}

/* Wait for the workers; the number of the first that failed, or -1.  Pids of those that ended become 0. */
static int watch(pid_t *pids, int *status)
{
    bool terminal = isatty(STDERR_FILENO);
    double printed = campaign_now();
    unsigned alive = campaign.jobs;
    int failed = -1;

    while (alive && failed < 0) {
        pid_t pid = waitpid(-1, status, WNOHANG);

        for (unsigned i = 0; pid > 0 && i < campaign.jobs; i++) {
            if (pids[i] == pid) {
                pids[i] = 0;
                alive--;
                failed = *status ? (int)i : -1;
            }
        }
        if (pid <= 0) {
            g_usleep(50000);
        }
        if (campaign_now() - printed >= (terminal ? 0.5 : 10)) {
            print_progress(terminal);
            printed = campaign_now();
        }
    }
    if (terminal) {
        fputc('\n', stderr);
    }
    return failed;
}

int main(int argc, char **argv)
{
    pid_t pids[JOBS_MAX];
    int status = 0, failed;

    campaign.seconds = 120;
    campaign.jobs = 2;
    read_options(argc, argv);
    campaign.started = campaign_now();
    campaign_number();
    campaign.posts = mmap(NULL, sizeof(*campaign.posts) * campaign.jobs, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (campaign.posts == MAP_FAILED) {
        fprintf(stderr, "small_world: no shared memory: %s\n", strerror(errno));
        return EXIT_BROKEN;
    }
    for (unsigned i = 0; i < campaign.jobs; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            work(i);
            exit(0);
        }
        if (pids[i] < 0) {
            fprintf(stderr, "small_world: cannot fork: %s\n", strerror(errno));
            return EXIT_BROKEN;
        }
    }
    failed = watch(pids, &status);
    if (failed >= 0) {
        for (unsigned i = 0; i < campaign.jobs; i++) {
            if (pids[i] > 0) {
                kill(pids[i], SIGKILL);
            }
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_BROKEN) {
            return EXIT_BROKEN;
        }
        print_table(stdout, "# ");
        print_failure(&campaign.posts[failed], status);
        return EXIT_DIFFERENCE;
    }
    printf("small world: %s, %s model, %u bytes, %u workers\n", subject_name(), subject_default_profile(),
           (unsigned)WORLD_SIZE, campaign.jobs);
    print_table(stdout, "");
    return 0;
}
