/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "region/transaction.h"

#include "base/state.h"
#include "exec/memory.h"

static unsigned depth;
static bool topology_pending;
static bool ioeventfds_pending;
static void (*installed_commit)(bool topology);

__thread CallbackContext callback_context;

void transaction_install_commit(void (*commit)(bool topology))
{
    installed_commit = commit;
}

void transaction_topology_changed(void)
{
    memcore_assert(depth > 0);
    topology_pending = true;
}

void transaction_ioeventfds_changed(void)
{
    memcore_assert(depth > 0);
    ioeventfds_pending = true;
}

void memory_region_transaction_begin(void)
{
    memcore_ensure_init();
    memcore_flush_coalesced();      /* R-COAL-3: at every depth */
    depth++;
}

void memory_region_transaction_commit(void)
{
    bool topology, anything;

    memcore_require(depth > 0, "R-TX-1",
                    "no transaction is open; call memory_region_transaction_begin first");
    memcore_require_big_lock("R-TX-1");
    if (--depth > 0) {
        return;
    }
    topology = topology_pending;
    anything = topology_pending || ioeventfds_pending;
    /* Cleared first: what a commit callback changes is pending anew (R-LST-13). */
    topology_pending = false;
    ioeventfds_pending = false;
    if (anything && installed_commit) {
        memcore_assert(callback_context != CALLBACK_OTHER);
        installed_commit(topology);
    }
}
