/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A failure, for the person who has to read it.
 */
#include <string.h>

#include "run/run.h"

static void print_indented(FILE *out, const char *text)
{
    while (text && *text) {
        int length = (int)strcspn(text, "\n");

        fprintf(out, "%s%.*s\n", text[0] == ' ' ? "" : "    ", length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_steps(FILE *out, const struct runner *r)
{
    struct trace_step steps[6];
    size_t first, count = runner_recent(r, steps, 6, &first);

    fprintf(out, "  the last steps, as played:\n");
    for (size_t i = 0; i < count; i++) {
        char line[256];

        trace_print_step(&steps[i], line, sizeof(line));
        fprintf(out, "  %s %3zu  %s\n", i + 1 == count ? ">" : " ", first + i + 1, line);
    }
}

static void print_commands(FILE *out, const char *replay)
{
    if (replay) {
        fprintf(out, "  replay:    memtrace run %s\n", replay);
        fprintf(out, "  minimize:  memtrace minimize %s -o small.trace\n", replay);
        fprintf(out, "  C test:    memtrace emit-c small.trace -o small.c\n");
    }
}

void run_report(FILE *out, const struct runner *r, const char *replay)
{
    const struct run_failure *f = runner_failure(r);
    char written[256], resolved[256];

    trace_print_step(&f->written, written, sizeof(written));
    trace_print_step(&f->resolved, resolved, sizeof(resolved));
    fprintf(out, "\nFAILED %s: %s differ%s from the model (profile %s)\n", f->rule, f->what,
            strchr(f->what, 's') && f->what[strlen(f->what) - 1] == 's' ? "" : "s",
            run_profile_name(model_profile(runner_model(r))));
    fprintf(out, "  step %zu:   %s\n", f->step + 1, written);
    if (strcmp(written, resolved) != 0) {
        fprintf(out, "  played as: %s\n", resolved);
    }
    fprintf(out, "  the core:\n");
    print_indented(out, f->core);
    fprintf(out, "  the model:\n");
    print_indented(out, f->model);
    print_steps(out, r);
    print_commands(out, replay);
    fflush(out);
}

void run_report_crash(FILE *out, const struct runner *r, const char *replay)
{
    fprintf(out, "\nCRASHED inside the core\n");
    print_steps(out, r);
    print_commands(out, replay);
    fflush(out);
}
