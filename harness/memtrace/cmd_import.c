/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace import: the memory map of a real machine as a trace.
 */
#include <getopt.h>
#include <glib.h>
#include <stdlib.h>

#include "import/import.h"
#include "memtrace/commands.h"
#include "memtrace/files.h"
#include "memtrace/option.h"
#include "trace/load.h"

static const char help[] =
    "Usage: memtrace import [-o OUT] [-r NAME | --all] [-v] FILE\n"
    "\n"
    "Turn the text of QEMU's monitor command `info mtree -D` into a trace that builds\n"
    "the same regions.  The text does not tell everything (containers from device\n"
    "regions, equal names, read-only flags): what is inferred is said in comments at\n"
    "the head of the trace.  Let the text go on with that of `info mtree -f`, and the\n"
    "flat views are used as evidence.\n"
    "\n"
    "  -o, --output OUT  write the trace there (default: standard output)\n"
    "  -r, --root NAME   only address spaces of this name, or with this root region\n"
    "      --all         every address space, or fail (default: the first that fit)\n"
    "  -v, --verbose     say what was inferred on standard error too\n"
    "  -h, --help        this text\n"
    "\n"
    "Nothing is written when the text is broken.\n"
    "Exit status: 0 written, 2 usage, a broken text, or a file that cannot be read or\n"
    "written.\n"
    "\n"
    "Example: in QEMU's monitor `info mtree -D` and `info mtree -f`, their output in\n"
    "pc.txt, then\n"
    "  memtrace import -v -o pc.trace pc.txt && memtrace run --wide pc.trace\n";

struct request {
    const char *path, *file, *output, *name;   /* `file`: what it is called in messages */
    enum import_choice choice;
    bool verbose;
};

static void print_notes(const struct import *im, const char *file)
{
    for (size_t i = 0; i < im->note_count; i++) {
        if (im->notes[i].line) {
            fprintf(stderr, "%s:%u: %s\n", file, im->notes[i].line, im->notes[i].text);
        } else {
            fprintf(stderr, "%s: %s\n", file, im->notes[i].text);
        }
    }
    if (im->notes_left_out) {
        fprintf(stderr, "%s: and %zu more\n", file, im->notes_left_out);
    }
}

/* The text first, so that nothing is written when the choice cannot be met. */
static bool write_trace(const struct request *r, const struct import *im)
{
    struct import_error error;
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size), *out;
    bool done = memory != NULL;

    if (memory) {
        done = import_print(im, r->choice, r->name, r->file, memory, &error);
        fclose(memory);
        if (!done && error.line) {
            fprintf(stderr, "%s:%u: %s\n", r->file, error.line, error.message);
        } else if (!done) {
            fprintf(stderr, "%s: %s\n", r->file, error.message);
        }
    }
    out = done ? output_open(r->output, "memtrace import") : NULL;
    if (out) {
        fwrite(text, 1, size, out);
        done = output_close(out, r->output, "memtrace import");
    }
    free(text);
    return done && out;
}

static struct import *load(const char *path)
{
    struct import_error error;
    struct import *im = NULL;
    uint8_t *text;
    size_t size;

    if (!load_file(path, IMPORT_TEXT_MAX, "text of info mtree", &text, &size)) {
        return NULL;
    }
    im = import_read(text ? (const char *)text : "", size, NULL, &error);
    if (!im && error.line) {
        fprintf(stderr, "%s:%u:%u: %s\n", load_name(path), error.line, error.column, error.message);
    } else if (!im) {
        fprintf(stderr, "%s: %s\n", load_name(path), error.message);
    }
    g_free(text);
    return im;
}

static int import_file(const struct request *r)
{
    struct import *im = load(r->path);
    bool done;

    if (!im) {
        return 2;
    }
    if (r->verbose) {
        print_notes(im, r->file);
    }
    done = write_trace(r, im);
    import_free(im);
    return done ? 0 : 2;
}

int cmd_import(int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' }, { "root", required_argument, NULL, 'r' },
        { "all", no_argument, NULL, 'a' }, { "verbose", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct request r = { .output = "-", .choice = IMPORT_AS_FITS };
    bool all = false;
    const struct option_target target = { .command = "memtrace import", .help = help };
    int option, status;

    while ((option = getopt_long(argc, argv, "o:r:vh", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            r.output = optarg;
            break;
        case 'r':
            r.name = optarg;
            r.choice = IMPORT_NAMED;
            break;
        case 'a':
            all = true;
            break;
        case 'v':
            r.verbose = true;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (all && r.name) {
        fprintf(stderr,
                "memtrace import: --root NAME chooses one address space, --all every one; not both\n");
        return 2;
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "memtrace import: %s See memtrace import --help\n",
                optind == argc ? "which file?" : "one file at a time.");
        return 2;
    }
    r.choice = all ? IMPORT_ALL : r.choice;
    r.path = argv[optind];
    r.file = load_name(r.path);
    return import_file(&r);
}
