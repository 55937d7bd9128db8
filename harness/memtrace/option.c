/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memtrace/option.h"

#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memtrace/input.h"

bool option_number(const char *command, const char *option, const char *text, unsigned least, unsigned most,
                   unsigned *number)
{
    guint64 parsed;

    if (!g_ascii_string_to_unsigned(text, 10, least, most, &parsed, NULL)) {
        fprintf(stderr, "%s: %s takes a number from %u to %u, not '%s'\n", command, option, least, most, text);
        return false;
    }
    *number = (unsigned)parsed;
    return true;
}

static bool option_profile(const char *command, const char *text, enum model_profile *profile)
{
    if (!run_profile_parse(text, profile)) {
        fprintf(stderr, "%s: unknown profile '%s': memcore or qemu-7.2\n", command, text);
        return false;
    }
    return true;
}

bool option_shared(int option, const struct option_target *target, int *status)
{
    switch (option) {
    case 'p':
        if (!option_profile(target->command, optarg, &target->run->profile)) {
            *status = 2;
            return false;
        }
        return true;
    case 'w':
        target->run->limits = resolve_limits_wide;
        return true;
    case 'B':
        *target->input_flags |= INPUT_BINARY;
        return true;
    case 'h':
        fputs(target->help, stdout);
        *status = 0;
        return false;
    default:        /* getopt_long() has complained, in one line */
        *status = 2;
        return false;
    }
}
