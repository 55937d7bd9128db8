/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace triage: from a heap of crashing inputs to one report a bug.
 */
#include <errno.h>
#include <getopt.h>
#include <glib/gstdio.h>
#include <string.h>

#include "memtrace/commands.h"
#include "memtrace/files.h"
#include "memtrace/input.h"
#include "memtrace/option.h"
#include "memtrace/restart.h"
#include "memtrace/triage.h"

#define COMMAND "memtrace triage"

static const char help[] =
    "Usage: memtrace triage [OPTION]... FILE|FOLDER...\n"
    "\n"
    "Replay crashing inputs, group them by bug (rule and what differs, misuse, or\n"
    "kind of sanitizer report and the top functions of the project), and write a\n"
    "folder for each bug:\n"
    "  report.md          for a bug tracker: what was expected by which rule, what\n"
    "                     happened\n"
    "  minimized.trace    the smallest trace that still fails in the same way\n"
    "  test.c             the same as a C program that uses the public API only\n"
    "  map.svg            the memory map at the failing step\n"
    "  input, inputs.txt  the shortest input, and the names of all\n"
    "Use the memtrace of a sanitizer build (build/libfuzzer/harness/memtrace).  An\n"
    "interrupted triage goes on where it was when it is started again.\n"
    "\n"
    "  -o, --output FOLDER  write there (default: triage)\n"
    "  -a, --adopt          also copy each minimized trace to\n"
    "                       CORPORA/TARGET/regressions/\n"
    "  -t, --target TARGET  whose inputs they are (default: what file names like\n"
    "                       TARGET-crash-0a1b2c say)\n"
    "      --corpora FOLDER the folder CORPORA (default: corpora)\n"
    "      --spec FOLDER    specification to quote rules from (default:\n"
    "                       conformance/spec)\n"
    "  -j, --jobs N         processes at a time (default: the number of processors)\n"
    "  -p, --profile NAME   memcore or qemu-7.2\n"
    "  -w, --wide           as memtrace run --wide\n"
    "  -q, --quiet          no progress\n"
    "  -h, --help           this text\n"
    "\n"
    "Files named *.trace are text or binary, all others are taken for binary; logs,\n"
    "reports and pictures in a folder are left out, and X.trace where X is there.\n"
    "\n"
    "Exit status: 0 nothing fails, 1 there are bugs and all is written, 2 usage, or\n"
    "something could not be read or written.\n"
    "\n"
    "Example: memtrace triage build/findings -o triage\n";

/* ci/fuzz leaves the minimised form beside an input: one finding, not two. */
static bool stands_beside_its_input(const char *path)
{
    char *input = g_str_has_suffix(path, ".trace") ? g_strndup(path, strlen(path) - strlen(".trace")) : NULL;
    const bool beside = input && g_file_test(input, G_FILE_TEST_IS_REGULAR);

    g_free(input);
    return beside;
}

static bool is_input(const char *path)
{
    static const char *const others[] = {".log", ".md", ".txt", ".svg", ".c", ".html", ".json"};

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        if (g_str_has_suffix(path, others[i])) {
            return false;
        }
    }
    return !stands_beside_its_input(path);
}

static bool collect(struct triage *t, char **arguments, int count)
{
    for (int i = 0; i < count; i++) {
        GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
        bool folder = g_file_test(arguments[i], G_FILE_TEST_IS_DIR);

        if (strcmp(arguments[i], "-") == 0) {
            fprintf(stderr, COMMAND ": takes files and folders, not standard input\n");
            g_ptr_array_unref(found);
            return false;
        }
        if (!files_add(found, arguments[i], COMMAND)) {
            g_ptr_array_unref(found);
            return false;
        }
        for (guint k = 0; k < found->len; k++) {
            const char *path = g_ptr_array_index(found, k);

            if (!folder || is_input(path)) {
                g_ptr_array_add(t->paths, g_strdup(path));
            }
        }
        g_ptr_array_unref(found);
    }
    if (!t->paths->len) {
        fprintf(stderr, COMMAND ": no inputs: only logs, reports and pictures are there\n");
    }
    return t->paths->len > 0;
}

static void print_table(const struct triage *t)
{
    guint fails = 0, passes = 0, unreadable = 0;

    for (guint i = 0; i < t->paths->len; i++) {
        const struct triage_input *input = &t->inputs[i];

        fails += input->signature.text[0] != '\0';
        passes += input->state == TRIAGE_PASSES;
        unreadable += input->state == TRIAGE_UNREADABLE || input->state == TRIAGE_NOT_REPLAYED;
    }
    printf("%u input%s: %u fail, %u do not fail (any more), %u could not be replayed\n", t->paths->len,
           t->paths->len == 1 ? "" : "s", fails, passes, unreadable);
    if (t->group_count) {
        printf("\ninputs  steps  bug\n");
    }
    for (guint i = 0; i < t->group_count; i++) {
        const struct triage_group *g = &t->groups[i];
        static const char *const remarks[] = {"  (interrupted)", "", "  (written earlier)",
                                              "  (flaky: not minimized)", "  (could not be written)"};

        printf("%6u %6zu  %s%s\n               %s/%s/report.md\n", g->count, g->steps, g->title,
               remarks[g->outcome], t->output, g->folder);
        if (g->adopted[0]) {
            printf("               adopted as %s\n", g->adopted);
        }
    }
}

static int triage(struct triage *t)
{
    char *probe;
    bool written = true;
    int status;

    if (g_mkdir_with_parents(t->output, 0777) != 0) {
        fprintf(stderr, COMMAND ": cannot make the folder %s: %s\n", t->output, g_strerror(errno));
        return 2;
    }
    probe = g_build_filename(t->output, "index.md", NULL);
    written = output_check(probe, COMMAND);
    g_free(probe);
    if (!written) {
        return 2;
    }
    t->inputs = triage_shared(t->paths->len * sizeof(*t->inputs));
    t->groups = triage_shared(t->paths->len * sizeof(*t->groups));
    t->group_of = g_new0(guint, t->paths->len);
    triage_replay(t);
    triage_sort(t);
    written = triage_write(t);
    print_table(t);
    status = !written ? 2 : t->group_count ? 1 : 0;
    for (guint i = 0; i < t->paths->len && status == 0; i++) {
        if (t->inputs[i].state == TRIAGE_UNREADABLE || t->inputs[i].state == TRIAGE_NOT_REPLAYED) {
            status = 2;
        }
    }
    g_free(t->group_of);
    return status;
}

int cmd_triage(int argc, char **argv)
{
    enum { CORPORA = 256, SPEC };
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"adopt", no_argument, NULL, 'a'},
        {"target", required_argument, NULL, 't'},
        {"corpora", required_argument, NULL, CORPORA},
        {"spec", required_argument, NULL, SPEC},
        {"jobs", required_argument, NULL, 'j'},
        {"profile", required_argument, NULL, 'p'},
        {"wide", no_argument, NULL, 'w'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct triage t = {
        .output = "triage", .corpora = "corpora", .spec = "conformance/spec", .jobs = g_get_num_processors()};
    const struct option_target target = { .command = COMMAND, .help = help, .run = &t.run };
    int option, status;

    run_options_default(&t.run);
    while ((option = getopt_long(argc, argv, "o:at:j:p:wqh", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            t.output = optarg;
            break;
        case 'a':
            t.adopt = true;
            break;
        case 't':
            t.target = optarg;
            break;
        case CORPORA:
            t.corpora = optarg;
            break;
        case SPEC:
            t.spec = optarg;
            break;
        case 'j':
            if (!option_number(COMMAND, "--jobs", optarg, 1, 256, &t.jobs)) {
                return 2;
            }
            break;
        case 'q':
            t.quiet = true;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
            t.wide |= option == 'w';
            t.profile = option == 'p' ? optarg : t.profile;
        }
    }
    if (optind == argc) {
        fprintf(stderr, COMMAND ": takes crashing inputs or folders of them, see " COMMAND " --help\n");
        return 2;
    }
    t.paths = g_ptr_array_new_with_free_func(g_free);
    if (collect(&t, argv + optind, argc - optind)) {
        restart_without_symbols();
        status = triage(&t);
    } else {
        status = 2;
    }
    g_ptr_array_unref(t.paths);
    return status;
}
