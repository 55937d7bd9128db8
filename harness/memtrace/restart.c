/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memtrace/restart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* This process's own command line, as a fresh argv; never freed: it is handed to execv. */
static char **own_arguments(void)
{
    static char text[1 << 20];
    static char *arguments[1 << 15];
    FILE *in = fopen("/proc/self/cmdline", "r");
    size_t size = in ? fread(text, 1, sizeof(text) - 1, in) : 0, count = 0;

    if (in) {
        fclose(in);
    }
    for (size_t i = 0; i < size && count < (1 << 15) - 1; i += strlen(text + i) + 1) {
        arguments[count++] = text + i;
    }
    return size == sizeof(text) - 1 || count == (1 << 15) - 1 || !count ? NULL : arguments;
}

/* The later of two settings counts. */
static void add_options(const char *variable, const char *more)
{
    const char *options = getenv(variable);
    char *with = NULL;

    if (asprintf(&with, "%s%s%s", options ? options : "", options ? ":" : "", more) > 0) {
        setenv(variable, with, 1);
    }
    free(with);
}

void restart_without_symbols(void)
{
    char **arguments = own_arguments();

    if (getenv("MEMTRACE_RESTARTED") || !arguments) {
        return;
    }
    add_options("ASAN_OPTIONS", "symbolize=0:detect_leaks=0");
    add_options("UBSAN_OPTIONS", "symbolize=0");
    setenv("MEMTRACE_RESTARTED", "1", 1);
    execv("/proc/self/exe", arguments);
}

void restart_with_symbols_in_child(void)
{
    add_options("ASAN_OPTIONS", "symbolize=1");
    add_options("UBSAN_OPTIONS", "symbolize=1:print_stacktrace=1");
}
