/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real QEMU >= 9 with 16 MiB of RAM, told what to do over QMP.
 *
 * Which QEMU: $MEMCORE_QEMU, or qemu-system-x86_64.
 */
#ifndef CONFORMANCE_MIGRATION_QEMU_PROCESS_H
#define CONFORMANCE_MIGRATION_QEMU_PROCESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { QEMU_RAM = 16 << 20, QEMU_SKIPPED = 77 };

typedef struct {
    GPid pid;
    FILE *in, *out;
} Qemu;

/* Why there is no such QEMU; NULL: there is. */
const char *no_qemu(void);
/* g_test_skip and true, where there is none.  The program's exit status is then qemu_status(g_test_run()). */
bool skip_without_qemu(void);
int qemu_status(int status);

/* `-machine none`, waiting for a migration; or as `more` arguments say, to NULL. */
void qemu_start(Qemu *qemu);
void qemu_start_as(Qemu *qemu, const char *const *more);
void qemu_end(Qemu *qemu);

/* A command that has to be done.  `format` as of printf, with the command's JSON. */
void qemu_tell(Qemu *qemu, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The answer to a command; g_free. */
char *qemu_ask(Qemu *qemu, const char *command);
void qemu_set_capability(Qemu *qemu, const char *name, bool on);

/* Waits until the migration it is in has completed; a failed one is reported. */
void qemu_wait_completed(Qemu *qemu, const char *what);

/* The same, where it may fail, or end QEMU. */
bool qemu_completes(Qemu *qemu);

/* Fills 16 MiB: a fifth of the pages, and the last one. */
void qemu_fill(uint8_t *memory);

#endif
