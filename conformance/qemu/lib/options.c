/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/options.h"

#include <stdio.h>
#include <string.h>

#include "qemu/lib/machines.h"

bool options_machine(const char *program, const char *name, GPtrArray *names)
{
    for (size_t i = 0; i < machine_count; i++) {
        if (strcmp(machines[i].name, name) == 0) {
            g_ptr_array_add(names, (gpointer)machines[i].name);
            return true;
        }
    }
    fprintf(stderr, "%s: unknown machine '%s'; qemu.live --list names them\n", program, name);
    return false;
}

bool options_wanted(const GPtrArray *names, const char *name)
{
    bool found = names->len == 0;

    for (guint i = 0; i < names->len; i++) {
        found |= strcmp(g_ptr_array_index(names, i), name) == 0;
    }
    return found;
}

bool options_number(const char *program, const char *text, uint64_t limit, uint64_t *number)
{
    GError *error = NULL;

    if (!g_ascii_string_to_unsigned(text, 10, 1, limit, number, &error)) {
        fprintf(stderr, "%s: %s\n", program, error->message);
        g_error_free(error);
        return false;
    }
    return true;
}
