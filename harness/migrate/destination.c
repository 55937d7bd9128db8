/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A destination against the model: the steps, and the stream that is made of them. */
#include <errno.h>
#include <string.h>

#include "exec/ram_addr.h"
#include "migrate/destination.h"
#include "migrate/wire.h"
#include "migration/postcopy-host.h"
#include "qemu/main-loop.h"

struct postcopy_destination destination;

/* --- steps beside the stream ---------------------------------------------------------------------------- */

static void touch(int block, unsigned page, bool late)
{
    uint8_t *address = guest.block[block]->host + page * guest.page_size + page % guest.page_size;
    enum postcopy_model_touch expected = POSTCOPY_MODEL_GOES_ON;
    int result;

    const bool there = kernel.there[block][page], absent = guest.absent[block] >> page & 1;
    const unsigned woken = kernel.woken;

    /* Nobody waits; check_pages looks at what is read.  A page that fails to be placed is step 11's. */
    if (!destination_listening() || page >= guest.pages[block] || (there && !late) || (absent && kernel.no_memory)) {
        return;
    }
    if (destination.trusted) {
        expected = postcopy_model_touch(&destination.model, block, page);
        REQUIRE(there || absent || expected != POSTCOPY_MODEL_GOES_ON, "a received page is missing");
    }
    destination.asked = false;
    result = postcopy_ram_fault(&destination.mis, address);
    REQUIRE(result == 0 || destination.send_failed, "a page cannot be asked for");
    REQUIRE(!there || kernel.woken > woken, "who waits for a page that is there is not woken (R-PC-22)");
    REQUIRE(!absent || kernel.there[block][page], "a discarded page that is waited for is not placed (R-PC-21)");
    if (destination.trusted && !destination.send_failed) {
        REQUIRE(destination.asked == (expected == POSTCOPY_MODEL_ASKS),
                "a page is not asked for, or again (R-PC-22)");
        REQUIRE(!destination.asked || (destination.asked_block == block && destination.asked_page == page),
                "another page is asked for");
    }
    destination.trusted = destination.trusted &&
                          !destination.send_failed; /* what is counted from here on is not said anywhere */
    destination.asked = false;
}

static void resize(unsigned pages)
{
    const bool follows = destination.model.state == POSTCOPY_MODEL_ADVISE;

    /* Until there was a list it says how long blocks are. */
    if (!destination.trusted || !destination.model.started || destination.model.state == POSTCOPY_MODEL_NONE) {
        return;
    }
    if (!postcopy_model_resize(&destination.model, 0, pages)) {
        destination.doomed = true;
        destination.trusted = false;
    } else if (follows) {
        guest.pages[0] = pages;
    }
    postcopy_resize(pages);
}

static void other_channel(int block, unsigned page, uint8_t value)
{
    uint8_t bytes[1 << 16];     /* not static: meanwhile() comes here again */
    uint8_t *host = guest.block[block]->host + page * guest.page_size;
    const bool duplicate = destination_received(block, page), fails = kernel.no_memory && !duplicate;
    const unsigned woken = kernel.woken;
    int result;

    if (!destination_listening() || page >= guest.pages[block]) {
        return;
    }
    if (!fails) {
        postcopy_model_place(&destination.model, block, page, value);
    }
    memset(bytes, value, guest.page_size);
    result = value ? postcopy_place_page(&destination.mis, host, bytes)
                   : postcopy_place_page_zero(&destination.mis, host);
    REQUIRE(result == (fails ? -ENOMEM : 0), "a page cannot be placed, or can though the kernel has no memory");
    REQUIRE(!duplicate || kernel.woken > woken, "who waits for a page that came twice is not woken (R-PC-31)");
}

/* In the middle of placing a page, of which the model knows already. */
static void meanwhile(void)
{
    const int block = destination.meanwhile[0] & 1;

    if (kernel.no_memory || kernel.again) {
        return;
    }
    other_channel(block, destination.meanwhile[1] % MAX(guest.pages[block], 1), destination.meanwhile[2]);
    /* A thread that touches the page which is being placed asks for it: it is not there yet. */
    destination.trusted = destination.trusted && !destination.send_fails;
}

static void change_message(size_t from)
{
    if (destination.change[1] && destination.wire->len > from) {
        destination.wire->data[from + destination.change[0] % (destination.wire->len - from)] ^=
            destination.change[1];
        destination.trusted = false;
        destination.change[1] = 0;
    }
}

/* A message of the stream; what must be refused is left out unless the input insists. */
static void step_message(uint8_t what, const uint8_t *step)
{
    const struct postcopy_model before = destination.model;
    const size_t from = destination.wire->len;
    const bool section = destination.section;

    destination_say(what, step[1], step[2], step[3]);
    if (destination.expectation == REFUSED && !(step[1] & 128)) {
        destination.model = before;
        destination.section = section;
        destination.expectation = ACCEPTED;
        g_byte_array_set_size(destination.wire, (guint)from);
    }
    change_message(from);
}

static void step(const uint8_t *step)
{
    const uint8_t what = step[0] % 16, a = step[1], b = step[2], c = step[3];
    const int block = a & 1;

    switch (what) {
    case 3:
    case 4:
        touch(block, b % MAX(guest.pages[block], 1), c & 1);
        break;
    case 11:
        other_channel(block, b % MAX(guest.pages[block], 1), c);
        break;
    case 12:
        destination.meanwhile[0] = a;
        destination.meanwhile[1] = b;
        destination.meanwhile[2] = c;
        kernel.meanwhile = meanwhile;
        break;
    case 13:
        kernel.again = (a >> 1 & 7) == 0;
        kernel.half = (a >> 1 & 7) == 1;
        kernel.no_memory = (a >> 1 & 7) == 2;
        kernel.no_enroll = (a >> 1 & 7) == 3;
        kernel.no_open = (a >> 1 & 7) == 4;
        destination.send_fails = (a >> 1 & 7) == 6;
        if ((a >> 1 & 7) == 7) {
            resize(c % (POSTCOPY_MODEL_PAGES_MAX + 1));
        }
        break;
    case 14:
        destination.change[0] = b;
        destination.change[1] = c;
        break;
    default:
        step_message(what, step);
    }
}

/* --- the stream ------------------------------------------------------------------------------------------- */

/* More bytes; false: there are none. */
static bool more(void)
{
    const uint8_t *next;

    while (destination.wire->len == destination.read) {
        g_byte_array_set_size(destination.wire, 0);
        destination.read = 0;
        next = postcopy_next_step(destination.steps);
        if (next) {
            step(next);
        } else if (!(destination.steps->parameters[0] & 2) || !destination.trusted || !destination_say_rest()) {
            return false;
        }
        if (destination.wire->len == 0) {
            destination_check_pages();      /* else the model is ahead by a message */
        }
    }
    return true;
}

static int receive(void *opaque, void *to, size_t length)
{
    uint8_t *place = to;

    (void)opaque;
    while (length > 0) {
        size_t part;

        if (destination.wire->len == destination.read) {
            REQUIRE(!destination.trusted || place == to, "the core wants more than a message has");
            destination_check_taken();
            if (destination.broken || !more()) {
                destination.broken = destination.ran_out = true;
                return -EPIPE;
            }
        }
        part = MIN(length, destination.wire->len - destination.read);
        memcpy(place, destination.wire->data + destination.read, part);
        place += part;
        destination.read += part;
        length -= part;
    }
    return 0;
}

/* --- an input ------------------------------------------------------------------------------------------ */

static void shut_down(void *opaque)
{
    (void)opaque;
    destination.broken = true;
}

static void begin(PostcopySteps *steps)
{
    memset(&destination, 0, sizeof(destination));
    destination.steps = steps;
    destination.trusted = true;
    destination.last_requested = destination.shut = -1;
    destination.mis.transport =
        (MigrationTransport){.send = destination_hear, .recv = receive, .shutdown = shut_down};
    destination.wire = g_byte_array_new();
    for (int b = 0; b < BLOCKS; b++) {
        REQUIRE(ram_block_discard_range(guest.block[b], 0, guest.pages[b] * guest.page_size) == 0, "no discard");
        destination.model.pages[b] = guest.pages[b];
        if (steps->parameters[3] & 4) {
            memset(guest.block[b]->host, 0x5a, guest.pages[b] * guest.page_size);
        }
    }
    postcopy_plug(steps->parameters[3] / 16);
    memcpy(destination.model.absent, guest.absent, sizeof(guest.absent));
    postcopy_model_start(&destination.model);
    postcopy_kernel_start();
    kernel.no_zeroes[0] = steps->parameters[3] & 1;
    kernel.no_zeroes[1] = steps->parameters[3] & 2;
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    wire_put_begin(destination.wire);
}

void postcopy_play_destination(PostcopySteps *steps)
{
    int result;

    begin(steps);
    qemu_mutex_unlock_iothread();
    result = ram_migrate_incoming(&destination.mis);
    qemu_mutex_lock_iothread();
    fuzz_hash_number((uint64_t)result);
    if (result == 0) {
        destination_check_good_end();
    } else {
        destination_check_bad_end();
        REQUIRE(postcopy_ram_incoming_cleanup(&destination.mis) == 0, "a failed migration cannot be dropped");
    }
    REQUIRE(!destination_listening() && kernel.open == 0 && !destination.mis.postcopy, "something stays open");
    for (int b = 0; b < BLOCKS; b++) {
        REQUIRE(!guest.block[b]->receivedmap && guest.block[b]->postcopy_length == 0 &&
                    !qemu_ram_is_uf_zeroable(guest.block[b]),
                "a block keeps something");
    }
    error_free(destination.mis.error);
    g_byte_array_unref(destination.wire);
    postcopy_set_host(NULL);
}
