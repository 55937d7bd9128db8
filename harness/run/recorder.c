/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners that write down what they hear.
 */
#include "run/player_parts.h"

#include <string.h>

static struct recorder *recorder_of(MemoryListener *listener)
{
    return (struct recorder *)((char *)listener - offsetof(struct recorder, listener));
}

static struct event heard(struct recorder *r, enum event_kind kind, const MemoryRegionSection *section)
{
    struct event e;

    event_init(&e, kind);
    e.listener = r->slot;
    if (section) {
        player_observe_section(r->player, section, r->space, &e.section);
        e.view_published = section->fv == address_space_to_flatview(&r->player->spaces[r->space]);
    }
    return e;
}

static void record(MemoryListener *listener, enum event_kind kind, const MemoryRegionSection *section)
{
    struct recorder *r = recorder_of(listener);
    struct event e = heard(r, kind, section);

    player_record(r->player, &e);
}

static void on_begin(MemoryListener *listener)
{
    record(listener, EVENT_BEGIN, NULL);
}

static void on_commit(MemoryListener *listener)
{
    struct recorder *r = recorder_of(listener);
    int armed = r->armed;

    record(listener, EVENT_COMMIT, NULL);
    if (armed != OBSERVED_NONE && !r->player->replaying) {
        r->armed = OBSERVED_NONE;
        player_toggle(r->player, (unsigned)armed);      /* a mutator in a commit callback: R-LST-13 */
    }
}

static void on_region_add(MemoryListener *listener, MemoryRegionSection *section)
{
    record(listener, EVENT_REGION_ADD, section);
}

static void on_region_del(MemoryListener *listener, MemoryRegionSection *section)
{
    record(listener, EVENT_REGION_DEL, section);
}

static void on_region_nop(MemoryListener *listener, MemoryRegionSection *section)
{
    record(listener, EVENT_REGION_NOP, section);
}

static void record_log(MemoryListener *listener, enum event_kind kind, const MemoryRegionSection *section,
                       int old_mask, int new_mask)
{
    struct recorder *r = recorder_of(listener);
    struct event e = heard(r, kind, section);

    e.old_mask = old_mask;
    e.new_mask = new_mask;
    player_record(r->player, &e);
}

static void on_log_start(MemoryListener *listener, MemoryRegionSection *section, int old_mask, int new_mask)
{
    record_log(listener, EVENT_LOG_START, section, old_mask, new_mask);
}

static void on_log_stop(MemoryListener *listener, MemoryRegionSection *section, int old_mask, int new_mask)
{
    record_log(listener, EVENT_LOG_STOP, section, old_mask, new_mask);
}

static void on_log_sync(MemoryListener *listener, MemoryRegionSection *section)
{
    record(listener, EVENT_LOG_SYNC, section);
}

static void on_log_sync_global(MemoryListener *listener)
{
    record(listener, EVENT_LOG_SYNC_GLOBAL, NULL);
}

static void on_log_clear(MemoryListener *listener, MemoryRegionSection *section)
{
    record(listener, EVENT_LOG_CLEAR, section);
}

static void on_log_global_start(MemoryListener *listener)
{
    record(listener, EVENT_LOG_GLOBAL_START, NULL);
}

static void on_log_global_stop(MemoryListener *listener)
{
    record(listener, EVENT_LOG_GLOBAL_STOP, NULL);
}

static void on_log_global_after_sync(MemoryListener *listener)
{
    record(listener, EVENT_LOG_GLOBAL_AFTER_SYNC, NULL);
}

static void record_eventfd(MemoryListener *listener, enum event_kind kind, const MemoryRegionSection *section,
                           bool match_data, uint64_t data, const EventNotifier *notifier)
{
    struct recorder *r = recorder_of(listener);
    struct event e = heard(r, kind, section);

    e.match_data = match_data;
    e.data = data;
    e.notifier = player_notifier_slot(r->player, notifier);
    player_record(r->player, &e);
}

static void on_eventfd_add(MemoryListener *listener, MemoryRegionSection *section, bool match_data, uint64_t data,
                           EventNotifier *notifier)
{
    record_eventfd(listener, EVENT_EVENTFD_ADD, section, match_data, data, notifier);
}

static void on_eventfd_del(MemoryListener *listener, MemoryRegionSection *section, bool match_data, uint64_t data,
                           EventNotifier *notifier)
{
    record_eventfd(listener, EVENT_EVENTFD_DEL, section, match_data, data, notifier);
}

static void record_coalesced(MemoryListener *listener, enum event_kind kind, const MemoryRegionSection *section,
                             hwaddr address, hwaddr length)
{
    struct recorder *r = recorder_of(listener);
    struct event e = heard(r, kind, section);

    e.address = address;
    e.length = length;
    player_record(r->player, &e);
}

static void on_coalesced_io_add(MemoryListener *listener, MemoryRegionSection *section, hwaddr address,
                                hwaddr length)
{
    record_coalesced(listener, EVENT_COALESCED_ADD, section, address, length);
}

static void on_coalesced_io_del(MemoryListener *listener, MemoryRegionSection *section, hwaddr address,
                                hwaddr length)
{
    record_coalesced(listener, EVENT_COALESCED_DEL, section, address, length);
}

void recorder_init(struct recorder *r, struct player *p, unsigned slot, unsigned space, uint64_t mask,
                   unsigned priority, const char *name)
{
    MemoryListener *l = &r->listener;

    memset(r, 0, sizeof(*r));
    r->player = p;
    r->slot = (int)slot;
    r->space = (int)space;
    r->armed = OBSERVED_NONE;
    l->priority = priority;
    l->name = name;
#define HEARS(kind, callback) \
    if (mask & UINT64_C(1) << (kind)) { \
        l->callback = on_##callback; \
    }
    HEARS(EVENT_BEGIN, begin)
    HEARS(EVENT_COMMIT, commit)
    HEARS(EVENT_REGION_ADD, region_add)
    HEARS(EVENT_REGION_DEL, region_del)
    HEARS(EVENT_REGION_NOP, region_nop)
    HEARS(EVENT_LOG_START, log_start)
    HEARS(EVENT_LOG_STOP, log_stop)
    HEARS(EVENT_LOG_SYNC, log_sync)
    HEARS(EVENT_LOG_SYNC_GLOBAL, log_sync_global)
    HEARS(EVENT_LOG_CLEAR, log_clear)
    HEARS(EVENT_LOG_GLOBAL_START, log_global_start)
    HEARS(EVENT_LOG_GLOBAL_STOP, log_global_stop)
    HEARS(EVENT_LOG_GLOBAL_AFTER_SYNC, log_global_after_sync)
    HEARS(EVENT_EVENTFD_ADD, eventfd_add)
    HEARS(EVENT_EVENTFD_DEL, eventfd_del)
    HEARS(EVENT_COALESCED_ADD, coalesced_io_add)
    HEARS(EVENT_COALESCED_DEL, coalesced_io_del)
#undef HEARS
}
