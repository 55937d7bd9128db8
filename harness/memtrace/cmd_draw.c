/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace draw: the memory map that a trace builds, as a picture.
 */
#include <getopt.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw/draw.h"
#include "memtrace/commands.h"
#include "memtrace/files.h"
#include "memtrace/input.h"
#include "memtrace/option.h"
#include "run/crash.h"
#include "run/run.h"
#include "run/subject.h"

static const char help[] =
    "Usage: memtrace draw [OPTION]... FILE\n"
    "\n"
    "Draw the memory map that a trace (text or binary) builds, as SVG: the regions,\n"
    "and for each address space the model's view beside the core's, differences in\n"
    "red.\n"
    "\n"
    "  -s, --step N         the state after step N, counted from 1 as in reports\n"
    "                       (default: the end, or the first step where core and model\n"
    "                       differ)\n"
    "  -o, --output OUT     write there (default: standard output)\n"
    "  -m, --model          the model alone: for traces that crash the core\n"
    "  -p, --profile NAME   memcore or qemu-7.2\n"
    "  -w, --wide           as memtrace run --wide\n"
    "      --binary         the file is binary, whatever it looks like\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 drawn, 2 usage or a file that cannot be read or written.\n"
    "\n"
    "Example: memtrace draw --step 12 small.trace -o small.svg\n";

struct draw_command {
    struct run_options run;
    const char *path, *output;
    size_t steps;               /* how many to play; SIZE_MAX: all */
};

/* Plays the first steps; returns how many were, the failing one included. */
static size_t play(struct runner *runner, const struct trace *t, size_t steps, bool *failed)
{
    *failed = false;
    runner_begin(runner);
    for (size_t i = 0; i < steps; i++) {
        if (runner_step(runner, &t->steps[i]) == RUN_FAILED) {
            *failed = true;
            return i + 1;
        }
    }
    return steps;
}

static char *describe(const struct draw_command *command, const struct runner *runner, const struct trace *t,
                      size_t played, bool failed)
{
    GString *text = g_string_new(NULL);

    if (played == 0) {
        g_string_append(text, "before the first step");
    } else {
        char line[512];

        trace_print_step(&t->steps[played - 1], line, sizeof(line));
        g_string_append_printf(text, "after step %zu of %zu: %s", played, t->count, line);
    }
    if (failed) {
        g_string_append_printf(text, " \xe2\x80\x94 core and model differ here, %s: %s",
                               runner_failure(runner)->rule, runner_failure(runner)->what);
    }
    g_string_append_printf(text, " \xc2\xb7 model profile %s", run_profile_name(command->run.profile));
    return g_string_free(text, FALSE);
}

static bool write_picture(const struct draw_command *command, struct runner *runner, const struct trace *t,
                          size_t played, bool failed)
{
    const struct model *m = runner_model(runner);
    const struct view *core_views[TRACE_SPACES] = { NULL };
    struct view views[TRACE_SPACES] = { 0 };
    char *name = g_path_get_basename(command->path);
    char *subtitle = describe(command, runner, t, played, failed);
    FILE *out;
    const uint16_t *spaces;
    size_t count = model_spaces(m, &spaces);
    bool written = false;

    for (size_t i = 0; i < count && command->run.play; i++) {
        runner_core_view(runner, spaces[i], &views[spaces[i]]);
        core_views[spaces[i]] = &views[spaces[i]];
    }
    out = output_open(command->output, "memtrace draw");
    if (out) {
        draw_svg(out, m, core_views, &(struct draw_options){ .title = name, .subtitle = subtitle });
        written = output_close(out, command->output, "memtrace draw");
    }
    for (size_t i = 0; i < TRACE_SPACES; i++) {
        free(views[i].ranges);
    }
    g_free(name);
    g_free(subtitle);
    return written;
}

static int draw(const struct draw_command *command, const struct trace *t)
{
    size_t steps = command->steps == SIZE_MAX ? t->count : command->steps;
    struct runner *runner;
    size_t played;
    bool failed, written;

    if (steps > t->count) {
        fprintf(stderr, "memtrace draw: %s has %zu steps, there is no step %zu\n", command->path, t->count,
                steps);
        return 2;
    }
    subject_start();
    runner = runner_new(&command->run);
    crash_watch_install();
    crash_watch_begin(runner, t, command->path);
    played = play(runner, t, steps, &failed);
    written = write_picture(command, runner, t, played, failed);
    if (failed || runner_end(runner, NULL) == RUN_FAILED) {
        /* The core holds what it holds: nothing is taken down, and no leak is reported. */
        fflush(NULL);
        _exit(written ? 0 : 2);
    }
    crash_watch_end();
    runner_free(runner);
    return written ? 0 : 2;
}

int cmd_draw(int argc, char **argv)
{
    static const struct option options[] = {
        { "step", required_argument, NULL, 's' }, { "output", required_argument, NULL, 'o' },
        { "model", no_argument, NULL, 'm' }, { "profile", required_argument, NULL, 'p' },
        { "wide", no_argument, NULL, 'w' }, { "binary", no_argument, NULL, 'B' },
        { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct draw_command command = { .output = "-", .steps = SIZE_MAX };
    struct input in;
    unsigned flags = 0, step;
    const struct option_target target = {
        .command = "memtrace draw", .help = help, .run = &command.run, .input_flags = &flags,
    };
    int option, status;

    run_options_default(&command.run);
    while ((option = getopt_long(argc, argv, "s:o:mp:wh", options, NULL)) != -1) {
        switch (option) {
        case 's':
            if (!option_number("memtrace draw", "--step", optarg, 0, TRACE_STEPS_MAX, &step)) {
                return 2;
            }
            command.steps = step;
            break;
        case 'o':
            command.output = optarg;
            break;
        case 'm':
            command.run.play = false;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "memtrace draw: takes one trace, see memtrace draw --help\n");
        return 2;
    }
    command.path = argv[optind];
    if (!input_load(&in, command.path, flags)) {
        return 2;
    }
    status = draw(&command, &in.trace);
    input_free(&in);
    return status;
}
