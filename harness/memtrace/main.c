/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memtrace: everything people do with traces. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memtrace/commands.h"
#include "run/subject.h"
#include "trace/spelling.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    { "run", cmd_run, "play traces on the core and the model, and compare" },
    { "show", cmd_show, "print a trace as text; list the language's operations" },
    { "pack", cmd_pack, "turn text into the binary form that fuzzers mutate" },
    { "minimize", cmd_minimize, "make a failing trace small" },
    { "emit-c", cmd_emit_c, "turn a trace into a C test program" },
    { "draw", cmd_draw, "draw the memory map of a trace as SVG" },
    { "import", cmd_import, "turn `info mtree` of a machine into a trace" },
    { "stats", cmd_stats, "count the operations in traces and corpora" },
    { "triage", cmd_triage, "sort crashing inputs by bug; write a report and a test for each" },
#ifdef MEMTRACE_RAM
    { "ram", cmd_ram, "look into RAM snapshots of QEMU: blocks, pages, differences" },
#endif
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
    fputs("Usage: memtrace COMMAND [OPTION]... [FILE]...\n"
          "\n"
          "Run, read, draw and shrink traces: programs of operations on the memory API.\n"
          "A trace file is text or binary; every command takes both, and `-` for standard\n"
          "input.\n"
          "\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\n"
          "memtrace COMMAND --help says more of a command, memtrace --version what it was\n"
          "built with.\n"
          "\n"
          "Example, from a crashing input to a picture of what it built:\n"
          "  memtrace minimize crash-0a1b2c -o small.trace\n"
          "  memtrace draw small.trace -o small.svg\n"
          "memtrace triage does all of that at once, for one input or a thousand.\n", out);
}

static const struct command *find_command(const char *name)
{
    struct spelling spelling;

    spelling_start(&spelling, name, strlen(name));
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return &commands[i];
        }
        spelling_try(&spelling, commands[i].name);
    }
    if (spelling_nearest(&spelling)) {
        fprintf(stderr, "memtrace: unknown command '%s'; did you mean '%s'?\n", name,
                spelling_nearest(&spelling));
    } else {
        fprintf(stderr, "memtrace: unknown command '%s'; memtrace --help lists them\n", name);
    }
    return NULL;
}

/* The command's own --help, or the list of commands. */
static int help_on(const char *name)
{
    char whole_name[32];
    char option[] = "--help";
    char *arguments[] = { whole_name, option, NULL };
    const struct command *command;

    if (!name) {
        print_help(stdout);
        return EXIT_SUCCESS;
    }
    command = find_command(name);
    if (!command) {
        return 2;
    }
    snprintf(whole_name, sizeof(whole_name), "memtrace %s", command->name);
    return command->run(2, arguments);
}

/* What a command printed must have arrived: a full disk shows here. */
static int finish(int status)
{
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_SUCCESS) {
        fprintf(stderr, "memtrace: cannot write the output: %s\n", strerror(errno));
        return 2;
    }
    return status;
}

int main(int argc, char **argv)
{
    const struct command *command;
    char whole_name[32];

    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        return finish(help_on(argc > 2 ? argv[2] : NULL));
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("memtrace for %s\n", subject_name());
        return finish(EXIT_SUCCESS);
    }
    if (argv[1][0] == '-') {
        fprintf(stderr, "memtrace: unknown option '%s'; the command comes first, see memtrace --help\n",
                argv[1]);
        return 2;
    }
    command = find_command(argv[1]);
    if (!command) {
        return 2;
    }
    snprintf(whole_name, sizeof(whole_name), "memtrace %s", command->name);
    argv[1] = whole_name;
    return finish(command->run(argc - 1, argv + 1));
}
