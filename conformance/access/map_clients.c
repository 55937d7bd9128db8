/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who waits for the one bounce buffer (R-MAP-4, R-MAP-11; INV-12). */
#include "common/access.h"

#include <string.h>

static void note_call(void *opaque)
{
    ++*(unsigned *)opaque;
}

static void clients_are_woken_once(void)
{
    Bus bus = bus_new("as");
    unsigned x_calls = 0, y_calls = 0, z_calls = 0;
    QEMUBH *x = qemu_bh_new(note_call, &x_calls), *y = qemu_bh_new(note_call, &y_calls);
    QEMUBH *z = qemu_bh_new(note_call, &z_calls);
    hwaddr got, failed = 1;
    void *p;

    cpu_register_map_client(x);
    memcore_run_bottom_halves();
    check_number(x_calls, 1);
    p = bus_map(bus, 0, 1, READ, &got);
    cpu_register_map_client(x);
    cpu_register_map_client(y);
    cpu_register_map_client(z);
    cpu_unregister_map_client(z);
    cpu_unregister_map_client(z);
    memcore_run_bottom_halves();
    check_number(x_calls, 1);
    check_pointer(bus_map(bus, 0, 1, READ, &failed), NULL);
    memcore_run_bottom_halves();
    check_number(x_calls + y_calls, 1);
    address_space_unmap(bus.as, p, got, READ, 1);
    memcore_run_bottom_halves();
    check_number(x_calls, 2);
    check_number(y_calls, 1);
    check_number(z_calls, 0);
    p = bus_map(bus, 0, 1, READ, &got);
    address_space_unmap(bus.as, p, got, READ, 1);
    memcore_run_bottom_halves();
    check_number(x_calls + y_calls + z_calls, 3);
    qemu_bh_delete(x);
    qemu_bh_delete(y);
    qemu_bh_delete(z);
}

static void registered_twice_waits_twice(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls);
    hwaddr got;
    void *p = bus_map(bus, 0, 1, READ, &got);

    cpu_register_map_client(bh);
    cpu_register_map_client(bh);
    cpu_unregister_map_client(bh);
    address_space_unmap(bus.as, p, got, READ, 1);
    memcore_run_bottom_halves();
    check_number(calls, 1);
    qemu_bh_delete(bh);
}

static void direct_unmaps_wake_nobody(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls);
    hwaddr got, direct;
    void *p, *q;

    stage_add(bus.root, 0x1000, stage_ram("ram", 0x1000));
    p = bus_map(bus, 0, 1, READ, &got);
    cpu_register_map_client(bh);
    q = bus_map(bus, 0x1000, 1, READ, &direct);
    address_space_unmap(bus.as, q, direct, READ, 1);
    memcore_run_bottom_halves();
    check_number(calls, 0);
    address_space_unmap(bus.as, p, got, READ, 1);
    memcore_run_bottom_halves();
    check_number(calls, 1);
    qemu_bh_delete(bh);
}

static void the_buffer_is_exclusive(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0, expected = 0, waiting = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls);
    uint64_t state = 12;
    void *held = NULL;
    hwaddr held_size = 0;

    for (int i = 0; i < 400; i++) {
        hwaddr got = 0x10;
        void *p;

        switch (random_below(&state, 4)) {
        case 0:
            p = bus_map(bus, 0x100 * (hwaddr)i, 0x10, READ, &got);
            check((p != NULL) == (held == NULL));
            check_number(got, p ? 0x10 : 0);
            if (p) {
                held = p;
                held_size = got;
            }
            break;
        case 1:
            if (held) {
                address_space_unmap(bus.as, held, held_size, READ, 0);
                held = NULL;
                expected += waiting > 0;
                waiting = 0;
            }
            break;
        case 2:
            if (held) {
                cpu_register_map_client(bh);
                waiting++;
            }
            break;
        default:
            cpu_unregister_map_client(bh);
            waiting -= waiting > 0;
        }
        memcore_run_bottom_halves();
        check_number(calls, expected);
    }
    if (held) {
        address_space_unmap(bus.as, held, held_size, READ, 0);
    }
    memcore_run_bottom_halves();
    qemu_bh_delete(bh);
}

/* ---- two threads, the second played in the middle of the first ---- */

static struct {
    MemcorePlace place;         /* where the other thread comes in; MEMCORE_PLACES: nowhere any more */
    unsigned places;            /* a bit for each place that was told */
    AddressSpace *as;
    void *buffer;               /* it unmaps this, or ... */
    hwaddr length;
    QEMUBH *client;             /* ... this one waits, or leaves */
    bool leaves;
} other;

static void other_thread(void *opaque, MemcorePlace place)
{
    check_pointer(opaque, &other);
    other.places |= 1u << place;
    if (place != other.place) {
        return;
    }
    other.place = MEMCORE_PLACES;
    if (other.buffer) {
        address_space_unmap(other.as, other.buffer, other.length, READ, 0);
    } else if (other.leaves) {
        cpu_unregister_map_client(other.client);
    } else {
        cpu_register_map_client(other.client);
    }
}

static void other_thread_unmaps(MemcorePlace place, Bus bus, void *buffer, hwaddr length)
{
    memset(&other, 0, sizeof(other));
    other.place = place;
    other.as = bus.as;
    other.buffer = buffer;
    other.length = length;
    memcore_set_meanwhile(other_thread, &other);
}

static void other_thread_waits(MemcorePlace place, QEMUBH *client, bool leaves)
{
    memset(&other, 0, sizeof(other));
    other.place = place;
    other.client = client;
    other.leaves = leaves;
    memcore_set_meanwhile(other_thread, &other);
}

/* The places are told; ends the play. */
static void check_places(unsigned places)
{
    memcore_set_meanwhile(NULL, NULL);
    check_number(other.place, MEMCORE_PLACES);
    check_number(other.places, places);
    memcore_run_bottom_halves();
}

static void released_meanwhile(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0, left = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls), *leaver = qemu_bh_new(note_call, &left);
    hwaddr got, next;
    void *p = bus_map(bus, 0, 1, READ, &got);

    other_thread_unmaps(MEMCORE_PLACE_WAIT, bus, p, got);
    cpu_register_map_client(bh);        /* R-MAP-11: it is free by now */
    check_places(1u << MEMCORE_PLACE_WAIT | 1u << MEMCORE_PLACE_UNMAP);
    check_number(calls, 1);

    p = bus_map(bus, 0, 1, READ, &got);
    cpu_register_map_client(leaver);
    other_thread_unmaps(MEMCORE_PLACE_CANCEL, bus, p, got);
    cpu_unregister_map_client(leaver);  /* too late: it is absent */
    check_places(1u << MEMCORE_PLACE_CANCEL | 1u << MEMCORE_PLACE_UNMAP);
    check_number(left, 1);

    p = bus_map(bus, 0, 1, READ, &got);
    other_thread_unmaps(MEMCORE_PLACE_MAP, bus, p, got);
    p = bus_map(bus, 0, 1, READ, &next);    /* R-MAP-4 */
    check_places(1u << MEMCORE_PLACE_MAP | 1u << MEMCORE_PLACE_UNMAP);
    check(p != NULL);
    check_pointer(bus_map(bus, 0, 1, READ, &got), NULL);
    address_space_unmap(bus.as, p, next, READ, 0);
    check_number(calls, 1);
    qemu_bh_delete(bh);
    qemu_bh_delete(leaver);
}

static void waits_and_leaves_meanwhile(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0, left = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls), *leaver = qemu_bh_new(note_call, &left);
    hwaddr got;
    void *p = bus_map(bus, 0, 1, READ, &got);

    other_thread_waits(MEMCORE_PLACE_UNMAP, bh, false);
    address_space_unmap(bus.as, p, got, READ, 0);
    check_places(1u << MEMCORE_PLACE_UNMAP | 1u << MEMCORE_PLACE_WAIT);
    check_number(calls, 1);

    p = bus_map(bus, 0, 1, READ, &got);
    cpu_register_map_client(leaver);
    other_thread_waits(MEMCORE_PLACE_UNMAP, leaver, true);
    address_space_unmap(bus.as, p, got, READ, 0);
    check_places(1u << MEMCORE_PLACE_UNMAP | 1u << MEMCORE_PLACE_CANCEL);
    check_number(left, 0);

    /* Nobody is asked any more. */
    other.places = 0;
    p = bus_map(bus, 0, 1, READ, &got);
    address_space_unmap(bus.as, p, got, READ, 0);
    check_number(other.places, 0);
    qemu_bh_delete(bh);
    qemu_bh_delete(leaver);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MAP-11/woken-once", clients_are_woken_once);
    conformance_case("/R-MAP-11/registered-twice", registered_twice_waits_twice);
    conformance_case("/R-MAP-11/direct-unmaps", direct_unmaps_wake_nobody);
    conformance_case("/R-MAP-11/released-meanwhile", released_meanwhile);
    conformance_case("/R-MAP-11/waits-and-leaves-meanwhile", waits_and_leaves_meanwhile);
    conformance_case("/INV-12/exclusive", the_buffer_is_exclusive);
    return g_test_run();
}
