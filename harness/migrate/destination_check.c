/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a destination may say and do, and how it may end. */
#include <errno.h>
#include <string.h>

#include "exec/ram_addr.h"
#include "migrate/destination.h"
#include "migrate/wire.h"

bool destination_listening(void)
{
    return (kernel.enrolled[0] || !guest.pages[0]) && kernel.enrolled[1];
}

/* --- what the core says ---------------------------------------------------------------------------- */

static void hear_request(const uint8_t *message, size_t length)
{
    const uint8_t *at = message + 4;
    const uint64_t start = wire_get(&at, 8), bytes = wire_get(&at, 4);
    const bool named = message[1] == 3;
    int block = destination.last_requested;

    REQUIRE(length == (named ? 17 + (size_t)at[0] : 16), "a request has another length (R-WIRE-2)");
    for (int b = 0; named && b < BLOCKS; b++) {
        if (at[0] == strlen(postcopy_names[b]) && memcmp(at + 1, postcopy_names[b], at[0]) == 0) {
            REQUIRE(b != destination.last_requested, "a request names its block again");
            block = b;
        }
    }
    REQUIRE(block >= 0, "a request names no block");
    REQUIRE(bytes == guest.page_size && start % bytes == 0 && start / bytes < guest.pages[block],
            "a request is for no page");
    REQUIRE(!destination.asked, "a page is asked for twice (R-PC-22)");
    destination.asked = true;
    destination.asked_block = destination.last_requested = block;
    destination.asked_page = (unsigned)(start / bytes);
}

int destination_hear(void *opaque, const void *from, size_t length)
{
    const uint8_t *message = from;

    (void)opaque;
    REQUIRE(length >= 8 && message[0] == 0 && (size_t)(message[2] << 8 | message[3]) == length - 4,
            "a message to the source is none (R-WIRE-2)");
    if (destination.send_fails) {
        destination.send_fails = false;
        destination.send_failed = true;
        return -EPIPE;
    }
    switch (message[1]) {
    case 1:
        REQUIRE(destination.shut < 0, "SHUT is said twice");
        destination.shut = message[7];
        break;
    case 2:
        destination.pongs++;
        break;
    default:
        REQUIRE(message[1] == 3 || message[1] == 4, "a message to the source has a strange type");
        hear_request(message, length);
    }
    return 0;
}

bool destination_received(int block, unsigned page)
{
    return guest.block[block]->receivedmap &&
           ramblock_recv_bitmap_test_byte_offset(guest.block[block], page * guest.page_size);
}

static bool has_value(int block, unsigned page, uint8_t value)
{
    const uint8_t *bytes = guest.block[block]->host + page * guest.page_size;

    return bytes[0] == value && memcmp(bytes, bytes + 1, guest.page_size - 1) == 0;
}

static void check_counters(void)
{
    const struct postcopy_model *model = &destination.model;
    const uint64_t parts = guest.page_size / TARGET_PAGE_SIZE;

    fuzz_hash_number(destination.mis.counters.placed << 32 | destination.mis.counters.zero_placed);
    fuzz_hash_number(destination.mis.counters.requests << 32 | destination.mis.counters.duplicates);
    REQUIRE(destination.mis.counters.placed == model->placed &&
                destination.mis.counters.zero_placed == model->zero_placed,
            "placed pages are not the model's (R-PC-31)");
    REQUIRE(destination.mis.counters.duplicates == model->duplicates, "duplicates are not the model's (R-PC-31)");
    REQUIRE(destination.mis.counters.faults == model->faults &&
                destination.mis.counters.requests == model->requests &&
                destination.mis.counters.suppressed == model->suppressed,
            "requests are not the model's (R-PC-22)");
    REQUIRE(destination.mis.counters.discarded == model->discarded * parts,
            "discarded pages are not the model's (R-PC-15)");
}

void destination_check_pages(void)
{
    for (int b = 0; b < BLOCKS && destination_listening(); b++) {
        for (unsigned page = 0; page < guest.pages[b]; page++) {
            REQUIRE(destination_received(b, page) == kernel.there[b][page],
                    destination_received(b, page) ? "a received page is missing"
                                                  : "a page that was not received can be read (R-PC-15)");
        }
    }
    for (int b = 0; b < BLOCKS && destination.trusted && postcopy_state_get() == POSTCOPY_INCOMING_NONE; b++) {
        for (unsigned page = 0; page < guest.pages[b]; page++) {
            REQUIRE(!destination.model.page[b][page].known || has_value(b, page, destination.model.page[b][page].value),
                    "a page has other bytes than were sent before ADVISE (R-WIRE-4)");
        }
    }
    for (int b = 0; b < BLOCKS && destination.trusted && destination.mis.postcopy; b++) {
        for (unsigned page = 0; page < guest.pages[b]; page++) {
            const struct postcopy_model_page *p = &destination.model.page[b][page];

            REQUIRE(destination_received(b, page) == p->received, "received pages are not the model's");
            REQUIRE(!p->received || has_value(b, page, p->value),
                    "a page has other bytes than were sent (R-PC-31)");
        }
    }
}

void destination_check_taken(void)
{
    for (int b = 0; b < BLOCKS && destination_listening(); b++) {
        REQUIRE(qemu_ram_is_uf_zeroable(guest.block[b]) == (guest.pages[b] && !kernel.no_zeroes[b]),
                "a block says something else about pages of zeroes than the kernel");
    }
    if (destination.trusted) {
        REQUIRE(destination.expectation == ACCEPTED, "a message is accepted that must be refused");
        REQUIRE((int)postcopy_state_get() == (int)destination.model.state,
                "the state is not the model's (R-PC-1)");
        check_counters();
    }
    destination_check_pages();
    fuzz_hash_number(postcopy_state_get());
}

void destination_check_good_end(void)
{
    REQUIRE(!destination.doomed, "a block was resized before the guest ran, and all is well (R-POST-1)");
    REQUIRE(postcopy_state_get() == POSTCOPY_INCOMING_END && destination.mis.status == MIGRATION_STATUS_COMPLETED,
            "a good end has another state");
    REQUIRE(!destination.mis.error && (destination.shut == 0 || destination.send_failed) &&
                !destination.mis.postcopy,
            "a good end is not told");
    for (int b = 0; b < BLOCKS; b++) {
        for (unsigned page = 0; page < guest.pages[b]; page++) {
            REQUIRE(kernel.there[b][page] || guest.absent[b] >> page & 1,
                    "the end although a page is missing (R-PC-25)");
            REQUIRE(!destination.trusted || has_value(b, page, destination.model.page[b][page].value),
                    "a page has other bytes at the end");
        }
    }
    if (destination.trusted) {
        REQUIRE(destination.model.state == POSTCOPY_MODEL_END, "an end that the model does not have");
        check_counters();
    }
}

void destination_check_bad_end(void)
{
    const bool runs = postcopy_state_get() == POSTCOPY_INCOMING_RUNNING;

    REQUIRE(destination.mis.error && destination.mis.status == MIGRATION_STATUS_FAILED,
            "a failure without an Error");
    REQUIRE(!destination.trusted || destination.ran_out || destination.expectation == REFUSED ||
                destination.send_failed,
            "a message is refused that must be accepted");
    REQUIRE(destination.shut != 0, "the source is told that all went well");
    REQUIRE(runs == destination_listening(), runs ? "the guest reads zeroes where pages are missing (R-PC-25)"
                                      : "something stays registered though no guest ran");
    destination.mis.abandon = true;
}
