/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace emit-c: a trace as a C program of its own.
 */
#include <getopt.h>
#include <stdlib.h>

#include "memtrace/commands.h"
#include "emit/emit_c.h"
#include "memtrace/files.h"
#include "memtrace/input.h"
#include "memtrace/option.h"
#include "minimize/minimize.h"

static const char help[] =
    "Usage: memtrace emit-c [OPTION]... FILE\n"
    "\n"
    "Write a C program that makes the same calls through the public API only and\n"
    "compares what the failing step does with what the specification demands.  It\n"
    "needs nothing of the harness, but more than QEMU's API: memcore's public headers\n"
    "(exec/*.h, qom/*.h, memcore/memcore.h and what they include).\n"
    "\n"
    "  cc test.c $(pkg-config --cflags --libs memcore) && ./a.out\n"
    "\n"
    "  -o, --output OUT     write there (default: standard output)\n"
    "  -e, --every-step     compare after every step, not only after the failing one;\n"
    "                       implied when the trace does not fail\n"
    "  -p, --profile NAME   memcore or qemu-7.2\n"
    "  -w, --wide           as memtrace run --wide\n"
    "      --binary         the file is binary, whatever it looks like\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 written, 2 usage or an unreadable file; nothing is written then.\n"
    "\n"
    "Example: memtrace emit-c small.trace -o small.c\n";

int cmd_emit_c(int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' }, { "every-step", no_argument, NULL, 'e' },
        { "profile", required_argument, NULL, 'p' }, { "wide", no_argument, NULL, 'w' },
        { "binary", no_argument, NULL, 'B' }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct emit_options emit = { .every_step = false };
    struct failure_signature signature;
    struct run_options run;
    const char *output = "-";
    unsigned flags = 0;
    struct input in;
    bool written, *refused;
    FILE *out;
    const struct option_target target = {
        .command = "memtrace emit-c", .help = help, .run = &run, .input_flags = &flags,
    };
    int option, status;

    run_options_default(&run);
    while ((option = getopt_long(argc, argv, "o:ep:wh", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            output = optarg;
            break;
        case 'e':
            emit.every_step = true;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "memtrace emit-c: takes one trace, see memtrace emit-c --help\n");
        return 2;
    }
    if (!input_load(&in, argv[optind], flags)) {
        return 2;
    }
    refused = calloc(in.trace.count + 1, sizeof(*refused));
    if (!refused) {
        abort();
    }
    failure_probe(&in.trace, &run, &signature, refused);
    emit.refused = refused;
    emit.origin = input_base_name(argv[optind]);
    emit.failure = signature.text[0] ? signature.summary : NULL;
    emit.failing_step = signature.step;
    emit.every_step |= !signature.text[0];
    out = output_open(output, "memtrace emit-c");
    if (out) {
        emit_c(out, &in.trace, &run, &emit);
    }
    written = out && output_close(out, output, "memtrace emit-c");
    input_free(&in);
    free(refused);
    return written ? 0 : 2;
}
