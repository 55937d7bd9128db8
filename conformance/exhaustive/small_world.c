/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core in a world so small that all of it can be tried: see README.md.
 *
 * Workers play, each its part of the trees; the parent only counts and reports,
 * so that it can still speak when the core has crashed, and can fork a clean
 * process to see whether a short trace shows the failure too.
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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run/run.h"
#include "run/subject.h"
#include "world.h"

enum {
    LEVELS = WORLD_REGIONS, JOBS_MAX = 64, REPORT_SIZE = 16384,
    HANG_SECONDS = 60,          /* no tree takes that long: the core hangs */
    EXIT_DIFFERENCE = 1, EXIT_USAGE = 2, EXIT_BROKEN = 3,
};

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

/* What one worker writes and the parent reads. */
struct post {
    uint64_t trees[LEVELS + 1], changes, steps;
    /* the case being played */
    unsigned level;
    size_t structure;
    uint64_t geometry;
    bool dressed;
    size_t step;
    bool failed;                /* the runner said so; else the process died in this step */
    char report[REPORT_SIZE];   /* the runner's, of the failure in its own place */
};

struct level {
    struct world_structure *structures;
    size_t count;
    uint64_t trees, largest;    /* all, and of the structure that has most */
    uint64_t *stride;           /* per structure: geometries are visited in steps of it, modulo their number */
};

static struct {
    unsigned jobs;
    double seconds;             /* negative: no limit */
    double started;
    struct level level[LEVELS + 1];
    struct post *posts;
} world;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool time_is_up(void)
{
    return world.seconds >= 0 && now() - world.started >= world.seconds;
}

/* ---- the order of trees ---- */

static uint64_t divisor(uint64_t x, uint64_t y)
{
    return y ? divisor(y, x % y) : x;
}

/* Near the golden section, so that the first n geometries lie evenly for every n; without a common divisor, so
   that all are reached. */
static uint64_t stride_of(uint64_t count)
{
    uint64_t stride = (uint64_t)((double)count * 0.6180339887498949) | 1;

    while (divisor(stride, count) != 1) {
        stride += 2;
    }
    return stride;
}

static void number_everything(void)
{
    for (unsigned l = 1; l <= LEVELS; l++) {
        struct level *level = &world.level[l];

        level->count = world_structures(l, &level->structures);
        level->stride = g_new(uint64_t, level->count);
        for (size_t s = 0; s < level->count; s++) {
            uint64_t n = level->structures[s].geometries;

            level->stride[s] = stride_of(n);
            level->trees += n;
            level->largest = MAX(level->largest, n);
        }
    }
}

/* Half the trees are dressed; which half has no pattern that place or size would share. */
static bool dressed_by(uint64_t geometry)
{
    return __builtin_popcountll(geometry) & 1;
}

/* ---- playing ---- */

static const struct trace_step *altered;        /* a step that the resolver did not take as it is written */

static void on_step(void *opaque, size_t index, const struct trace_step *written, const struct trace_step *resolved,
                    const struct observation *expected, const struct observation *seen, enum run_outcome outcome)
{
    (void)opaque;
    (void)index;
    (void)expected;
    (void)seen;
    (void)outcome;
    if (!resolved || resolved->a != written->a || resolved->b != written->b || resolved->c != written->c ||
        resolved->n != written->n || resolved->v.absolute != written->v.absolute ||
        resolved->w.absolute != written->w.absolute) {
        altered = written;
    }
}

static struct runner *start_runner(void)
{
    struct run_options options;

    subject_start();
    run_options_default(&options);
    options.on_step = on_step;
    return runner_new(&options);
}

static void keep_report(struct post *post, struct runner *r)
{
    FILE *out = fmemopen(post->report, sizeof(post->report), "w");

    run_report(out, r, NULL);
    fclose(out);
    post->failed = true;
}

/* After a change was undone the tree must be what it was: else the numbers of trees and changes lie. */
static uint64_t view_hash(const struct runner *r)
{
    const struct view *view = model_view(runner_model(r), 0);
    uint64_t hash = view->count;

    for (size_t i = 0; i < view->count; i++) {
        const struct view_range *v = &view->ranges[i];

        hash = hash * 1099511628211u + v->address;
        hash = hash * 1099511628211u + (uint64_t)v->size;
        hash = hash * 1099511628211u + (uint64_t)v->region * 16 + v->readonly * 4u + v->nonvolatile * 2u + v->romd;
        hash = hash * 1099511628211u + v->offset;
    }
    return hash;
}

static void broken(const struct world_case *c, size_t at, const char *what)
{
    char line[256];

    trace_print_step(&c->trace.steps[at], line, sizeof(line));
    fprintf(stderr, "small_world: step %zu, \"%s\": %s\n", at + 1, line, what);
    exit(EXIT_BROKEN);
}

static bool play(struct post *post, struct runner *r, const struct world_case *c)
{
    uint64_t base = 0;

    runner_begin(r);
    for (size_t i = 0; i < c->trace.count; i++) {
        post->step = i;
        if (i >= c->base && c->group[i] == i) {
            if (i == c->base) {
                base = view_hash(r);
            } else if (view_hash(r) != base) {
                broken(c, i - 1, "does not bring the tree back");
            }
        }
        if (runner_step(r, &c->trace.steps[i]) == RUN_FAILED) {
            keep_report(post, r);
            return false;
        }
        if (altered) {
            broken(c, i, "is not played as it is written");
        }
    }
    if (view_hash(r) != base) {
        broken(c, c->trace.count - 1, "does not bring the tree back");
    }
    post->steps += c->trace.count;
    post->changes += c->changes;
    if (runner_end(r, NULL) == RUN_FAILED) {
        keep_report(post, r);
        return false;
    }
    return true;
}

static bool play_tree(struct post *post, struct runner *r, struct world_case *c, unsigned l, size_t s, uint64_t geometry)
{
    for (int dressed = 0; dressed < 2; dressed++) {
        /* One region: both ways. */
        if (l > 1 && dressed != dressed_by(geometry)) {
            continue;
        }
        post->level = l;
        post->structure = s;
        post->geometry = geometry;
        post->dressed = dressed;
        world_case_build(c, &world.level[l].structures[s], geometry, dressed);
        alarm(HANG_SECONDS);
        if (!play(post, r, c)) {
            return false;
        }
    }
    post->trees[l]++;
    return true;
}

/* Structure after structure, one geometry of each; then the next of each. */
static bool play_level(struct post *post, unsigned worker, struct runner *r, struct world_case *c, unsigned l)
{
    const struct level *level = &world.level[l];

    for (uint64_t turn = 0; turn < level->largest; turn++) {
        for (size_t s = 0; s < level->count; s++) {
            uint64_t n = level->structures[s].geometries;

            if (turn >= n || (turn + s) % world.jobs != worker) {
                continue;
            }
            if (time_is_up()) {
                return true;
            }
            if (!play_tree(post, r, c, l, s, (uint64_t)((unsigned __int128)turn * level->stride[s] % n))) {
                return false;
            }
        }
    }
    return true;
}

static void work(unsigned worker)
{
    struct post *post = &world.posts[worker];
    struct runner *r;
    struct world_case c;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    world_case_init(&c);
    r = start_runner();
    for (unsigned l = 1; l <= LEVELS; l++) {
        if (!play_level(post, worker, r, &c, l)) {
            _exit(EXIT_DIFFERENCE);     /* the core's state is not known to be sound: no destructors */
        }
    }
    runner_free(r);
    world_case_free(&c);
}

/* ---- what people see ---- */

static uint64_t trees_run(unsigned l)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < world.jobs; i++) {
        sum += world.posts[i].trees[l];
    }
    return sum;
}

static void print_progress(bool terminal)
{
    fprintf(stderr, "%s%5.0f s", terminal ? "\r" : "", now() - world.started);
    for (unsigned l = 1; l <= LEVELS; l++) {
        uint64_t run = trees_run(l);

        fprintf(stderr, "   %u region%s %" PRIu64 " (%.2f %%)", l, l > 1 ? "s" : "", run,
                100.0 * (double)run / (double)world.level[l].trees);
    }
    fprintf(stderr, terminal ? "  " : "\n");
}

static void print_table(FILE *out, const char *prefix)
{
    uint64_t changes = 0, steps = 0;

    fprintf(out, "%s%-8s %10s %14s %14s %14s\n", prefix, "regions", "structures", "trees", "run", "left out");
    for (unsigned l = 1; l <= LEVELS; l++) {
        const struct level *level = &world.level[l];

        fprintf(out, "%s%-8u %10zu %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n", prefix, l, level->count, level->trees,
                trees_run(l), level->trees - trees_run(l));
    }
    for (unsigned i = 0; i < world.jobs; i++) {
        changes += world.posts[i].changes;
        steps += world.posts[i].steps;
    }
    fprintf(out, "%s%" PRIu64 " changes, %" PRIu64 " steps compared, %.1f s\n", prefix, changes, steps,
            now() - world.started);
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
        struct runner *r = start_runner();

        /* What the core says of its own accord was said in the worker. */
        if (!freopen("/dev/null", "w", stderr)) {
            _exit(EXIT_BROKEN);
        }
        alarm(HANG_SECONDS);
        if (runner_run(r, t, NULL) == RUN_FAILED) {
            struct post *post = (struct post *)(void *)(report - offsetof(struct post, report));

            keep_report(post, r);
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
    const struct world_structure *s = &world.level[post->level].structures[post->structure];
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
            printf("# nor does this: it takes what was played before, by this worker of %u\n", world.jobs);
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
            world.seconds = number("seconds", optarg, 1000000);
            break;
        case 'f':
            world.seconds = -1;
            break;
        case 'j':
            world.jobs = number("jobs", optarg, JOBS_MAX);
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            fputs("Try: small_world --help\n", stderr);
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc || world.jobs == 0) {
        fprintf(stderr, "small_world: %s\nTry: small_world --help\n",
                world.jobs ? "takes options only" : "--jobs 0: at least one is needed");
        exit(EXIT_USAGE);
    }
}

/* Wait for the workers; the number of the first that failed, or -1.  Pids of those that ended become 0. */
static int watch(pid_t *pids, int *status)
{
    bool terminal = isatty(STDERR_FILENO);
    double printed = now();
    unsigned alive = world.jobs;
    int failed = -1;

    while (alive && failed < 0) {
        pid_t pid = waitpid(-1, status, WNOHANG);

        for (unsigned i = 0; pid > 0 && i < world.jobs; i++) {
            if (pids[i] == pid) {
                pids[i] = 0;
                alive--;
                failed = *status ? (int)i : -1;
            }
        }
        if (pid <= 0) {
            g_usleep(50000);
        }
        if (now() - printed >= (terminal ? 0.5 : 10)) {
            print_progress(terminal);
            printed = now();
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

    world.seconds = 120;
    world.jobs = 2;
    read_options(argc, argv);
    world.started = now();
    number_everything();
    world.posts = mmap(NULL, sizeof(*world.posts) * world.jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0);
    if (world.posts == MAP_FAILED) {
        fprintf(stderr, "small_world: no shared memory: %s\n", strerror(errno));
        return EXIT_BROKEN;
    }
    for (unsigned i = 0; i < world.jobs; i++) {
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
        for (unsigned i = 0; i < world.jobs; i++) {
            if (pids[i] > 0) {
                kill(pids[i], SIGKILL);
            }
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_BROKEN) {
            return EXIT_BROKEN;
        }
        print_table(stdout, "# ");
        print_failure(&world.posts[failed], status);
        return EXIT_DIFFERENCE;
    }
    printf("small world: %s, %s model, %u bytes, %u workers\n", subject_name(), subject_default_profile(),
           (unsigned)WORLD_SIZE, world.jobs);
    print_table(stdout, "");
    return 0;
}
