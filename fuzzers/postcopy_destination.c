/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A destination against the model: postcopy_play.h has the steps. */
#include <errno.h>
#include <string.h>

#include "exec/ram_addr.h"
#include "migration/postcopy-host.h"
#include "migration/postcopy-ram.h"
#include "postcopy_play.h"
#include "qemu/main-loop.h"

/* What has to come of the bytes that the core is reading. */
typedef enum { ACCEPTED, REFUSED } Expectation;

static struct {
    Steps *steps;
    MigrationIncomingState mis;
    struct postcopy_model model;
    GByteArray *wire;
    size_t read;                /* of it, by the core */
    Expectation expectation;
    bool trusted;               /* every byte was as the model has it */
    bool section;               /* pages may follow without another header */
    bool finished;              /* what was missing at the end was sent */
    bool broken;                /* the connection */
    bool send_fails, send_failed;
    int last_requested;         /* the block of the short form */
    bool asked;                 /* a request was heard; for which page: */
    int asked_block;
    unsigned asked_page;
    unsigned pongs;
    int shut;                   /* -1: not said */
    uint8_t change[2];          /* step 14: where, what */
    uint8_t meanwhile[3];       /* step 12: block, page and value, other page */
} play;

static bool listening(void)
{
    return kernel.enrolled[0] && kernel.enrolled[1];
}

/* --- what the core says ---------------------------------------------------------------------------- */

static void hear_request(const uint8_t *message, size_t length)
{
    const uint8_t *at = message + 4;
    const uint64_t start = get(&at, 8), bytes = get(&at, 4);
    const bool named = message[1] == 3;
    int block = play.last_requested;

    REQUIRE(length == (named ? 17 + (size_t)at[0] : 16), "a request has another length (R-WIRE-2)");
    for (int b = 0; named && b < BLOCKS; b++) {
        if (at[0] == strlen(postcopy_names[b]) && memcmp(at + 1, postcopy_names[b], at[0]) == 0) {
            REQUIRE(b != play.last_requested, "a request names its block again");
            block = b;
        }
    }
    REQUIRE(block >= 0, "a request names no block");
    REQUIRE(bytes == machine.page_size && start % bytes == 0 && start / bytes < machine.pages[block],
            "a request is for no page");
    REQUIRE(!play.asked, "a page is asked for twice (R-PC-22)");
    play.asked = true;
    play.asked_block = play.last_requested = block;
    play.asked_page = (unsigned)(start / bytes);
}

static int hear(void *opaque, const void *from, size_t length)
{
    const uint8_t *message = from;

    (void)opaque;
    REQUIRE(length >= 8 && message[0] == 0 && (size_t)(message[2] << 8 | message[3]) == length - 4,
            "a message to the source is none (R-WIRE-2)");
    if (play.send_fails) {
        play.send_fails = false;
        play.send_failed = true;
        return -EPIPE;
    }
    switch (message[1]) {
    case 1:
        REQUIRE(play.shut < 0, "SHUT is said twice");
        play.shut = message[7];
        break;
    case 2:
        play.pongs++;
        break;
    default:
        REQUIRE(message[1] == 3 || message[1] == 4, "a message to the source has a strange type");
        hear_request(message, length);
    }
    return 0;
}

/* --- checks ------------------------------------------------------------------------------------------ */

static bool received(int block, unsigned page)
{
    return machine.block[block]->receivedmap &&
           ramblock_recv_bitmap_test_byte_offset(machine.block[block], page * machine.page_size);
}

static bool has_value(int block, unsigned page, uint8_t value)
{
    const uint8_t *bytes = machine.block[block]->host + page * machine.page_size;

    return bytes[0] == value && memcmp(bytes, bytes + 1, machine.page_size - 1) == 0;
}

static void check_counters(void)
{
    const struct postcopy_model *model = &play.model;
    const uint64_t parts = machine.page_size / TARGET_PAGE_SIZE;

    fuzz_hash_number(play.mis.counters.placed << 32 | play.mis.counters.zero_placed);
    fuzz_hash_number(play.mis.counters.requests << 32 | play.mis.counters.duplicates);
    REQUIRE(play.mis.counters.placed == model->placed && play.mis.counters.zero_placed == model->zero_placed,
            "placed pages are not the model's (R-PC-31)");
    REQUIRE(play.mis.counters.duplicates == model->duplicates, "duplicates are not the model's (R-PC-31)");
    REQUIRE(play.mis.counters.faults == model->faults && play.mis.counters.requests == model->requests &&
            play.mis.counters.suppressed == model->suppressed, "requests are not the model's (R-PC-22)");
    REQUIRE(play.mis.counters.discarded == model->discarded * parts, "discarded pages are not the model's (R-PC-15)");
}

static void check_pages(void)
{
    for (int b = 0; b < BLOCKS && listening(); b++) {
        for (unsigned page = 0; page < machine.pages[b]; page++) {
            REQUIRE(received(b, page) == kernel.there[b][page],
                    received(b, page) ? "a received page is missing" : "a page that was not received can be read (R-PC-15)");
        }
    }
    for (int b = 0; b < BLOCKS && play.trusted && play.mis.postcopy; b++) {
        for (unsigned page = 0; page < machine.pages[b]; page++) {
            const struct postcopy_model_page *p = &play.model.page[b][page];

            REQUIRE(received(b, page) == p->received, "received pages are not the model's");
            REQUIRE(!p->received || has_value(b, page, p->value), "a page has other bytes than were sent (R-PC-31)");
        }
    }
}

/* The core has read all there was: it took it. */
static void message_taken(void)
{
    if (play.trusted) {
        REQUIRE(play.expectation == ACCEPTED, "a message is accepted that must be refused");
        REQUIRE((int)postcopy_state_get() == (int)play.model.state, "the state is not the model's (R-PC-1)");
        check_counters();
    }
    check_pages();
    fuzz_hash_number(postcopy_state_get());
}

/* --- steps beside the stream ---------------------------------------------------------------------------- */

static void touch(int block, unsigned page)
{
    uint8_t *address = machine.block[block]->host + page * machine.page_size + page % machine.page_size;
    enum postcopy_model_touch expected = POSTCOPY_MODEL_GOES_ON;
    int result;

    if (!listening() || kernel.there[block][page]) {
        return;         /* nobody waits; check_pages looks at what is read */
    }
    if (play.trusted) {
        expected = postcopy_model_touch(&play.model, block, page);
        REQUIRE(expected != POSTCOPY_MODEL_GOES_ON, "a received page is missing");
    }
    play.asked = false;
    result = postcopy_ram_fault(&play.mis, address);
    REQUIRE(result == 0 || play.send_failed, "a page cannot be asked for");
    if (play.trusted && !play.send_failed) {
        REQUIRE(play.asked == (expected == POSTCOPY_MODEL_ASKS), "a page is not asked for, or again (R-PC-22)");
        REQUIRE(!play.asked || (play.asked_block == block && play.asked_page == page), "another page is asked for");
    }
    play.trusted = play.trusted && !play.send_failed;   /* what is counted from here on is not said anywhere */
    play.asked = false;
}

static void other_channel(int block, unsigned page, uint8_t value)
{
    uint8_t bytes[1 << 16];     /* not static: meanwhile() comes here again */
    uint8_t *host = machine.block[block]->host + page * machine.page_size;
    const bool fails = kernel.no_memory && !received(block, page);
    int result;

    if (!listening()) {
        return;
    }
    if (!fails) {
        postcopy_model_place(&play.model, block, page, value);
    }
    memset(bytes, value, machine.page_size);
    result = value ? postcopy_place_page(&play.mis, host, bytes) : postcopy_place_page_zero(&play.mis, host);
    REQUIRE(result == (fails ? -ENOMEM : 0), "a page cannot be placed, or can though the kernel has no memory");
}

/* In the middle of placing a page, of which the model knows already. */
static void meanwhile(void)
{
    const int block = play.meanwhile[0] & 1;

    if (kernel.no_memory || kernel.again) {
        return;
    }
    other_channel(block, play.meanwhile[1] % machine.pages[block], play.meanwhile[2]);
    /* A thread that touches the page which is being placed asks for it: it is not there yet. */
    play.trusted = play.trusted && !play.send_fails;
}

/* --- messages --------------------------------------------------------------------------------------------- */

static void expect(bool accepted)
{
    play.expectation = accepted ? ACCEPTED : REFUSED;
}

static void close_section(void)
{
    if (play.section) {
        put_section_end(play.wire);
        play.section = false;
    }
}

static void put_u32_command(unsigned command, uint32_t value)
{
    put_command(play.wire, command, 4);
    put(play.wire, value, 4);
}

static void say_page(bool named, int block, unsigned page, uint8_t value)
{
    const bool places = listening();

    if (!play.section) {
        put(play.wire, 2, 1);
        put(play.wire, 1, 4);
        play.section = true;
    }
    put_page(play.wire, named ? block < 0 ? "rom" : postcopy_names[block] : NULL, page, value);
    if (!named) {
        block = play.model.last_block;
    }
    if (places && kernel.no_memory && block >= 0 && page < machine.pages[block] && play.model.started &&
        !play.model.ended && !play.model.page[block][page].received) {
        expect(false);
        return;
    }
    expect(postcopy_model_page(&play.model, named, block, page, value));
}

static void say_advise(bool matches)
{
    put_command(play.wire, 3, 16);
    put(play.wire, machine.page_size << !matches, 8);
    put(play.wire, TARGET_PAGE_SIZE, 8);
    expect(!kernel.no_open && postcopy_model_advise(&play.model, matches));
}

static void say_discard(int block, unsigned start, unsigned count)
{
    const char *name = block < 0 ? "rom" : postcopy_names[block];

    put_command(play.wire, 6, (unsigned)(19 + strlen(name)));
    put(play.wire, 0, 1);
    put_name(play.wire, name);
    put(play.wire, 0, 1);
    put(play.wire, start * machine.page_size, 8);
    put(play.wire, count * machine.page_size, 8);
    expect(postcopy_model_discard(&play.model, block, start, count));
}

static bool model_listen(void)
{
    return !kernel.no_open && !kernel.no_enroll && postcopy_model_listen(&play.model);
}

static void say_listen(unsigned which)
{
    switch (which) {
    case 0:
        put_command(play.wire, 4, 0);
        expect(model_listen());
        break;
    case 1:
        put_command(play.wire, 5, 0);
        expect(postcopy_model_run(&play.model));
        break;
    case 2:
        put_u32_command(7, 13);
        put_command(play.wire, 4, 0);
        put(play.wire, 0xabcdef, 3);
        put_command(play.wire, 5, 0);
        expect(model_listen() && postcopy_model_run(&play.model));
        break;
    default:
        put_command(play.wire, 1, 0);
        play.model.return_path = true;
        expect(true);
    }
}

static void say_end(void)
{
    put(play.wire, 3, 1);
    put(play.wire, 1, 4);
    put_section_end(play.wire);
    expect(play.model.started && !play.model.ended);
    play.model.ended = play.model.ended || play.model.started;
}

/* The next message of a right stream up to RUN; false: it runs. */
static bool say_setup(void)
{
    if (!play.model.return_path) {
        say_listen(3);
    } else if (play.model.state == POSTCOPY_MODEL_NONE) {
        say_advise(true);
    } else if (!play.model.started) {
        put_list(play.wire, false);
        expect(postcopy_model_list(&play.model, true));
    } else if (play.model.state == POSTCOPY_MODEL_ADVISE) {
        say_discard(0, 0, 3);
    } else if (play.model.state <= POSTCOPY_MODEL_LISTENING) {
        say_listen(play.model.state == POSTCOPY_MODEL_DISCARD ? 2 : 1);
    } else {
        return false;
    }
    return true;
}

/* At the end of the steps: one message more, until the stream has ended well. */
static bool say_rest(void)
{
    if (play.model.state != POSTCOPY_MODEL_RUNNING) {
        close_section();
    }
    if (say_setup()) {
        return true;
    }
    for (int b = 0; b < BLOCKS && !play.model.ended; b++) {
        for (unsigned page = 0; page < machine.pages[b]; page++) {
            if (!play.model.page[b][page].received &&
                play.steps->parameters[2] != 1 + page + (b ? machine.pages[0] : 0)) {
                say_page(true, b, page, (uint8_t)(page * 3));
                return true;
            }
        }
    }
    close_section();
    if (!play.model.ended) {
        say_end();
        return true;
    }
    if (!play.finished) {
        play.finished = true;
        put(play.wire, 0, 1);
        expect(postcopy_model_end_of_stream(&play.model));
        return true;
    }
    return false;
}

static void say(uint8_t what, uint8_t a, uint8_t b, uint8_t c)
{
    const int block = (a & 14) == 14 ? -1 : a & 1;

    if (what > 2) {
        close_section();
    }
    switch (what) {
    case 5:
        say_discard(block, b % 32, 1 + c % 8);
        break;
    case 6:
        say_advise(!(a & 2));
        break;
    case 7:
        put_list(play.wire, a & 2);
        expect(postcopy_model_list(&play.model, !(a & 2)));
        break;
    case 8:
        say_listen(a >> 1 & 3);
        break;
    case 9:
        say_end();
        break;
    case 10:
        put(play.wire, 0, 1);
        expect(postcopy_model_end_of_stream(&play.model));
        break;
    case 15:
        if (a & 2) {
            put_u32_command(2, c);
            expect(!(play.send_fails && play.model.return_path));
        } else {
            say_setup();
        }
        break;
    default:
        say_page(!(a & 64), block, b % 32, c);
    }
}

static void change_message(size_t from)
{
    if (play.change[1] && play.wire->len > from) {
        play.wire->data[from + play.change[0] % (play.wire->len - from)] ^= play.change[1];
        play.trusted = false;
        play.change[1] = 0;
    }
}

/* A message of the stream; what must be refused is left out unless the input insists. */
static void step_message(uint8_t what, const uint8_t *step)
{
    const struct postcopy_model before = play.model;
    const size_t from = play.wire->len;
    const bool section = play.section;

    say(what, step[1], step[2], step[3]);
    if (play.expectation == REFUSED && !(step[1] & 128)) {
        play.model = before;
        play.section = section;
        play.expectation = ACCEPTED;
        g_byte_array_set_size(play.wire, (guint)from);
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
        touch(block, b % machine.pages[block]);
        break;
    case 11:
        other_channel(block, b % machine.pages[block], c);
        break;
    case 12:
        play.meanwhile[0] = a;
        play.meanwhile[1] = b;
        play.meanwhile[2] = c;
        kernel.meanwhile = meanwhile;
        break;
    case 13:
        kernel.again = (a >> 1 & 7) < 2;
        kernel.no_memory = (a >> 1 & 7) == 2;
        kernel.no_enroll = (a >> 1 & 7) == 3;
        kernel.no_open = (a >> 1 & 7) == 4;
        play.send_fails = (a >> 1 & 7) >= 6;
        break;
    case 14:
        play.change[0] = b;
        play.change[1] = c;
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

    while (play.wire->len == play.read) {
        g_byte_array_set_size(play.wire, 0);
        play.read = 0;
        next = next_step(play.steps);
        if (next) {
            step(next);
        } else if (!(play.steps->parameters[0] & 2) || !play.trusted || !say_rest()) {
            return false;
        }
        if (play.wire->len == 0) {
            check_pages();      /* else the model is ahead by a message */
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

        if (play.wire->len == play.read) {
            REQUIRE(!play.trusted || place == to, "the core wants more than a message has");
            message_taken();
            if (play.broken || !more()) {
                play.broken = true;
                return -EPIPE;
            }
        }
        part = MIN(length, play.wire->len - play.read);
        memcpy(place, play.wire->data + play.read, part);
        place += part;
        play.read += part;
        length -= part;
    }
    return 0;
}

static void shut_down(void *opaque)
{
    (void)opaque;
    play.broken = true;
}

static void begin(Steps *steps)
{
    memset(&play, 0, sizeof(play));
    play.steps = steps;
    play.trusted = true;
    play.last_requested = play.shut = -1;
    play.mis.transport = (MigrationTransport){ .send = hear, .recv = receive, .shutdown = shut_down };
    play.wire = g_byte_array_new();
    for (int b = 0; b < BLOCKS; b++) {
        REQUIRE(ram_block_discard_range(machine.block[b], 0, machine.pages[b] * machine.page_size) == 0, "no discard");
        play.model.pages[b] = machine.pages[b];
    }
    postcopy_model_start(&play.model);
    postcopy_kernel_start();
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    put_begin(play.wire);
}

static void check_good_end(void)
{
    REQUIRE(postcopy_state_get() == POSTCOPY_INCOMING_END && play.mis.status == MIGRATION_STATUS_COMPLETED,
            "a good end has another state");
    REQUIRE(!play.mis.error && (play.shut == 0 || play.send_failed) && !play.mis.postcopy, "a good end is not told");
    for (int b = 0; b < BLOCKS; b++) {
        for (unsigned page = 0; page < machine.pages[b]; page++) {
            REQUIRE(kernel.there[b][page], "the end although a page is missing (R-PC-25)");
            REQUIRE(!play.trusted || has_value(b, page, play.model.page[b][page].value), "a page has other bytes at the end");
        }
    }
    if (play.trusted) {
        REQUIRE(play.model.state == POSTCOPY_MODEL_END, "an end that the model does not have");
        check_counters();
    }
}

static void check_bad_end(void)
{
    const bool runs = postcopy_state_get() == POSTCOPY_INCOMING_RUNNING;

    REQUIRE(play.mis.error && play.mis.status == MIGRATION_STATUS_FAILED, "a failure without an Error");
    REQUIRE(!play.trusted || play.broken || play.expectation == REFUSED || play.send_failed,
            "a message is refused that must be accepted");
    REQUIRE(play.shut != 0, "the source is told that all went well");
    REQUIRE(runs == listening(), runs ? "the guest reads zeroes where pages are missing (R-PC-25)"
                                      : "something stays registered though no guest ran");
    play.mis.abandon = true;
}

void postcopy_play_destination(Steps *steps)
{
    int result;

    begin(steps);
    qemu_mutex_unlock_iothread();
    result = ram_migrate_incoming(&play.mis);
    qemu_mutex_lock_iothread();
    fuzz_hash_number((uint64_t)result);
    if (result == 0) {
        check_good_end();
    } else {
        check_bad_end();
        REQUIRE(postcopy_ram_incoming_cleanup(&play.mis) == 0, "a failed migration cannot be dropped");
    }
    REQUIRE(!listening() && kernel.open == 0 && !play.mis.postcopy, "something stays open");
    for (int b = 0; b < BLOCKS; b++) {
        REQUIRE(!machine.block[b]->receivedmap && machine.block[b]->postcopy_length == 0, "a block keeps something");
    }
    error_free(play.mis.error);
    g_byte_array_unref(play.wire);
    postcopy_set_host(NULL);
}
