/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   The canary must die.  Its core has a planted bug: it forgets every
 *   memory_region_set_readonly(mr, true).  The seeds never ask for that, so
 *   an engine has to come upon it; then the model disagrees, and the finding
 *   takes the way that every real one takes: report, artifact, replay,
 *   minimised trace, exit code.  If the canary lives, that way is broken, and
 *   "no findings" of the other targets means nothing.
 *
 *   $CANARY plants another kind of bug in the same place: `overflow`, a write
 *   behind a heap block, or `leak`; they take the sanitizers' way to the same
 *   end.  `flaky` is the bug above in every second process.  Only ci/tests set it.
 *
 *   The bug is put in by the linker (--wrap), so no other target, and no
 *   installed library, knows of it.  memtrace_canary is memtrace with the
 *   same bug.
 *
 * Invariants:
 *   - those of region_tree; the view's readonly flags are to be found wrong
 *
 * Input: a binary trace of the group `tree`.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec/memory.h"
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

void __real_memory_region_set_readonly(MemoryRegion *mr, bool readonly);
void __wrap_memory_region_set_readonly(MemoryRegion *mr, bool readonly);

void __wrap_memory_region_set_readonly(MemoryRegion *mr, bool readonly)
{
    const char *kind = getenv("CANARY");
    char *volatile block;

    if (!readonly) {
        __real_memory_region_set_readonly(mr, readonly);
    } else if (kind && strcmp(kind, "flaky") == 0) {
        if (getpid() % 2) {
            __real_memory_region_set_readonly(mr, readonly);
        }
    } else if (kind) {
        block = malloc(16);
        block[strcmp(kind, "overflow") ? 0 : 16] = 1;
        if (strcmp(kind, "leak")) {
            free(block);
        }
        block = NULL;
        __real_memory_region_set_readonly(mr, readonly);
    }
}

static const struct fuzz_options options = {
    .target = "canary",
    .groups_allowed = 1u << TRACE_GROUP_TREE,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
