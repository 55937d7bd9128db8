/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "access/bounce.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/bottom_half.h"
#include "base/meanwhile.h"
#include "exec/memory.h"
#include "qemu/thread.h"

/* One entry for each registration. */
typedef struct {
    struct cds_list_head link;
    QEMUBH *bh;
} MapClient;

/* Guards all of it: whoever finds the buffer taken and then waits cannot miss its release. */
static QemuMutex mutex = QEMU_MUTEX_INITIALIZER;
static bool taken;
static struct cds_list_head clients = CDS_LIST_HEAD_INIT(clients);

/* Nothing that was looked at before may count from here on. */
static void lock(MemcorePlace place)
{
    memcore_meanwhile(place);
    qemu_mutex_lock(&mutex);
}

/* With the mutex held. */
static void end_waiting(MapClient *client)
{
    cds_list_del(&client->link);
    __atomic_fetch_sub(&client->bh->waiting, 1, __ATOMIC_RELAXED);
    g_free(client);
}

/* With the mutex held: a bh that waits cannot be deleted meanwhile. */
static void schedule_all(void)
{
    while (!cds_list_empty(&clients)) {
        MapClient *client = cds_list_first_entry(&clients, MapClient, link);

        bottom_half_wake(client->bh);
        end_waiting(client);
    }
}

/*
 * Fresh memory each time, so that a sanitizer sees who uses it too late or too
 * far; zeros, so that nobody sees what was transferred before.
 */
void *bounce_take(size_t size)
{
    void *buffer = NULL;
    bool was_taken;

    lock(MEMCORE_PLACE_MAP);
    was_taken = taken;
    taken = true;
    qemu_mutex_unlock(&mutex);
    if (was_taken) {
        return NULL;
    }
    if (posix_memalign(&buffer, TARGET_PAGE_SIZE, size) != 0) {
        g_error("out of memory");
    }
    return memset(buffer, 0, size);
}

void bounce_release(void *buffer)
{
    free(buffer);
    lock(MEMCORE_PLACE_UNMAP);
    taken = false;
    schedule_all();
    qemu_mutex_unlock(&mutex);
}

void cpu_register_map_client(QEMUBH *bh)
{
    MapClient *client = g_new(MapClient, 1);

    client->bh = bh;
    __atomic_fetch_add(&bh->waiting, 1, __ATOMIC_RELAXED);
    lock(MEMCORE_PLACE_WAIT);
    cds_list_add_tail(&client->link, &clients);
    if (!taken) {
        schedule_all();
    }
    qemu_mutex_unlock(&mutex);
}

void cpu_unregister_map_client(QEMUBH *bh)
{
    MapClient *client;

    lock(MEMCORE_PLACE_CANCEL);
    cds_list_for_each_entry(client, &clients, link) {
        if (client->bh == bh) {
            end_waiting(client);
            break;
        }
    }
    qemu_mutex_unlock(&mutex);
}
