/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where this process is as a destination, and what may happen there (R-PC-1). */
#include <glib.h>

#include "base/misuse.h"
#include "migration/postcopy_incoming.h"

static int state;       /* atomic */
static const PostcopyHost *replaced_host;

static const char *const state_names[] = { "none", "advise", "discard", "listening", "running", "end" };

PostcopyState postcopy_state_get(void)
{
    return (PostcopyState)__atomic_load_n(&state, __ATOMIC_SEQ_CST);
}

PostcopyState postcopy_state_set(PostcopyState new_state)
{
    memcore_require((unsigned)new_state < G_N_ELEMENTS(state_names), "R-PC-1", "%d is no state", (int)new_state);
    return (PostcopyState)__atomic_exchange_n(&state, (int)new_state, __ATOMIC_SEQ_CST);
}

const char *postcopy_state_name(PostcopyState which)
{
    return (unsigned)which < G_N_ELEMENTS(state_names) ? state_names[which] : "unknown";
}

bool postcopy_event_allowed(PostcopyEvent event, Error **errp)
{
#define IN(name) (1u << POSTCOPY_INCOMING_##name)
    static const struct {
        const char *name;
        unsigned states;
    } events[] = {
        [POSTCOPY_EVENT_ADVISE] = { "ADVISE", IN(NONE) },
        [POSTCOPY_EVENT_BLOCK_LIST] = { "a list of blocks", IN(NONE) | IN(ADVISE) },
        [POSTCOPY_EVENT_DISCARD] = { "DISCARD", IN(ADVISE) | IN(DISCARD) },
        [POSTCOPY_EVENT_LISTEN] = { "LISTEN", IN(ADVISE) | IN(DISCARD) },
        [POSTCOPY_EVENT_RUN] = { "RUN", IN(LISTENING) },
        /* END in state LISTENING may still be followed by RUN; the end of the stream may not. */
        [POSTCOPY_EVENT_END] = { "the end", IN(RUNNING) },
    };
#undef IN
    const PostcopyState now = postcopy_state_get();

    if (!(events[event].states >> now & 1)) {
        error_setg(errp, "%s in postcopy state \"%s\"", events[event].name, postcopy_state_name(now));
        return false;
    }
    return true;
}

const PostcopyHost *postcopy_host(void)
{
    return replaced_host ? replaced_host : &postcopy_userfaultfd;
}

void postcopy_set_host(const PostcopyHost *host)
{
    replaced_host = host;
}

const char *migration_status_name(MigrationStatus status)
{
    static const char *const names[] = {
        [MIGRATION_STATUS_NONE] = "none",
        [MIGRATION_STATUS_SETUP] = "setup",
        [MIGRATION_STATUS_ACTIVE] = "active",
        [MIGRATION_STATUS_POSTCOPY_ACTIVE] = "postcopy-active",
        [MIGRATION_STATUS_POSTCOPY_PAUSED] = "postcopy-paused",
        [MIGRATION_STATUS_POSTCOPY_RECOVER] = "postcopy-recover",
        [MIGRATION_STATUS_COMPLETED] = "completed",
        [MIGRATION_STATUS_FAILED] = "failed",
        [MIGRATION_STATUS_CANCELLING] = "cancelling",
        [MIGRATION_STATUS_CANCELLED] = "cancelled",
    };

    return (unsigned)status < G_N_ELEMENTS(names) ? names[status] : "unknown";
}

MigrationStatus migration_status_get(const MigrationStatus *status)
{
    return __atomic_load_n(status, __ATOMIC_ACQUIRE);
}

void migration_status_set(MigrationStatus *status, MigrationStatus value)
{
    __atomic_store_n(status, value, __ATOMIC_RELEASE);
}
