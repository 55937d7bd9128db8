/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Some things are made once a process: types on first use, tables with the
 * first block.  An input that happens to be first would take other edges than
 * the same input later, which AFL++ calls unstable and libFuzzer new.  So one
 * trace is played before the first input; both engines, and the replayer, call
 * this before they start (AFL++: before its fork server).
 *
 * `replay_T --repeat 2 --edges` fails if something is missing here.  What differs from the model here is no
 * finding, as no engine runs yet: so nothing that is only there to be compared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "exec/memory.h"
#include "qapi/error.h"
#include "run/fuzz.h"
#include "run/subject.h"
#include "trace/trace.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

extern const char fuzz_plays_traces;   /* target.h */
const char fuzz_plays_traces = 1;

static const char text[] =
    "owner o0\n"
    "container r0 size 2^64 owner none named plain\n"
    "ram r1 size 0x1000 owner o0 kind ram\n"
    "ram r2 size 0x1000 owner none kind ram\n"
    "io r3 size 0x1000 owner o0 named plain endian little\n"
    "alias r4 of r1 offset 0x0 size 0x1000 owner none named plain\n"
    "space as0 root r0 watched\n"
    "iommu r5 size 0x1000 owner none to as0 granule 0x40 traits none\n"
    "iommu r6 size 0x1000 owner none to as0 granule 0x40 traits methods\n"
    "iommu r7 size 0x1000 owner none to as0 granule 0x40 traits methods+replays\n"
    "listen l0 as0 priority 0 hears region_add+region_del+eventfd_add+eventfd_del\n"
    "add r0 r1 at 0x0 priority 0\n"
    "add r0 r2 at 0x1000 priority 0\n"
    "add r0 r3 at 0x2000 priority 0\n"
    "add r0 r4 at 0x3000 priority 0\n"
    "eventfd r3 at 0x0 width 4 data 0x0 notify e0\n"
    "coalesce r3 0x0 size 0x10\n"
    "find r0 0x0 size 0x1\n"
    "mtree flatview+owner\n"
    "ram_file r8 size 0x1000 owner none offset 0x0 file path_exact flags shared\n"
    "ram r9 size 0x2000 owner none kind resizeable\n"
    "manage r9 granule 0x1000\n"
    "discard_listen d0 on r9 0x0 size 0x1000 kind single\n"
    "grace\n";

/*
 * Bitmaps of dirty pages grow with the blocks and never shrink (R-DMB-3): as far as any input can make them,
 * which is twice what it may have of blocks, because of the gaps between them.
 */
static void grow_dirty_memory(void)
{
    enum { BLOCKS = 4 };
    const size_t size = (size_t)48 << 30;
    void *reserved = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    MemoryRegion *blocks = calloc(BLOCKS, sizeof(*blocks));

    if (reserved == MAP_FAILED || !blocks) {
        perror("warm-up: no memory");
        abort();
    }
    for (int i = 0; i < BLOCKS; i++) {
        memory_region_init_ram_ptr(&blocks[i], NULL, "warm-up", size, reserved);
    }
    for (int i = 0; i < BLOCKS; i++) {
        object_unparent(OBJECT(&blocks[i]));
    }
    subject_drain();
    free(blocks);
    munmap(reserved, size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct fuzz_options options = { .target = "warm-up", .groups_allowed = UINT32_MAX, .warm_up = true };
    struct trace t;
    struct trace_error error;
    Error *warning = NULL;

    (void)argc;
    (void)argv;
    error_setg(&warning, "the first Error of a process names its domain");
    error_free(warning);
    trace_init(&t);
    if (!trace_parse(&t, text, sizeof(text) - 1, &error)) {
        fprintf(stderr, "warm-up: line %u:%u: %s\n", error.line, error.column, error.message);
        abort();
    }
    size_t size = trace_encode(&t, NULL, 0);
    uint8_t *bytes = malloc(size);
    trace_encode(&t, bytes, size);
    fuzz_run_trace(bytes, size, &options);
    grow_dirty_memory();
    free(bytes);
    trace_free(&t);
    return 0;
}
