/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU process that executes no guest code: its monitor answers questions, and
 * its qtest server reads and writes ports and memory as a guest would.
 *
 * The first thing that goes wrong (QEMU ends, does not answer, complains) is
 * kept; from then on every call does nothing and answers 0 or an empty string.
 */
#ifndef CONFORMANCE_QEMU_QEMU_H
#define CONFORMANCE_QEMU_QEMU_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct qemu;

/* The path of qemu-system-ARCHITECTURE, to be freed with g_free(); NULL if it is not installed. */
char *qemu_find(const char *architecture);

/*
 * Starts it stopped, without display and network, with the words of `arguments` (one string,
 * separated by spaces) besides.  Never NULL; see qemu_trouble().
 */
struct qemu *qemu_start(const char *path, const char *arguments);
void qemu_stop(struct qemu *q);     /* NULL-safe; waits until the process is gone */

/* What went wrong first, in words; NULL: nothing. */
const char *qemu_trouble(const struct qemu *q);

/* A command for people; its output, without carriage returns, to be freed with g_free(). */
char *qemu_human(struct qemu *q, const char *command);

/* A command of the machine protocol, e.g. {'execute':'stop'}.  False: QEMU refuses it; that is no trouble. */
bool qemu_command(struct qemu *q, const char *json);

/* `width` is 1, 2 or 4 bytes (memory: also 8). */
uint64_t qemu_in(struct qemu *q, int width, uint16_t port);
void qemu_out(struct qemu *q, int width, uint16_t port, uint32_t value);
uint64_t qemu_read(struct qemu *q, int width, uint64_t address);
void qemu_write(struct qemu *q, int width, uint64_t address, uint64_t value);

/*
 * Many qtest commands in one go: `count` lines, each with its end, all of which QEMU carries out in order.
 * Returns the answers (char *) in the same order without their "OK ", to be freed with g_ptr_array_unref();
 * fewer than `count` after trouble.
 */
GPtrArray *qemu_batch(struct qemu *q, const GString *lines, size_t count);

#endif
