/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who needs discards to work, and who cannot bear them (R-DISC-1, R-DISC-2). */
#include <errno.h>

#include "base/state.h"
#include "exec/memory.h"
#include "qemu/thread.h"

enum {
    DISABLE,
    UNCOORDINATED_DISABLE,
    REQUIRE,
    COORDINATED_REQUIRE,
    COUNTERS,
};

/* Changed under the mutex, read without. */
static unsigned counters[COUNTERS];
static QemuMutex mutex = QEMU_MUTEX_INITIALIZER;

static unsigned count(unsigned which)
{
    return __atomic_load_n(&counters[which], __ATOMIC_RELAXED);
}

/* Up unless one of the `against`, a set of bits, is counted; or down. */
static int change(const char *function, unsigned which, bool up, unsigned against)
{
    int result = 0;

    qemu_mutex_lock(&mutex);
    for (unsigned other = 0; up && other < COUNTERS; other++) {
        if (against >> other & 1 && count(other) > 0) {
            result = -EBUSY;
        }
    }
    if (!up && count(which) == 0) {
        memcore_misuse_at(function, "R-DISC-2", "called with false more often than with true");
    }
    if (result == 0) {
        __atomic_store_n(&counters[which], up ? count(which) + 1 : count(which) - 1, __ATOMIC_SEQ_CST);
    }
    qemu_mutex_unlock(&mutex);
    return result;
}

int ram_block_discard_disable(bool state)
{
    return change(__func__, DISABLE, state, 1 << REQUIRE | 1 << COORDINATED_REQUIRE);
}

int ram_block_uncoordinated_discard_disable(bool state)
{
    return change(__func__, UNCOORDINATED_DISABLE, state, 1 << REQUIRE);
}

int ram_block_discard_require(bool state)
{
    return change(__func__, REQUIRE, state, 1 << DISABLE | 1 << UNCOORDINATED_DISABLE);
}

int ram_block_coordinated_discard_require(bool state)
{
    return change(__func__, COORDINATED_REQUIRE, state, 1 << DISABLE);
}

bool ram_block_discard_is_disabled(void)
{
    return count(DISABLE) > 0 || count(UNCOORDINATED_DISABLE) > 0;
}

bool ram_block_discard_is_required(void)
{
    return count(REQUIRE) > 0 || count(COORDINATED_REQUIRE) > 0;
}
