/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running QEMU against the core.
 *
 * Strategy: start machines, change their memory maps as firmware and guests do,
 * and after each change take `info mtree -D` and `info mtree -f`, import the
 * tree, build it with the memory API, print it with mtree_info and compare.
 * Invariants: the core's tree text equals QEMU's letter by letter; its flat views
 * equal QEMU's as a set (R-FV, R-MT).
 *
 * Equal seeds give equal changes.  Exit status: 0 equal, 1 a difference, 2
 * usage, 77 QEMU is not installed.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu/lib/compare.h"
#include "qemu/lib/machines.h"
#include "qemu/lib/options.h"
#include "run/subject.h"

enum { CHANGES_MAX = 3, SKIPPED = 77 };

static const char help[] =
    "Usage: qemu.live [--machine NAME]... [--states PERCENT] [--seed N] [--keep DIR] [-v]\n"
    "\n"
    "  --machine NAME    only this one (may be repeated; --list names them)\n"
    "  --states PERCENT  of the usual number of states (default 100)\n"
    "  --seed N          another sequence of changes (default 1)\n"
    "  --keep DIR        where texts that differ are kept (default: the folder for temporary files)\n"
    "  -v                say every change\n";

struct options {
    GPtrArray *names;
    unsigned percent;
    uint64_t seed;
    const char *keep;
    bool verbose;
};

struct total {
    unsigned states, skipped, quirks;
    size_t views, ranges, inferred_first, inferred_later;
    bool different;
};

static char *take_text(struct qemu *q)
{
    char *tree = qemu_human(q, "info mtree -o -D"), *flat = qemu_human(q, "info mtree -f");
    char *text = g_strconcat(tree, "\n", flat, NULL);

    g_free(tree);
    g_free(flat);
    return text;
}

static void keep_text(const struct options *o, const struct machine *m, unsigned state, const char *text)
{
    char *name = g_strdup_printf("qemu-%s-%" PRIu64 "-%u.mtree", m->name, o->seed, state);
    char *path = g_build_filename(o->keep, name, NULL);
    GError *error = NULL;

    if (g_file_set_contents(path, text, -1, &error)) {
        printf("  QEMU's text: %s\n  replay: qemu.replay %s\n", path, path);
    } else {
        printf("  QEMU's text could not be kept: %s\n", error->message);
        g_error_free(error);
    }
    g_free(path);
    g_free(name);
}

static void report_difference(const struct options *o, const struct changer *c, unsigned state,
                              const struct comparison_report *report, const struct import *im,
                              const char *text)
{
    printf("%s, state %u, seed %" PRIu64 ": different\n%s", c->machine->name, state, o->seed,
           report->text->str);
    printf("  the last changes:\n%s  inferred:\n", c->log->str);
    for (size_t i = 0; im && i < im->note_count; i++) {
        printf("    line %u: %s\n", im->notes[i].line, im->notes[i].text);
    }
    keep_text(o, c->machine, state, text);
    printf("  again: qemu.live --machine %s --seed %" PRIu64 " -v\n", c->machine->name, o->seed);
}

/* One state; false ends the machine's run. */
static bool check_state(const struct options *o, struct changer *c, unsigned state, struct import **earlier,
                        struct total *total)
{
    struct comparison_report report = { .text = g_string_new(NULL) };
    char *text = take_text(c->qemu);
    struct import *im = NULL;
    enum comparison result = COMPARED_SKIPPED;

    if (!qemu_trouble(c->qemu)) {
        result = compare_with_core(text, *earlier, state % IMPORT_BUILD_ORDERS, &report, &im);
    } else {
        g_string_assign(report.text, qemu_trouble(c->qemu));
    }
    switch (result) {
    case COMPARED_EQUAL:
        total->states++;
        total->views += report.views;
        total->ranges += report.ranges;
        total->quirks += report.quirk;
        *(state ? &total->inferred_later : &total->inferred_first) += report.inferences;
        break;
    case COMPARED_SKIPPED:
        total->skipped++;
        printf("%s, state %u: skipped: %s\n", c->machine->name, state, report.text->str);
        break;
    case COMPARED_DIFFERENT:
    case COMPARED_BROKEN:
        total->different = true;
        report_difference(o, c, state, &report, im, text);
        break;
    }
    if (im) {
        import_free(*earlier);
        *earlier = im;
    }
    g_string_free(report.text, TRUE);
    g_free(text);
    return !total->different && !qemu_trouble(c->qemu);
}

static void run_machine(const struct options *o, const char *path, const struct machine *m,
                        struct total *total)
{
    struct qemu *q = qemu_start(path, m->arguments);
    unsigned states = MAX(m->states * o->percent / 100, 1);
    struct import *earlier = NULL;
    struct changer c;

    changer_start(&c, m, q, o->seed);
    for (unsigned state = 0; state < states; state++) {
        g_string_truncate(c.log, 0);
        for (uint32_t i = 0; state && i <= changer_random(&c, CHANGES_MAX); i++) {
            changer_step(&c);
        }
        if (o->verbose) {
            printf("%s, state %u:\n%s", m->name, state, c.log->str);
        }
        if (!check_state(o, &c, state, &earlier, total)) {
            break;
        }
    }
    import_free(earlier);
    changer_end(&c);
    qemu_stop(q);
}

static void print_total(const char *name, const struct total *t)
{
    printf("%-14s %7u %7zu %7zu %9zu %9zu %8u %8u\n", name, t->states, t->views, t->ranges, t->inferred_first,
           t->inferred_later, t->quirks, t->skipped);
    fflush(stdout);
}

static int run(const struct options *o)
{
    char *path = qemu_find("x86_64");
    struct total all = { .states = 0 };

    if (!path) {
        printf("skipped: qemu-system-x86_64 is not installed (apt-get install --no-install-recommends "
               "qemu-system-x86)\n");
        return SKIPPED;
    }
    subject_start();
    printf(
        "inferred: in the first state, in all later ones; R-FV-10: states that only 7.2's collapse explains\n"
        "%-14s %7s %7s %7s %9s %9s %8s %8s\n",
        "machine", "states", "views", "ranges", "inferred", "later", "R-FV-10", "skipped");
    for (size_t i = 0; i < machine_count; i++) {
        struct total t = { .states = 0 };

        if (!options_wanted(o->names, machines[i].name)) {
            continue;
        }
        run_machine(o, path, &machines[i], &t);
        print_total(machines[i].name, &t);
        all.states += t.states;
        all.views += t.views;
        all.ranges += t.ranges;
        all.inferred_first += t.inferred_first;
        all.inferred_later += t.inferred_later;
        all.quirks += t.quirks;
        all.skipped += t.skipped;
        all.different |= t.different;
    }
    print_total("all", &all);
    g_free(path);
    /* A run that compares nothing is no success. */
    return all.different || all.states == 0 || all.skipped * 20 > all.states ? 1 : 0;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        { "machine", required_argument, NULL, 'm' }, { "states", required_argument, NULL, 's' },
        { "seed", required_argument, NULL, 'r' }, { "keep", required_argument, NULL, 'k' },
        { "list", no_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct options o = { .names = g_ptr_array_new(), .percent = 100, .seed = 1, .keep = g_get_tmp_dir() };
    uint64_t percent = 100;
    int option, status = 2;

    while ((option = getopt_long(argc, argv, "vh", long_options, NULL)) != -1) {
        switch (option) {
        case 'm':
            if (!options_machine("qemu.live", optarg, o.names)) {
                goto end;
            }
            break;
        case 's':
            if (!options_number("qemu.live", optarg, 100000, &percent)) {
                goto end;
            }
            break;
        case 'r':
            if (!options_number("qemu.live", optarg, UINT64_MAX, &o.seed)) {
                goto end;
            }
            break;
        case 'k':
            o.keep = optarg;
            break;
        case 'v':
            o.verbose = true;
            break;
        case 'l':
            for (size_t i = 0; i < machine_count; i++) {
                printf("%-14s %s\n", machines[i].name, machines[i].arguments);
            }
            status = 0;
            goto end;
        case 'h':
            fputs(help, stdout);
            status = 0;
            goto end;
        default:
            goto end;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "qemu.live: unexpected argument '%s'\n", argv[optind]);
        goto end;
    }
    o.percent = (unsigned)percent;
    status = run(&o);
end:
    g_ptr_array_free(o.names, TRUE);
    return status;
}
