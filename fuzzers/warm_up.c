/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Some things are made once a process: types on first use, tables with the
 * first block.  An input that happens to be first would take other edges than
 * the same input later, which AFL++ calls unstable and libFuzzer new.  So one
 * trace is played before the first input; both engines, and the replayer, call
 * this before they start (AFL++: before its fork server).
 *
 * `replay_T --repeat 2 --edges` fails if something is missing here.
 */
#include <stdio.h>
#include <stdlib.h>

#include "run/fuzz.h"
#include "trace/trace.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static const char text[] =
    "owner o0\n"
    "container r0 size 2^64 owner none named plain\n"
    "ram r1 size 0x1000 owner o0 kind ram\n"
    "ram r2 size 0x1000 owner none kind ram\n"
    "io r3 size 0x1000 owner o0 named plain endian little\n"
    "alias r4 of r1 offset 0x0 size 0x1000 owner none named plain\n"
    "space as0 root r0 watched\n"
    "listen l0 as0 priority 0 hears region_add+region_del+eventfd_add+eventfd_del\n"
    "add r0 r1 at 0x0 priority 0\n"
    "add r0 r2 at 0x1000 priority 0\n"
    "add r0 r3 at 0x2000 priority 0\n"
    "add r0 r4 at 0x3000 priority 0\n"
    "eventfd r3 at 0x0 width 4 data 0x0 notify e0\n"
    "coalesce r3 0x0 size 0x10\n"
    "find r0 0x0 size 0x1\n"
    "mtree flatview+owner\n"
    "grace\n";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct fuzz_options options = { .target = "warm-up", .groups_allowed = UINT32_MAX, .warm_up = true };
    struct trace t;
    struct trace_error error;

    (void)argc;
    (void)argv;
    trace_init(&t);
    if (!trace_parse(&t, text, sizeof(text) - 1, &error)) {
        fprintf(stderr, "warm-up: line %u:%u: %s\n", error.line, error.column, error.message);
        abort();
    }
    size_t size = trace_encode(&t, NULL, 0);
    uint8_t *bytes = malloc(size);
    trace_encode(&t, bytes, size);
    fuzz_run_trace(bytes, size, &options);
    free(bytes);
    trace_free(&t);
    return 0;
}
