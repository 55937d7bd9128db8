/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs that start QEMU take on their command lines alike. */
#ifndef QEMU_PEER_OPTIONS_H
#define QEMU_PEER_OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The value of --machine is appended to `names`.  False after one line on stderr that begins with `program`. */
bool options_machine(const char *program, const char *name, GPtrArray *names);

/* Is the machine one of `names`?  Without names all are. */
bool options_wanted(const GPtrArray *names, const char *name);

/* A number from 1 to `limit`.  False after one line on stderr. */
bool options_number(const char *program, const char *text, uint64_t limit, uint64_t *number);

#endif
